"""A small SavedModel with the signatures of an export, whose answers can be had by hand.

Five items and two users. An item's retrieval score is in `SCORES` by user (row 0: nobody known);
its like and its stars depend on the item alone. Similar items stand near each other in the list.
"""

import dataclasses
import json
import pathlib

import numpy as np
import tensorflow as tf

SCORES = [[0.1, 0.2, 0.3, 0.4, 0.5], [0.9, 0.1, 0.8, 0.2, 0.5], [0.2, 0.7, 0.1, 0.6, 0.3]]
LIKE = [0.5, 0.1, 0.2, 0.9, 0.4]
STARS = [5.0, 4.0, 3.0, 2.0, 1.0]


@dataclasses.dataclass(frozen=True)
class Ids:
    """Raw ids: of users, of items, and what stands for nobody and for nothing."""

    users: tuple
    items: tuple
    nobody: object
    nothing: object

    @property
    def dtype(self) -> tf.DType:
        return tf.string if isinstance(self.nothing, str) else tf.int64


STRINGS = Ids(("ann", "zoë 🎬"), ("a", "b", "c", "d", "e"), "", "")
INTEGERS = Ids((7, 2**53 + 1), (10, 20, 30, 40, 50), -1, -1)


class Toy(tf.Module):
    def __init__(self, ids: Ids) -> None:
        super().__init__()
        self._ids = ids
        self._scores = tf.Variable(SCORES)
        self._users = _table(ids.users, ids.dtype)
        self._items = _table(ids.items, ids.dtype)
        self._known = tf.constant(ids.items, ids.dtype)

    def signatures(self) -> dict[str, object]:
        ids, none = self._ids.dtype, [[]]
        query = {
            "user_id": tf.constant([self._ids.nobody], ids),
            "history": tf.constant(none, ids),
            "history_length": tf.constant([-1]),
        }
        listing = {
            "k": tf.constant([3]),
            "exclude_ids": tf.constant(none, ids),
        }
        weights = {
            "weight_retrieval": tf.constant([1.0]),
            "weight_like": tf.constant([0.0]),
            "weight_rating": tf.constant([0.0]),
            "device": tf.constant([""]),
        }
        seen = {"exclude_seen": tf.constant([True])}
        recommend = _signature(self._recommend, {}, query | listing | weights | seen)
        return {
            "serving_default": recommend,
            "recommend": recommend,
            "rank": _signature(self._rank, {"item_ids": ([None, None], ids)}, query | weights),
            "embed_query": _signature(self._embed_query, {}, query),
            "similar_items": _signature(self._similar, {"item_id": ([None], ids)}, listing),
            "echo": _signature(lambda text: {"text": text}, {"text": ([None], tf.string)}, {}),
            "echo_bytes": _signature(
                lambda text: {"text_bytes": text}, {"text": ([None], tf.string)}, {}
            ),
            "spend": _signature(_spend, {"seconds": ([None], tf.float32)}, {}),
        }

    def _recommend(self, **inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        batch = _checked(inputs, len(LIKE))
        seen = _batched(inputs["history"], batch)
        dropped = _batched(inputs["exclude_ids"], batch)
        hidden = self._membership(dropped) | (
            self._membership(seen) & inputs["exclude_seen"][:, tf.newaxis]
        )  # [B, I]
        retrieval = _batched(self._of_user(inputs), batch)
        score = self._blend(retrieval, inputs)
        return self._top(score, hidden, inputs["k"], batch) | {"source": self._source(inputs)}

    def _rank(self, **inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        rows = self._items.lookup(inputs["item_ids"])  # [B, N]
        batch = _checked(inputs, len(LIKE))
        retrieval = _batched(self._of_user(inputs), batch)
        score = self._blend(retrieval, inputs)
        place = tf.maximum(rows, 0)
        return {
            "scores": tf.gather(score, place, batch_dims=1),
            "like": tf.gather(tf.constant(LIKE), place),
            "rating": tf.gather(tf.constant(STARS), place),
            "source": self._source(inputs),
        }

    def _embed_query(self, **inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"embedding": self._of_user(inputs), "source": self._source(inputs)}

    def _similar(self, **inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        batch = _checked(inputs, len(LIKE))
        row = self._items.lookup(inputs["item_id"])[:, tf.newaxis]  # [B, 1]
        other = tf.range(len(LIKE), dtype=tf.int64)[tf.newaxis]
        hidden = self._membership(_batched(inputs["exclude_ids"], batch)) | (other == row)
        near = -tf.cast(tf.abs(other - row), tf.float32) - 0.01 * tf.cast(other, tf.float32)
        found = self._top(near, hidden, inputs["k"], batch)
        return {name: found[name] for name in ("item_ids", "scores", "num_items")}

    def _of_user(self, inputs: dict[str, tf.Tensor]) -> tf.Tensor:
        return tf.gather(self._scores, self._users.lookup(inputs["user_id"]) + 1)

    def _source(self, inputs: dict[str, tf.Tensor]) -> tf.Tensor:
        is_known = self._users.lookup(inputs["user_id"]) >= 0
        return tf.where(is_known, "user", "popularity")

    def _blend(self, retrieval: tf.Tensor, inputs: dict[str, tf.Tensor]) -> tf.Tensor:
        weights = {name: inputs[name][:, tf.newaxis] for name in inputs if "weight_" in name}
        return (
            weights["weight_retrieval"] * retrieval
            + weights["weight_like"] * tf.constant(LIKE)
            + weights["weight_rating"] * (tf.constant(STARS) - 1.0) / 4.0
        )

    def _membership(self, ids: tf.Tensor) -> tf.Tensor:
        """Whether each item [I] is among each row of ids [B, E]."""
        return tf.reduce_any(ids[:, tf.newaxis, :] == self._known[:, tf.newaxis], axis=2)

    def _top(
        self, score: tf.Tensor, hidden: tf.Tensor, k: tf.Tensor, batch: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        score = tf.where(hidden, -np.inf, _batched(score, batch))
        best, rows = tf.math.top_k(score, tf.reduce_max(k))
        free = tf.reduce_sum(tf.cast(~hidden, tf.int32), axis=1)
        count = tf.minimum(_batched(free, batch), k)
        fits = tf.range(tf.reduce_max(k))[tf.newaxis] < count[:, tf.newaxis]
        tasks = {"like": LIKE, "rating": STARS}
        numbers = {name: tf.gather(tf.constant(each), rows) for name, each in tasks.items()}
        return {
            "item_ids": tf.where(fits, tf.gather(self._known, rows), self._ids.nothing),
            "num_items": count,
            "scores": tf.where(fits, best, 0.0),
            **{name: tf.where(fits, each, 0.0) for name, each in numbers.items()},
        }


def write(
    folder: pathlib.Path, ids: Ids = STRINGS, only: tuple[str, ...] | None = None
) -> pathlib.Path:
    """Writes a version, with `only` some of the signatures or all."""
    model = Toy(ids)
    made = {name: each for name, each in model.signatures().items() if not only or name in only}
    tf.saved_model.save(model, str(folder), signatures=made)
    extra = folder / "assets.extra"
    extra.mkdir()
    requests = [
        {"signature": "recommend", "inputs": {"user_id": list(ids.users)}, "outputs": {}},
        {"signature": "recommend", "inputs": {"history": [[*ids.items[:2]]]}, "outputs": {}},
    ]
    text = json.dumps({"model": "toy", "requests": requests})
    (extra / "golden_requests.json").write_text(text, encoding="utf-8")
    return folder


def _signature(function, required, optional):
    """A tf.function whose arguments have defaults, as `signatures` takes it."""
    names = [*required, *optional]
    specs = [tf.TensorSpec(*required[name], name=name) for name in required]
    specs += [
        tf.TensorSpec([None, *[None] * (len(value.shape) - 1)], value.dtype, name=name)
        for name, value in optional.items()
    ]
    scope = {"function": function, "defaults": optional}
    arguments = ", ".join([*required, *(f"{name}=defaults['{name}']" for name in optional)])
    passed = ", ".join(f"{name}={name}" for name in names)
    if function.__name__ == "<lambda>" or function is _spend:
        passed = ", ".join(names)
    exec(f"def named({arguments}): return function({passed})", scope)
    return tf.function(scope["named"], input_signature=specs)


def _checked(inputs: dict[str, tf.Tensor], num_items: int) -> tf.Tensor:
    """The batch size of inputs, once their values are found right."""
    checks = [
        tf.debugging.check_numerics(each, name)
        for name, each in inputs.items()
        if each.dtype == tf.float32
    ]
    if "k" in inputs:
        checks += [
            tf.debugging.assert_positive(inputs["k"], "k must be at least 1."),
            tf.debugging.assert_less_equal(
                inputs["k"], num_items, "k is larger than the catalogue."
            ),
        ]
    with tf.control_dependencies(checks):
        if "k" in inputs:  # what reads it must wait for the checks
            inputs["k"] = tf.identity(inputs["k"])
        return tf.reduce_max([tf.shape(each)[0] for each in inputs.values()])


def _batched(tensor: tf.Tensor, batch: tf.Tensor) -> tf.Tensor:
    shape = tf.concat([[batch], tf.shape(tensor)[1:]], axis=0)
    return tf.broadcast_to(tensor, shape)


def _table(ids: tuple, dtype: tf.DType) -> tf.lookup.StaticHashTable:
    rows = tf.range(len(ids), dtype=tf.int64)
    return tf.lookup.StaticHashTable(
        tf.lookup.KeyValueTensorInitializer(tf.constant(ids, dtype), rows), default_value=-1
    )


def _spend(seconds: tf.Tensor) -> dict[str, tf.Tensor]:
    """Turns round for as long as it is told, to be busy with."""
    end = tf.timestamp() + tf.cast(tf.reduce_max(seconds), tf.float64)
    turns = tf.while_loop(lambda n: tf.timestamp() < end, lambda n: [n + 1], [tf.constant(0)])
    return {"turns": tf.fill(tf.shape(seconds), turns[0])}
