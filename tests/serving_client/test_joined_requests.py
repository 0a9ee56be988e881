"""Requests that TensorFlow Serving would join answer as each does alone.

`join` does what its batching does with `pad_variable_length_inputs` (tensorflow_serving/batching,
batching_util.cc and batching_session.cc): every tensor is filled up to the widest of its name by
its own first value, and then all are put one below the other.
"""

from collections.abc import Sequence

import numpy as np
import pytest
import tensorflow as tf
from client import Client, GrpcEndpoint, Model, Query
from recommender_client.answers import Answer, answers

from . import toy_server

Tensors = dict[str, np.ndarray]


def join(requests: Sequence[Tensors]) -> Tensors:
    joined = {}
    for name in requests[0]:
        tensors = [request[name] for request in requests]
        width = np.max([tensor.shape[1:] for tensor in tensors], axis=0)
        joined[name] = np.concatenate([_filled_up(tensor, width) for tensor in tensors])
    return joined


def _filled_up(tensor: np.ndarray, width: np.ndarray) -> np.ndarray:
    missing = [(0, 0), *((0, more) for more in width - tensor.shape[1:])]
    if not any(more for _, more in missing):
        return tensor
    if not tensor.size:
        raise ValueError("Got empty tensor in batch of non-empty tensors.")
    return np.pad(tensor, missing, constant_values=tensor.flat[0])


@pytest.fixture(params=["toy", "recommender"])
def served_export(request, toy_folder, exported):
    """A stub of the toy and one of a trained model, and a client of it."""
    folder = {"toy": toy_folder, "recommender": exported}[request.param]
    stub = toy_server.Stub(folder, request.param)
    with (
        toy_server.grpc_server(stub) as target,
        Client(GrpcEndpoint(target), Model(request.param), timeout_s=30.0) as client,
    ):
        yield stub, client


def _joined(stub: toy_server.Stub, asked: Sequence[Sequence[Query]]) -> list[list[Answer]]:
    """The answers of all requests that the stub has just seen, computed as one."""
    sent = [
        {name: tf.make_ndarray(tensor) for name, tensor in request.inputs.items()}
        for request in stub.requests
    ]
    outputs = stub.compute("recommend", join(sent))
    split = np.cumsum([len(queries) for queries in asked])[:-1]
    parts = [
        {name: toy_server.listed(values) for name, values in zip(outputs, part, strict=True)}
        for part in zip(*(np.split(values, split) for values in outputs.values()), strict=True)
    ]
    return [answers(part) for part in parts]


def test_requests_of_unlike_widths(served_export):
    stub, client = served_export
    known, *others = [item.id for item in client.recommend(Query(k=4)).items]
    asked = [
        [Query(exclude_ids=[known], k=1), Query(k=2)],
        [Query(history=[*others, known], k=3, exclude_seen=False)],
        [Query(exclude_ids=others, k=1, weights={"like": 1.0}), Query(history=[known], k=2)],
    ]
    stub.requests.clear()
    alone = [client.recommend_batch(queries) for queries in asked]

    together = _joined(stub, asked)

    for ours, theirs in zip(alone, together, strict=True):
        for answer, joined in zip(ours, theirs, strict=True):
            assert [item.id for item in joined.items] == [item.id for item in answer.items]
            assert [item.score for item in joined.items] == pytest.approx(
                [item.score for item in answer.items], abs=1e-5
            )
            assert joined.source == answer.source


def test_what_joining_does_to_others():
    """An empty list fails all; a first id that is excluded is excluded from the whole request."""
    wide = {"exclude_ids": np.array([["a", "b"]])}

    with pytest.raises(ValueError, match="Got empty tensor in batch of non-empty tensors"):
        join([{"exclude_ids": np.empty([1, 0], "U1")}, wide])
    joined = join([{"exclude_ids": np.array([["c"], [""]])}, wide])
    assert joined["exclude_ids"].tolist() == [["c", "c"], ["", "c"], ["a", "b"]]
