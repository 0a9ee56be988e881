"""What arithmetic costs a step: `python benchmarks/compute.py [--rounds 7] [--only gru4rec]`.

Processor seconds of a training step by training.precision, beside float32: of the default config on
MovieLens 100k (without its files, on made-up rows of that shape), and of recipes of other shapes on
random events. Then a step on one batch compiled by XLA beside one that is not, or what XLA refuses
to compile; in training it would compile anew wherever a batch has a number of ids of its own.

Run it on one core (`taskset -c 0`), where a processor second is one of the step's. float16 is for
GPUs: here it says what it costs to try it out.
"""

import argparse
import contextlib
import pathlib
import re
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from _steps import begun
from _timing import ROOT, Times, alternate, console, record, show

from multitask_recommender import config
from multitask_recommender.interactions import Entities, Interactions

PRECISIONS = ("float32", "bfloat16", "float16")
STEPS = 2  # of a round
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


def by_xla(name: str, rounds: int) -> list[str]:
    """Milliseconds of a step, and how many times as long it takes compiled."""
    import tensorflow as tf

    chosen, rows = recipe(name)
    with begun(chosen, rows) as training:
        model, settings = training.model, chosen.training
        batches = model.batches(rows, settings.batch_size, settings.seed, settings.batch_by)
        features = batches.batch(0)
        runs = {}
        for compiled in (False, True):
            step = tf.function(model.learn, autograph=False, jit_compile=compiled)
            runs["XLA" if compiled else "plain"] = lambda step=step: [
                step(features) for _ in range(STEPS)
            ]
        try:
            times = alternate(runs, rounds, time.process_time)
        except (tf.errors.InvalidArgumentError, tf.errors.UnimplementedError) as error:
            named = re.search(r"with op (\w+)|No registered '(\w+)'", error.message)
            reason = named[1] or named[2] if named else error.message.partition(".")[0]
            return ["-", f"refused: {reason}"]
    return [f"{1e3 * times.median('plain') / STEPS:.0f}", f"{times.ratio('XLA', 'plain'):.2f}"]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=7, help=f"of {STEPS} steps each")
    parser.add_argument("--only", default="", help="recipes whose names hold this")
    arguments = parser.parse_args()
    names = [name for name in (MOVIELENS, *RECIPES) if arguments.only in name]
    precisions, compiled = [], []
    for name in names:
        times = step_times(name, arguments.rounds)
        ratios = [times.ratio(precision, "float32") for precision in PRECISIONS[1:]]
        record("precision", ratios[0], recipe=name)
        milliseconds = 1e3 * times.median("float32") / STEPS
        precisions.append([name, f"{milliseconds:.0f}", *(f"{ratio:.2f}" for ratio in ratios)])
        console.print("precision:", *precisions[-1], sep="  ")
    for name in names:
        compiled.append([name, *by_xla(name, arguments.rounds)])
        console.print("XLA:", *compiled[-1], sep="  ")
    show("a step", ["recipe", "ms of float32", "x in bfloat16", "x in float16"], precisions)
    show("a step on one batch", ["recipe", "ms", "x by XLA"], compiled)


if __name__ == "__main__":
    main()
