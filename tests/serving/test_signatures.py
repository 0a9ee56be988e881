"""What stands before the graph: shapes, batches, limits, defaults."""

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef

from multitask_recommender.serving import signatures
from multitask_recommender.serving.faults import Fault, Kind
from multitask_recommender.serving.options import Limits


@pytest.fixture
def signature():
    """item_id* [B], history [B, T], vector* [B, 2], k [B] with the default 7, any* of any rank."""
    definition = SignatureDef(method_name=signatures.METHOD)
    shapes = {"item_id": [-1], "history": [-1, -1], "vector": [-1, 2], "k": [-1]}
    dtypes = {"item_id": tf.string, "history": tf.string, "vector": tf.float32, "k": tf.int32}
    for name, shape in shapes.items():
        definition.inputs[name].dtype = dtypes[name].as_datatype_enum
        for size in shape:
            definition.inputs[name].tensor_shape.dim.add(size=size)
    definition.inputs["any"].dtype = tf.float32.as_datatype_enum
    definition.inputs["any"].tensor_shape.unknown_rank = True
    definition.defaults["k"].CopyFrom(tf.make_tensor_proto([7], tf.int32))
    definition.defaults["history"].CopyFrom(tf.make_tensor_proto([[]], tf.string))
    for name in ("scores", "item_ids"):
        definition.outputs[name].dtype = tf.float32.as_datatype_enum
    return signatures.read("near", definition, Limits(k=20, ids=4, batch=5))


def given(**changes):
    """Arrays of two rows that are right, but for the changes; None leaves one out."""
    made = {
        "item_id": np.array([b"a", b"b"], object),
        "vector": np.ones((2, 2), np.float32),
        "any": np.float32(1.0),
    }
    made |= {name: each if each is None else np.asarray(each) for name, each in changes.items()}
    return {name: each for name, each in made.items() if each is not None}


def test_what_is_left_out_is_filled_in_for_every_row(signature):
    made = signature.complete(given())

    assert list(made) == ["any", "history", "item_id", "k", "vector"]
    np.testing.assert_array_equal(made["k"], [7, 7])
    assert made["history"].shape == (2, 0)
    assert made["any"].shape == ()


def test_one_row_of_an_input_holds_for_all(signature):
    made = signature.complete(given(vector=[[3.0, 4.0]]))

    np.testing.assert_array_equal(made["vector"], [[3, 4], [3, 4]])


def test_what_is_given_is_not_written_to(signature):
    arrays = given()
    signature.complete(arrays)

    assert list(arrays) == ["item_id", "vector", "any"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"item_id": None, "vector": None}, "'near' needs item_id, vector: not given, and without"),
        (
            {"vector": np.ones((2, 3))},
            r"Input 'vector' of signature 'near': expected the shape \[any, 2\], found \[2, 3\]",
        ),
        ({"vector": np.ones(2)}, r"expected the shape \[any, 2\], found \[2\]"),
        ({"item_id": np.array(b"a", object)}, r"expected the shape \[any\], found \[\]"),
        ({"item_id": np.array([], object)}, "Input 'item_id' .* the batch is empty"),
        (
            {"vector": np.ones((3, 2)), "k": [1]},
            "differ in their number of rows: item_id 2, k 1, vector 3. Expected one number, or 1",
        ),
        ({"k": [3, 21]}, r"Input 'k' .* found 21, expected at most 20 \(--max-k\)"),
        (
            {"history": np.zeros((2, 5))},
            r"found 5 values in a row, expected at most 4 \(--max-ids\)",
        ),
        ({"any": np.zeros(6)}, r"found 6 rows, expected at most 5 \(--max-batch\)"),
    ],
)
def test_what_the_graph_would_not_take(signature, changes, message):
    with pytest.raises(Fault, match=message) as caught:
        signature.complete(given(**changes))

    assert caught.value.kind is Kind.INVALID


def test_an_unknown_input(signature):
    with pytest.raises(Fault, match="no input 'histry'. Did you mean 'history'. Its inputs: any,"):
        signature.input("histry")


def test_an_unknown_output(signature):
    signature.check_outputs(["scores"])

    with pytest.raises(Fault, match="no output 'score'. Did you mean 'scores'. Its outputs: item_"):
        signature.check_outputs(["score"])


def test_an_unknown_signature():
    with pytest.raises(Fault, match="no signature 'rnk'. Did you mean 'rank'. There are: rank, x"):
        raise signatures.unknown("rnk", ["rank", "x"])
