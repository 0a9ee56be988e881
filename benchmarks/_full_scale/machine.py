"""What this machine does in a second, now: the bounds that stages are held against."""

import os
import pathlib
import time
from collections.abc import Callable

import numpy as np

DIMENSION = 64  # floats of a row of a table
_TABLE = 1 << 20  # rows, 256 MiB: beyond the caches
_COUNTERS = 5_000_000  # as many as Tenrec has users


def bounds(folder: pathlib.Path) -> dict[str, float]:
    """By name, what is done in a second: bytes copied; bytes written to a file, down to the disk;
    ids counted at random (a histogram of them); rows of 64 floats gathered at random (and as many
    put back); float operations of a product of inner dimension 64."""
    import tensorflow as tf

    generator = np.random.default_rng(0)
    table = tf.Variable(tf.zeros([_TABLE, DIMENSION]))
    ids = [tf.constant(generator.integers(0, _TABLE, 16_384, dtype=np.int32)) for _ in range(8)]
    left = tf.constant(generator.standard_normal((4096, DIMENSION), np.float32))
    right = tf.constant(generator.standard_normal((2048, DIMENSION), np.float32))
    source, target = np.ones(1 << 25), np.empty(1 << 25)
    counted = generator.integers(0, _COUNTERS, 1 << 23)
    number = len(ids) * len(ids[0])
    return {
        "copied bytes/s": 2 * source.nbytes / _seconds(lambda: np.copyto(target, source)),
        "written bytes/s": source.nbytes / _seconds(lambda: _write(folder, source), rounds=3),
        "counted ids/s": len(counted) / _seconds(lambda: np.bincount(counted)),
        "gathered rows/s": number / _seconds(lambda: [tf.gather(table, each) for each in ids]),
        "f32 flop/s": 2
        * 4096
        * 2048
        * DIMENSION
        / _seconds(lambda: tf.matmul(left, right, transpose_b=True)),
        "bf16 flop/s": 2
        * 4096
        * 2048
        * DIMENSION
        / _seconds(
            lambda: tf.matmul(
                tf.cast(left, tf.bfloat16), tf.cast(right, tf.bfloat16), transpose_b=True
            )
        ),
    }


def _write(folder: pathlib.Path, values: np.ndarray) -> None:
    path = folder / "written"
    with path.open("wb") as file:
        file.write(values)
        os.fsync(file.fileno())
    path.unlink()


def _seconds(work: Callable[[], object], rounds: int = 7) -> float:
    """The fastest of some rounds: what the machine can, not what others leave of it."""
    work()
    found = []
    for _ in range(rounds):
        started = time.perf_counter()
        work()
        found.append(time.perf_counter() - started)
    return min(found)
