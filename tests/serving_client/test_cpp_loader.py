"""The C++ loader answers what Python answers: the files of an export say it all."""

import pathlib

import pytest
import scann
import tensorflow as tf
from client import Client, Model, Query
from recommender_client.endpoint import Signature
from recommender_client.golden import compare, worst
from recommender_client.queries import columns
from recommender_client.rpc import GrpcEndpoint, predict_request

from . import cpp_loader


@pytest.fixture
def asked(stub, grpc_target) -> list[tuple]:
    """Requests of every signature as gRPC carries them, with what Python answers."""
    client = Client(GrpcEndpoint(grpc_target), Model("toy"))
    queries = [
        Query(user_id=42, k=4, features={"hour": 5.0}).row(),
        Query(history=["élan", "ant"], k=1, exclude_ids=["bee"]).row(),
    ]
    requests = [
        (name, columns(queries, client.signature(name)))
        for name in ("recommend", "serving_default")
    ]
    requests += [
        ("recommend", {"user_id": [7]}),  # all else by its default
        ("rank", {"item_ids": [["cat", "rat", "gnu"]], "user_id": [11]}),
        ("embed_query", {"history": [["bee", "cat"]]}),
        ("similar_items", {"item_id": ["bee"]}),
    ]
    return [
        (
            predict_request(Model("toy"), client.signature(name), inputs),
            client.predict(name, inputs),
        )
        for name, inputs in requests
    ]


def test_every_signature_answers_as_in_python(program, toy_folder, asked, tmp_path):
    requests, expected = zip(*asked, strict=True)

    found = cpp_loader.answer(program, toy_folder, requests, tmp_path)

    for ours, theirs in zip(expected, found, strict=True):
        drift = worst(compare(ours, theirs))
        assert (drift.differing, drift.distance <= 1e-5) == (0, True)


def test_golden_requests_of_an_export(program, exported, tmp_path):
    """The parity certificate, asked of what TensorFlow Serving loads exports with."""
    drift = cpp_loader.replay(program, exported, tmp_path)

    assert (drift.differing, drift.distance <= 1e-5) == (0, True)


def test_a_signature_that_is_not_there(program, toy_folder, asked, tmp_path):
    request = asked[0][0]
    request.model_spec.signature_name = "retrieve"

    with pytest.raises(RuntimeError, match="answer: no signature 'retrieve' here"):
        cpp_loader.answer(program, toy_folder, [request], tmp_path)


def test_an_input_that_the_graph_refuses(program, toy_folder, asked, tmp_path):
    request = asked[2][0]
    request.inputs["k"].CopyFrom(type(request.inputs["k"])(dtype=3, int_val=[0]))
    request.inputs["k"].tensor_shape.dim.add(size=1)

    with pytest.raises(RuntimeError, match="recommend: INVALID_ARGUMENT: .*k must be at least 1"):
        cpp_loader.answer(program, toy_folder, [request], tmp_path)


def test_no_export(program, tmp_path):
    with pytest.raises(RuntimeError, match="nowhere: NOT_FOUND: Could not find SavedModel"):
        cpp_loader.answer(program, tmp_path / "nowhere", [], tmp_path)


class _Near(tf.Module):
    """The two nearest of 20 points on a line, by ScaNN."""

    def __init__(self) -> None:
        points = tf.concat([tf.range(20.0)[:, None], tf.ones([20, 1])], axis=1)
        searcher = scann.scann_ops.builder(points, 2, "dot_product").score_brute_force().build()
        self.searcher = searcher.serialize_to_module()

    @tf.function(input_signature=[tf.TensorSpec([None, 2], tf.float32)])
    def near(self, query):
        places, distances = scann.scann_ops.searcher_from_module(self.searcher).search_batched(
            query
        )
        return {"places": tf.cast(places, tf.int32), "distances": distances}


def test_operations_of_a_library(program, tmp_path):
    """ScaNN's: without its library the graph is refused, with it the answer is Python's."""
    module = _Near()
    options = tf.saved_model.SaveOptions(namespace_whitelist=["Scann"])
    tf.saved_model.save(
        module, str(tmp_path / "1"), signatures={"near": module.near}, options=options
    )
    signature = Signature("near", {"query": 1}, ("places", "distances"), {})
    request = predict_request(Model("near"), signature, {"query": [[1.0, 0.5]]})
    library = pathlib.Path(scann.__file__).parent / "scann_ops" / "cc" / "_scann_ops.so"

    with pytest.raises(RuntimeError, match="Op type not registered 'Scann>"):
        cpp_loader.answer(program, tmp_path / "1", [request], tmp_path)
    [found] = cpp_loader.answer(program, tmp_path / "1", [request], tmp_path, [str(library)])

    assert found == {"places": [[19, 18]], "distances": [[19.5, 18.5]]}
