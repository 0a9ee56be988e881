"""Golden requests: some that an export has answered, kept with the answers to try servers with.

They hold ids alone. The same requests warm a server up before it answers others.
"""

import dataclasses
import hashlib
import json
import pathlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from multitask_recommender import run_folder
from multitask_recommender.export.folder import EXTRA
from multitask_recommender.export.raw_ids import RawIds
from multitask_recommender.export.saved import Arrays, Saved

TOLERANCE = 1e-5
FILE = "golden_requests.json"
_WARM_UP = "tf_serving_warmup_requests"


@dataclasses.dataclass(frozen=True)
class Request:
    signature: str
    inputs: dict[str, list]  # of raw ids and plain numbers


def requests(
    tasks: list[str], retrieves: bool, users: RawIds, items: RawIds, number: int
) -> Iterator[Request]:
    """Some requests of known users and of strangers, by every signature.

    Of one row each: what they leave out has one row too, and servers that join requests want as
    many rows of every input.
    """
    generator = np.random.default_rng(0)
    drawn, some = (
        ids.raw(1 + generator.permutation(ids.number)[:size]).tolist()
        for ids, size in ((users, number), (items, number + 3))
    )
    k = min(10, items.number)
    for place, user in enumerate(drawn):
        # By the weights of the config, and then each task alone.
        alone = place % (len(tasks) + 1)
        weights = {f"weight_{task}": [float(task == tasks[alone - 1])] for task in tasks}
        yield Request("recommend", {"user_id": [user], "k": [k]} | (weights if alone else {}))
    yield Request("recommend", {"user_id": drawn[:1], "k": [k], "exclude_ids": [some[:3]]})
    # A function of its own in the graph, which wants to be warm as well.
    yield Request("serving_default", {"user_id": drawn[:1], "k": [k]})
    stranger = {"user_id": [users.nobody]}
    yield Request("recommend", stranger | {"k": [k]})
    yield Request("recommend", stranger | {"history": [some[:2]], "k": [k]})
    yield Request("rank", {"user_id": drawn[:1], "item_ids": [some]})
    if retrieves:
        yield Request("retrieve", {"user_id": drawn[:1], "k": [k], "exclude_seen": [False]})
        yield Request("embed_query", {"user_id": drawn[:1]})
        yield Request("similar_items", {"item_id": some[:1], "k": [k]})


def answered(saved: Saved, asked: list[Request]) -> list[Arrays]:
    return [saved(request.signature, request.inputs) for request in asked]


def write(
    folder: pathlib.Path, about: dict[str, Any], asked: list[Request], answers: list[Arrays]
) -> None:
    """The requests with their answers, into assets.extra of an export."""
    records = [
        {
            "signature": request.signature,
            "inputs": request.inputs,
            "outputs": {name: _plain(values) for name, values in answer.items()},
        }
        for request, answer in zip(asked, answers, strict=True)
    ]
    content = {**about, "tolerance": TOLERANCE, "requests": records}
    text = json.dumps(content, ensure_ascii=False, allow_nan=False)
    run_folder.write_text(folder / EXTRA / FILE, text + "\n")


def vocabulary_checksums(folder: pathlib.Path) -> dict[str, str]:
    """SHA-256 of the files of raw ids, by `users` and `items`."""
    return {
        side: hashlib.sha256((folder / "assets" / f"{side}.txt").read_bytes()).hexdigest()
        for side in ("users", "items")
    }


def write_warm_up(folder: pathlib.Path, model: str, asked: list[Request], saved: Saved) -> None:
    """The requests as TensorFlow Serving makes them of itself before it serves a version."""
    import tensorflow as tf
    from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

    with tf.io.TFRecordWriter(str(folder / EXTRA / _WARM_UP)) as file:
        for request in asked:
            predict = predict_pb2.PredictRequest()
            predict.model_spec.name = model
            predict.model_spec.signature_name = request.signature
            for name, values in request.inputs.items():
                kind = saved.kind(request.signature, name)
                predict.inputs[name].CopyFrom(tf.make_tensor_proto(values, kind))
            log = prediction_log_pb2.PredictionLog(
                predict_log=prediction_log_pb2.PredictLog(request=predict)
            )
            file.write(log.SerializeToString())


def _plain(values: np.ndarray) -> list:
    if values.dtype.kind == "O":
        return np.vectorize(bytes.decode, otypes=[object])(values).tolist() if values.size else []
    return values.tolist()
