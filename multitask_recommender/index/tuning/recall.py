"""How much of the exact best an index finds, and how fast."""

import dataclasses
import time
from typing import Any

import numpy as np
import tensorflow as tf

from multitask_recommender.errors import RunError
from multitask_recommender.index.tuning import exact

BATCH_SIZE = 256


@dataclasses.dataclass(frozen=True)
class HeldOut:
    """Queries [Q, D] that no index was made with, and what an exact search finds for them."""

    queries: np.ndarray
    best: np.ndarray  # int32 [Q, K] ids, each row ascending
    exact_rate: float  # queries a second of that search, in the same batches

    @classmethod
    def of(cls, vectors: np.ndarray, queries: np.ndarray, cutoff: int) -> "HeldOut":
        """Searches all of vectors [I, D]. Raises RunError where there is nothing to measure by."""
        if not len(queries) or not len(vectors):
            raise RunError(
                f"The recall of an index cannot be measured with {len(queries)} held-out queries "
                f"and {len(vectors)} items: give at least one of each."
            )
        exact.best(vectors[:1], queries[:1], cutoff)  # traced before the clock starts
        started = time.perf_counter()
        found = [exact.best(vectors, batch, cutoff) for batch in _batches(queries)]
        seconds = time.perf_counter() - started
        return cls(queries, np.sort(np.concatenate(found), axis=1), len(queries) / seconds)

    def measure(self, index: Any) -> tuple[float, float]:
        """The recall of an index, the mean over queries, and its queries a second."""
        number = tf.constant(self.best.shape[1])
        search = tf.function(
            lambda queries: index(queries, number, tf.zeros([tf.shape(queries)[0], 0], tf.int32)),
            input_signature=[tf.TensorSpec([None, self.queries.shape[1]])],
        ).get_concrete_function()
        batches = [tf.constant(batch) for batch in _batches(self.queries)]
        search(batches[0])
        started = time.perf_counter()
        found = [search(batch)[1].numpy() for batch in batches]
        seconds = time.perf_counter() - started
        return self._recall(np.concatenate(found)), len(self.queries) / seconds

    def _recall(self, ids: np.ndarray) -> float:
        """Of ids [Q, K], each row distinct but for NO_ITEM."""
        rows = np.arange(len(ids), dtype=np.int64)[:, None] << 32
        return float(np.isin(ids + rows, self.best + rows).mean(dtype=np.float64))


def _batches(queries: np.ndarray) -> list[np.ndarray]:
    return [queries[start : start + BATCH_SIZE] for start in range(0, len(queries), BATCH_SIZE)]
