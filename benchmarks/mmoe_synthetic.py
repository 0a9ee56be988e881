"""The synthetic experiment of the MMoE paper: `python benchmarks/mmoe_synthetic.py [--seeds 5]`.

Ma et al., KDD 2018, section 3.2 (the data) and 3.3, 5 (the models): two regressions of one input x,
standard normal in 100 dimensions, with y = w x + sum_i sin(alpha_i w x + beta_i) + noise of
deviation 0.1. Their unit vectors w have a given cosine, the "task correlation". The same sharing
blocks as in a recommender are trained on x, with as many weights each: a shared bottom of 113
units; 8 experts of 16 units (MMoE); 2 such experts for each task and 4 shared ones (PLE); each with
towers of 8 units. It prints the squared error of both tasks on fresh data (0.01 of it is the
noise), and draws it.

Differs from the paper, which does not say all: alpha_i = 1, 2, 3, beta_i = 0, 1, 2; Adam with
a cosine to 0, each model with the better of two learning rates; and fresh rows in every batch. Our
heads go without their linear term, since the paper has none.
"""

import argparse
import functools
import itertools
import pathlib
import statistics
import types
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from _timing import ROOT, show

from multitask_recommender import registry
from multitask_recommender.layers.heads import PairShape

WIDTH, BATCH_SIZE, TEST_ROWS = 100, 512, 20_000
ALPHAS, BETAS = np.arange(1.0, 4.0), np.arange(3.0)
NOISE = 0.1  # variance 0.01
CORRELATIONS = (1.0, 0.75, 0.5, 0.25, 0.0)
RATES = (0.01, 0.03)
LABELS = ("first", "second")
HEAD = {"tower_layers": [8], "linear": False}
MODELS: Mapping[str, tuple[str, dict[str, Any]]] = {
    "shared bottom": ("shared_bottom", {"hidden_layers": [113], **HEAD}),
    "MMoE": ("mmoe", {"experts": 8, "hidden_layers": [16], **HEAD}),
    "PLE": ("ple", {"task_experts": 2, "shared_experts": 4, "hidden_layers": [16], **HEAD}),
}
PICTURE = ROOT / "docs" / "mmoe_correlation.svg"

Draw = Callable[[int, Any], tuple[Any, Any]]  # rows and a seed [2] -> x [B, P], targets [B, 2]


def task_vectors(correlation: float, seed: int) -> np.ndarray:
    """Two unit vectors of the given cosine, [P, 2]."""
    generator = np.random.default_rng(seed)
    basis = np.linalg.qr(generator.standard_normal((WIDTH, 2)))[0]
    second = correlation * basis[:, 0] + np.sqrt(1 - correlation**2) * basis[:, 1]
    return np.stack([basis[:, 0], second], axis=1).astype(np.float32)


def drawn_from(correlation: float, seed: int) -> Draw:
    vectors = tf.constant(task_vectors(correlation, seed))

    def draw(rows: int, own_seed: Any) -> tuple[Any, Any]:
        seeds = tf.random.experimental.stateless_split(own_seed, 2)
        inputs = tf.random.stateless_normal([rows, WIDTH], seeds[0])
        along = tf.matmul(inputs, vectors)  # [B, 2]
        waves = [tf.sin(a * along + b) for a, b in zip(ALPHAS, BETAS, strict=True)]
        noise = NOISE * tf.random.stateless_normal([rows, 2], seeds[1])
        return inputs, tf.add_n([along, *waves]) + noise

    return draw


def build(name: str, seed: int) -> Any:
    """A sharing block for two tasks, with its weights."""
    tf.keras.utils.set_random_seed(seed)
    option, settings = MODELS[name]
    chosen = registry.settings_class("sharing", option)(**settings)
    task = types.SimpleNamespace(initial_output=0.0, only_with=None)
    shape = PairShape(vectors=0, fields=WIDTH)
    block = registry.load("sharing", option).Sharing(chosen, shape, dict.fromkeys(LABELS, task))
    block(tf.zeros([1, WIDTH]))
    return block


def squared_errors(block: Any, draw: Draw, rows: int, seed: Any) -> Any:
    """Of both tasks, [2]."""
    inputs, targets = draw(rows, seed)
    outputs = block(inputs)
    predicted = tf.stack([outputs[label] for label in LABELS], axis=1)
    return tf.reduce_mean(tf.square(predicted - targets), axis=0)


def error_of(name: str, draw: Draw, rate: float, steps: int, seed: int) -> float:
    """The mean squared error, on fresh rows, of a block that has been trained."""
    block = build(name, seed)
    weights = block.trainable_variables
    schedule = tf.keras.optimizers.schedules.CosineDecay(rate, steps)
    optimizer = tf.keras.optimizers.legacy.Adam(schedule)
    optimizer._create_all_weights(weights)

    def step(done: tf.Tensor) -> tuple[tf.Tensor]:
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(
                squared_errors(block, draw, BATCH_SIZE, tf.stack([seed, done + 1]))
            )
        optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
        return (done + 1,)

    @functools.partial(tf.function, autograph=False)
    def run() -> None:
        tf.while_loop(lambda done: done < steps, step, [0], parallel_iterations=1)

    run()
    return float(tf.reduce_mean(squared_errors(block, draw, TEST_ROWS, tf.constant([seed, 0]))))


def measure(arguments: argparse.Namespace) -> dict[tuple[str, float], list[float]]:
    """Errors by model and correlation, one a seed: of the rate that is best over the seeds."""
    errors = {}
    for correlation, name in itertools.product(CORRELATIONS, MODELS):
        by_rate = {
            rate: [
                error_of(name, drawn_from(correlation, seed), rate, arguments.steps, seed)
                for seed in range(1, arguments.seeds + 1)
            ]
            for rate in RATES
        }
        errors[name, correlation] = min(by_rate.values(), key=statistics.median)
    return errors


def draw_picture(errors: Mapping[tuple[str, float], list[float]], path: pathlib.Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.0, 4.0), layout="constrained")
    axes = figure.subplots()
    for name in MODELS:
        values = [errors[name, correlation] for correlation in CORRELATIONS]
        middles = [statistics.median(each) for each in values]
        (line,) = axes.plot(CORRELATIONS, middles, label=name)
        for correlation, each in zip(CORRELATIONS, values, strict=True):
            axes.plot([correlation] * len(each), each, ".", color=line.get_color(), alpha=0.5)
    axes.invert_xaxis()
    axes.set_yscale("log")  # a run may fail altogether
    axes.set_xlabel("task correlation")
    axes.set_ylabel("squared error: each seed, and the median")
    axes.legend()
    figure.savefig(path, metadata={"Date": None})


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=1000, help=f"of {BATCH_SIZE} rows each")
    parser.add_argument("--picture", type=pathlib.Path, default=PICTURE)
    arguments = parser.parse_args()
    tf.config.threading.set_intra_op_parallelism_threads(1)  # the products are small
    errors = measure(arguments)
    rows = []
    for name in MODELS:
        middles = [statistics.median(errors[name, correlation]) for correlation in CORRELATIONS]
        cells = [
            f"{middle:.3f} ({max(errors[name, c]):.3f})"
            for middle, c in zip(middles, CORRELATIONS, strict=True)
        ]
        rows.append([name, *cells, f"{middles[-1] / middles[0]:.2f}"])
    show(
        f"squared error by task correlation: median (most) of {arguments.seeds} seeds",
        ["", *map(str, CORRELATIONS), f"{CORRELATIONS[-1]:g} : 1"],
        rows,
    )
    draw_picture(errors, arguments.picture)


if __name__ == "__main__":
    main()
