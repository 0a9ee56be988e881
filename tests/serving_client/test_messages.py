"""The client's messages carry the bytes of TensorFlow Serving's own."""

import pytest
from google.protobuf import descriptor_pool
from recommender_client import messages
from tensorflow.core.framework import tensor_pb2, tensor_shape_pb2, types_pb2
from tensorflow.core.protobuf import meta_graph_pb2
from tensorflow_serving.apis import get_model_metadata_pb2, model_pb2, predict_pb2

REAL = {
    "PredictRequest": predict_pb2.PredictRequest,
    "PredictResponse": predict_pb2.PredictResponse,
    "GetModelMetadataRequest": get_model_metadata_pb2.GetModelMetadataRequest,
    "GetModelMetadataResponse": get_model_metadata_pb2.GetModelMetadataResponse,
    "SignatureDefMap": get_model_metadata_pb2.SignatureDefMap,
    "ModelSpec": model_pb2.ModelSpec,
    "TensorProto": tensor_pb2.TensorProto,
}


def _assert_alike(ours, theirs, seen):
    """Every field of ours has the number, the kind and the repetition of the real one."""
    if ours.full_name in seen:
        return
    seen.add(ours.full_name)
    for field in ours.fields:
        real = theirs.fields_by_name[field.name]
        found = (field.number, field.type, field.is_repeated)
        assert found == (real.number, real.type, real.is_repeated), real.full_name
        if field.message_type is not None:
            _assert_alike(field.message_type, real.message_type, seen)


@pytest.mark.parametrize("name", REAL)
def test_fields_are_those_of_the_real_messages(name):
    seen = set()

    _assert_alike(getattr(messages, name).DESCRIPTOR, REAL[name].DESCRIPTOR, seen)

    assert seen  # of messages within, too


def test_types_have_the_numbers_of_tensorflow():
    assert messages.DTYPES == {name: types_pb2.DataType.Value(name) for name in messages.DTYPES}


def test_a_request_is_read_by_the_real_class():
    ours = messages.PredictRequest()
    ours.model_spec.name = "toy"
    ours.model_spec.version.value = 3
    ours.model_spec.signature_name = "rank"
    tensor = ours.inputs["item_id"]
    tensor.dtype = 9
    tensor.tensor_shape.dim.add(size=2)
    tensor.int64_val.extend([5, -(2**63)])

    real = predict_pb2.PredictRequest.FromString(ours.SerializeToString())

    assert real == predict_pb2.PredictRequest(
        model_spec=model_pb2.ModelSpec(name="toy", version={"value": 3}, signature_name="rank"),
        inputs={
            "item_id": tensor_pb2.TensorProto(
                dtype=types_pb2.DT_INT64,
                tensor_shape=tensor_shape_pb2.TensorShapeProto(dim=[{"size": 2}]),
                int64_val=[5, -(2**63)],
            )
        },
    )


def test_what_is_not_described_survives():
    real = meta_graph_pb2.SignatureDef(method_name="tensorflow/serving/predict")
    map_of_one = get_model_metadata_pb2.SignatureDefMap(signature_def={"rank": real})

    ours = messages.SignatureDefMap.FromString(map_of_one.SerializeToString())

    again = get_model_metadata_pb2.SignatureDefMap.FromString(ours.SerializeToString())
    assert again.signature_def["rank"].method_name == "tensorflow/serving/predict"


def test_they_stay_out_of_the_pool_that_tensorflow_uses():
    with pytest.raises(KeyError, match="recommender_client.TensorProto"):
        descriptor_pool.Default().FindMessageTypeByName("recommender_client.TensorProto")
