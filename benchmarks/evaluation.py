"""Speed of evaluation: `python benchmarks/evaluation.py [--shape 100k|1m|qb_video] [--skip-tfrs]`.

Prints the time of the protocol `full` (all metrics), of the bare matrix product over distinct
users that no exact evaluation can do without, of FactorizedTopK from TFRS, and their ratios, on
random factors and pairs with the sizes of MovieLens. Contenders take turns, so that a busy machine
is busy for all: times, of the clock and of the CPU, and ratios are medians over rounds. TFRS takes
minutes, so that FactorizedTopK has one round, and over a dataset only with the smaller shape. With
the size of Tenrec's QB-video it has none; there the users are an eighth, since each costs the same.
"""

import argparse
import itertools
import statistics
import time
from collections.abc import Callable

import numpy as np
from _timing import record

from multitask_recommender.evaluation import Evaluator, Settings
from multitask_recommender.interactions import Entities, Interactions

SHAPES = {
    "100k": (943, 1682, 80_000, 20_000),
    "1m": (6040, 3706, 800_000, 200_000),
    "qb_video": (34_240 // 8, 130_637, 1_360_000 // 8, 340_000 // 8),
}
TFRS_SHAPES = ("100k", "1m")
BLOCK_BYTES = 64 << 20  # of scores: evaluation.block_megabytes
BATCH_SIZE = 4096
NUMPY, TENSORFLOW = "bare product, numpy", "bare product, tensorflow"


class Factors:
    """A scorer that is nothing but a product."""

    def __init__(self, users: np.ndarray, items: np.ndarray) -> None:
        self.users = users  # [U + 1, D]
        self.items = items  # [I, D]

    def score_block(self, queries: dict[str, np.ndarray]) -> np.ndarray:
        return self.users[queries["user_id"]] @ self.items.T

    def rank(self, queries: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        return {}


def make(shape: str, dimension: int) -> tuple[Factors, Interactions, Interactions]:
    """Random factors, and random distinct pairs that favour low item ids."""
    num_users, num_items, num_train, num_test = SHAPES[shape]
    generator = np.random.default_rng(0)
    draws = 2 * (num_train + num_test)
    items = (num_items * generator.random(draws) ** 1.5).astype(np.int64)
    pairs = np.unique(generator.integers(num_users, size=draws) * num_items + items)
    pairs = generator.permutation(pairs)[: num_train + num_test]
    tables = (Entities(np.arange(1, n + 1), n) for n in (num_users, num_items))
    events = Interactions(
        (pairs // num_items + 1).astype(np.int32), (pairs % num_items + 1).astype(np.int32), *tables
    )
    factors = Factors(
        generator.standard_normal((num_users + 1, dimension), dtype=np.float32),
        generator.standard_normal((num_items, dimension), dtype=np.float32),
    )
    # As in any trained model, one direction is popularity: most users meet a hit in the top 100.
    factors.users[:, 0] = np.sqrt(dimension)
    factors.items[:, 0] = -np.log(np.arange(1, num_items + 1) / num_items)
    rows = np.arange(len(pairs))
    return factors, events.take(rows[:num_train]), events.take(rows[num_train:])


def factorized_top_k(factors: Factors, test: Interactions, streams: bool) -> Callable[[], None]:
    """One evaluation by TFRS: k = 100, batches of 4096 rows, in one tf.function.

    Candidates are a dataset in batches of 128, as in the tutorials, or a BruteForce index.
    """
    import tensorflow as tf
    import tensorflow_recommenders as tfrs

    users, items = tf.constant(factors.users), tf.constant(factors.items)
    if streams:
        candidates = tf.data.Dataset.from_tensor_slices(factors.items).batch(128)
    else:
        candidates = tfrs.layers.factorized_top_k.BruteForce(k=100).index(items)
    metric = tfrs.metrics.FactorizedTopK(candidates=candidates)

    @tf.function
    def update(user_ids: tf.Tensor, item_ids: tf.Tensor) -> None:
        metric.update_state(tf.gather(users, user_ids), tf.gather(items, item_ids - 1))

    def run() -> None:
        metric.reset_states()
        for start in range(0, len(test), BATCH_SIZE):
            rows = slice(start, start + BATCH_SIZE)
            update(tf.constant(test.user_ids[rows]), tf.constant(test.item_ids[rows]))

    return run


def blocks(factors: Factors) -> list[slice]:
    """Of users, whose scores are BLOCK_BYTES or less."""
    rows = max(1, BLOCK_BYTES // (4 * len(factors.items)))
    return [slice(start, start + rows) for start in range(1, len(factors.users), rows)]


def blocked_product(factors: Factors) -> None:
    """All scores, no more than a block of them at a time."""
    for block in blocks(factors):
        factors.users[block] @ factors.items.T


def tensorflow_product(factors: Factors) -> Callable[[], None]:
    """The same, by TensorFlow."""
    import tensorflow as tf

    users, items = tf.constant(factors.users), tf.constant(factors.items)

    def run() -> None:
        for block in blocks(factors):
            tf.matmul(users[block], items, transpose_b=True)

    return run


def seconds(run: Callable[[], object]) -> tuple[float, float]:
    """Of the clock and of the CPU, once the threads of the contender before no longer spin."""
    time.sleep(0.15)  # OpenBLAS: a tenth of a second
    run()
    clock, cpu = time.perf_counter(), time.process_time()
    run()
    return time.perf_counter() - clock, time.process_time() - cpu


def measure(shape: str, dimension: int, rounds: int, with_tfrs: bool) -> None:
    factors, train, test = make(shape, dimension)
    settings = Settings(protocols=["full"])
    evaluator = Evaluator([train], test, settings)
    runs: dict[str, Callable[[], object]] = {
        NUMPY: lambda: blocked_product(factors),
        "full, prepared": lambda: evaluator(factors),
        "full, with preparation": lambda: Evaluator([train], test, settings)(factors),
        TENSORFLOW: tensorflow_product(factors),
    }
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            times[name].append(seconds(run))
    if with_tfrs:
        times["FactorizedTopK, index"] = [seconds(factorized_top_k(factors, test, streams=False))]
        if shape == "100k":
            run = factorized_top_k(factors, test, streams=True)
            times["FactorizedTopK, dataset"] = [seconds(run)]
    show(f"{shape} size, D = {dimension}", len(test), times)


def show(title: str, num_rows: int, times: dict[str, list[tuple[float, float]]]) -> None:
    def ratio(name: str, to: str) -> float:
        pairs = zip(times[name], itertools.cycle(times[to]), strict=False)
        return statistics.median(one[0] / other[0] for one, other in pairs)

    print(f"\n{title}: {num_rows} rows; x as long as a product and as the protocol")
    heads = f"{'ms':>9} {'CPU ms':>9} {'rows/s':>12} {'numpy':>7} {'tensorflow':>11} {'full':>6}"
    print(f"{'':26} {heads}")
    for product in (NUMPY, TENSORFLOW):
        record(f"evaluation/{title}", ratio("full, prepared", product), to=product)
    for name, measured in times.items():
        clock, cpu = (statistics.median(column) for column in zip(*measured, strict=True))
        ratios = (
            f"{ratio(name, NUMPY):7.2f} {ratio(name, TENSORFLOW):11.2f} "
            f"{ratio(name, 'full, prepared'):6.2f}"
        )
        print(f"{name:26} {clock * 1e3:9.2f} {cpu * 1e3:9.2f} {num_rows / clock:12.0f} {ratios}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shape", choices=SHAPES, action="append")
    parser.add_argument("--dimension", type=int, action="append")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--skip-tfrs", action="store_true")
    arguments = parser.parse_args()
    for shape in arguments.shape or SHAPES:
        for dimension in arguments.dimension or (64, 128):
            with_tfrs = shape in TFRS_SHAPES and not arguments.skip_tfrs
            measure(shape, dimension, arguments.rounds, with_tfrs)


if __name__ == "__main__":
    main()
