"""gRPC on a real socket, against REST and with TensorFlow Serving's codes."""

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.framework.tensor_pb2 import TensorProto
from tensorflow_serving.apis import classification_pb2
from tensorflow_serving.apis.get_model_metadata_pb2 import (
    GetModelMetadataRequest,
    SignatureDefMap,
)
from tensorflow_serving.apis.get_model_status_pb2 import GetModelStatusRequest, ModelVersionStatus

from multitask_recommender.errors import RunError
from multitask_recommender.serving import grpc_api
from multitask_recommender.serving.options import Limits
from tests.serving.calls import predict_request


@pytest.mark.parametrize(
    ("kind", "signature", "inputs"),
    [
        ("strings", "recommend", {"user_id": ["ann", "zoë 🎬", "?"], "k": [2, 1, 5]}),
        ("strings", "recommend", {"exclude_ids": [["a", "x"]], "weight_rating": [0.5]}),
        ("strings", "rank", {"user_id": ["ann"], "item_ids": [["b", "a", "e"]]}),
        ("strings", "similar_items", {"item_id": ["c", "a"], "k": [2]}),
        ("strings", "embed_query", {}),
        ("integers", "recommend", {"user_id": [2**53 + 1, 7], "history": [[10, -1], [20, 30]]}),
        ("integers", "similar_items", {"item_id": [30]}),
    ],
)
def test_both_front_ends_give_the_same_numbers(kind, signature, inputs, request):
    server = request.getfixturevalue(kind)
    sent = {
        name: tf.constant(value, server_type(server, signature, name)).numpy()
        for name, value in inputs.items()
    }

    by_grpc = server.call(predict_request(server.name, signature, **sent))
    by_rest = server.columns(signature, **inputs)

    assert set(by_grpc) == set(by_rest)
    for name, array in by_grpc.items():
        found = np.array(by_rest[name], array.dtype)
        if array.dtype == object:
            found = np.vectorize(str.encode, otypes=[object])(found)
        np.testing.assert_array_equal(found, array, err_msg=name)


def server_type(server, signature, name):
    metadata = server.get("/metadata")[1]["metadata"]["signature_def"]["signature_def"]
    return tf.dtypes.as_dtype(metadata[signature]["inputs"][name]["dtype"][3:].lower())


def test_the_answer_says_which_version_and_signature_gave_it(strings):
    request = predict_request("strings", user_id=["ann"])
    request.output_filter.append("source")

    with strings.stub() as stub:
        answer = stub.Predict(request)

    assert (answer.model_spec.version.value, answer.model_spec.signature_name) == (
        1,
        "serving_default",
    )
    assert list(answer.outputs) == ["source"]
    assert answer.outputs["source"].string_val == [b"user"]


def huge() -> TensorProto:
    """A tensor of a few bytes that says it has 2**40 rows."""
    made = TensorProto(dtype=tf.int32.as_datatype_enum, int_val=[1])
    made.tensor_shape.dim.add(size=2**40)
    return made


@pytest.mark.parametrize(
    ("request_", "code", "message"),
    [
        (predict_request(""), "INVALID_ARGUMENT", "The request names no model"),
        (predict_request("x"), "NOT_FOUND", "There is no model 'x' here"),
        (predict_request("strings", version=5), "NOT_FOUND", "Version 5 of model 'strings'"),
        (predict_request("strings", version=-5), "NOT_FOUND", "Version -5 of model 'strings'"),
        (predict_request("strings", "rnk"), "INVALID_ARGUMENT", "no signature 'rnk'. Did you mean"),
        (predict_request("strings", x=[1]), "INVALID_ARGUMENT", "has no input 'x'"),
        (predict_request("strings", k=[1.0]), "INVALID_ARGUMENT", "expected int32, found float32"),
        (predict_request("strings", k=[0]), "INVALID_ARGUMENT", "k must be at least 1"),
        (predict_request("strings", k=huge()), "INVALID_ARGUMENT", "found 1,099,511,627,776 rows"),
        (predict_request("strings", "rank"), "INVALID_ARGUMENT", "needs item_ids: not given"),
        (
            predict_request("strings", weight_like=[np.float32("nan")]),
            "INVALID_ARGUMENT",
            "weight_like : Tensor had NaN",
        ),
    ],
)
def test_what_is_refused(strings, request_, code, message):
    found, told = strings.fails(request_)

    assert found == code
    assert message in told
    assert strings.call(predict_request("strings"))["source"].tolist() == [b"popularity"]


def test_a_message_larger_than_the_limit(strings):
    code, _ = strings.fails(predict_request("strings", "echo", text=["x" * 5_000_000]))

    assert code == "RESOURCE_EXHAUSTED"


def test_a_label_that_is_none(strings):
    request = predict_request("strings")
    request.model_spec.version_label = "stable"

    assert strings.fails(request)[0] == "INVALID_ARGUMENT"


def test_more_requests_than_places_of_both_front_ends(serve, exports):
    server = serve(exports["strings"], Limits(requests=1))

    with server.busy():
        code, message = server.fails(predict_request("strings"))

    assert code == "RESOURCE_EXHAUSTED"
    assert message.startswith("As many requests run as may at once: 1 (--max-requests).")
    assert server.call(predict_request("strings"))


def test_a_deadline_is_kept(strings):
    with strings.stub() as stub, pytest.raises(grpc.RpcError) as caught:
        stub.Predict(predict_request("strings", "spend", seconds=[0.5]), timeout=0.1)

    assert caught.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED


class Late:
    """A call whose deadline has passed while it waited for its turn."""

    def time_remaining(self) -> float:
        return 0.0

    def abort(self, code: grpc.StatusCode, details: str) -> None:
        raise LookupError(f"{code.name}: {details}")


def test_a_request_that_is_late_is_not_run():
    service = grpc_api.PredictionService(service=None)  # which would fail if it were asked

    with pytest.raises(LookupError, match="DEADLINE_EXCEEDED: The deadline passed before the req"):
        service.Predict(predict_request("strings"), Late())


def test_an_error_of_ours_is_said_to_be_ours(caplog):
    late = Late()
    late.time_remaining = lambda: None
    service = grpc_api.PredictionService(service=None)

    with pytest.raises(LookupError, match="INTERNAL: An error of the server's own: its log says"):
        service.Predict(predict_request("strings"), late)

    assert "'NoneType' object has no attribute 'admitted'" in caplog.text


def test_the_metadata(strings):
    request = GetModelMetadataRequest(metadata_field=["signature_def"])
    request.model_spec.name = "strings"

    with strings.stub() as stub:
        answer = stub.GetModelMetadata(request)
        request.metadata_field[:] = ["x"]
        with pytest.raises(grpc.RpcError, match=r"metadata_field is \['x'\], expected") as caught:
            stub.GetModelMetadata(request)

    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    found = SignatureDefMap()
    answer.metadata["signature_def"].Unpack(found)
    assert "similar_items" in found.signature_def


def test_the_status(strings):
    request = GetModelStatusRequest()
    request.model_spec.name = "strings"

    with strings.status_stub() as stub:
        [version] = stub.GetModelStatus(request).model_version_status
        request.model_spec.name = "x"
        with pytest.raises(grpc.RpcError) as caught:
            stub.GetModelStatus(request)

    assert (version.version, version.state) == (1, ModelVersionStatus.AVAILABLE)
    assert caught.value.code() == grpc.StatusCode.NOT_FOUND


def test_other_methods_are_unimplemented(strings):
    with strings.stub() as stub, pytest.raises(grpc.RpcError) as caught:
        stub.Classify(classification_pb2.ClassificationRequest())

    assert caught.value.code() == grpc.StatusCode.UNIMPLEMENTED


def test_a_port_that_is_taken(strings, serve, exports):
    with pytest.raises(RunError, match=f"gRPC cannot listen at 127.0.0.1:{strings.grpc_port}"):
        serve(exports["strings"], grpc_port=strings.grpc_port)
