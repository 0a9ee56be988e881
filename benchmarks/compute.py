"""What arithmetic costs a step: `python benchmarks/compute.py [--rounds 7] [--only gru4rec]`.

Processor seconds of a training step by training.precision, beside float32: of the default config on
MovieLens 100k (without its files, on made-up rows of that shape), and of recipes of other shapes on
random events. Then the part of a step that XLA can compile (a sharing block with its gradients;
what comes before has shapes that differ from batch to batch), with and without it.

Run it on one core (`taskset -c 0`), where a processor second is one of the step's. float16 is for
GPUs: here it says what it costs to try it out.
"""

import argparse
import contextlib
import pathlib
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from _steps import begun
from _timing import ROOT, Times, alternate, record, show

from multitask_recommender import config
from multitask_recommender.interactions import Entities, Interactions

PRECISIONS = ("float32", "bfloat16", "float16")
STEPS = 4  # of a round
USERS, ITEMS, ROWS = 50_000, 37_000, 200_000  # Tenrec's, a hundredth
HEADS = {"like": {}, "rating": {}}
DRAWN = {"negatives": "drawn", "num_negatives": 1024, "negatives_power": 0.5}
RECIPES: dict[str, dict[str, Any]] = {
    "two towers, 1,024 drawn negatives, d 64": {
        "model": {"name": "two_tower", "embedding_dimension": 64},
        "sharing": {"name": "shared_bottom", "hidden_layers": [32]},
        "tasks": {"retrieval": DRAWN, **HEADS},
        "training": {"batch_size": 16_384, "optimizer": "rowwise_adagrad"},
    },
    "two towers in batch, d 128": {
        "model": {"name": "two_tower", "embedding_dimension": 128},
        "tasks": {"retrieval": {"negatives": "in_batch"}, **HEADS},
        "training": {"batch_size": 4_096},
    },
    "heads alone, mmoe of 4 x 256-128, d 64": {
        "model": {"name": "two_tower", "embedding_dimension": 64},
        "sharing": {"name": "mmoe", "experts": 4, "hidden_layers": [256, 128]},
        "tasks": HEADS,
        "training": {"batch_size": 4_096},
    },
    "gru4rec, 1,024 drawn negatives, d 64": {
        "model": {"name": "gru4rec", "embedding_dimension": 64, "session_length": 20},
        "tasks": {"retrieval": DRAWN},
        "training": {"batch_size": 2_048},
    },
    "lightgcn in batch, d 64": {
        "model": {"name": "lightgcn", "embedding_dimension": 64},
        "tasks": {"retrieval": {"negatives": "in_batch"}},
        "training": {"batch_size": 4_096},
    },
}
MOVIELENS = "config.yaml, MovieLens 100k"


def events() -> Interactions:
    """Random events; items have the popularity of a long tail."""
    generator = np.random.default_rng(0)
    stars = generator.integers(1, 6, ROWS).astype(np.float32)
    return Interactions(
        generator.integers(1, USERS + 1, ROWS, dtype=np.int32),
        (1 + ITEMS * generator.random(ROWS) ** 3).astype(np.int32),
        Entities(np.arange(1, USERS + 1), USERS),
        Entities(np.arange(1, ITEMS + 1), ITEMS),
        {"like": (stars >= 4).astype(np.float32), "rating": stars},
        timestamps=np.arange(ROWS, dtype=np.int64),
    )


def recipe(name: str) -> tuple[config.Config, Interactions]:
    if name != MOVIELENS:
        return config.parse(RECIPES[name]), events()
    from multitask_recommender.experiment import Experiment

    experiment = Experiment(config.load(pathlib.Path(ROOT / "config.yaml")))
    return experiment.config, experiment.data.train


def step_times(name: str, rounds: int) -> Times:
    """Of STEPS steps in each precision."""
    chosen, rows = recipe(name)
    with contextlib.ExitStack() as stack:
        runs = {}
        for precision in PRECISIONS:
            training = stack.enter_context(begun(chosen.with_training(precision=precision), rows))
            runs[precision] = _steps(training)
        return alternate(runs, rounds, time.process_time)


def _steps(training: Any) -> Callable[[], int]:
    run = training.rounds()

    def some() -> int:
        run(STEPS)
        return training.step  # read, so that they have been made

    return some


def xla_times(rounds: int, batch_size: int = 4_096, width: int = 192) -> Times:
    """Of a sharing block and its gradients, MMoE of 4 experts of 256 and 128 units."""
    import tensorflow as tf

    from multitask_recommender.layers.heads import PairShape
    from multitask_recommender.sharing import mmoe
    from multitask_recommender.sharing.settings.mmoe import Settings
    from multitask_recommender.tasks import binary

    tasks = {name: binary.Task(name, binary.Settings(), events()) for name in ("like",)}
    settings = Settings(experts=4, hidden_layers=[256, 128])
    block = mmoe.Sharing(settings, PairShape(width // 3, 0), tasks)
    pair = tf.random.stateless_normal([batch_size, width], [0, 1])
    block(pair)

    def gradients() -> tf.Tensor:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.nn.softplus(block(pair)["like"]))
        found = tape.gradient(loss, block.trainable_variables)
        return tf.add_n([tf.reduce_sum(each) for each in found])

    plain, compiled = (
        tf.function(gradients, autograph=False, jit_compile=jit) for jit in (False, True)
    )
    runs = {
        "as it is": lambda: [plain().numpy() for _ in range(STEPS)],
        "XLA": lambda: [compiled().numpy() for _ in range(STEPS)],
    }
    return alternate(runs, rounds, time.process_time)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=7, help=f"of {STEPS} steps each")
    parser.add_argument("--only", default="", help="recipes whose names hold this")
    arguments = parser.parse_args()
    table = []
    for name in (MOVIELENS, *RECIPES):
        if arguments.only not in name:
            continue
        times = step_times(name, arguments.rounds)
        ratios = [times.ratio(precision, "float32") for precision in PRECISIONS[1:]]
        record("precision", ratios[0], recipe=name)
        milliseconds = 1e3 * times.median("float32") / STEPS
        table.append([name, f"{milliseconds:.0f}", *(f"{ratio:.2f}" for ratio in ratios)])
    show("a step", ["recipe", "ms of float32", "x in bfloat16", "x in float16"], table)
    if not arguments.only:
        times = xla_times(arguments.rounds)
        row = [
            f"{1e3 * times.median('as it is') / STEPS:.0f}",
            f"{times.ratio('XLA', 'as it is'):.2f}",
        ]
        show("a sharing block and its gradients", ["", "ms", "x by XLA"], [["mmoe", *row]])


if __name__ == "__main__":
    main()
