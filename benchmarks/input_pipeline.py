"""Speed of the input pipeline: `python benchmarks/input_pipeline.py [--rounds 7] [--processor]`.

Times, on MovieLens 100k (or, without its files, on made-up rows of that shape), an epoch of
batches that nothing is done with, an epoch of training steps on one batch held fast, and an epoch
of training as it is. The pipeline is to be at least 5 times as fast as the step that it feeds
("step / pipeline"), so that it is never the bottleneck. Two jobs: batches of rows feeding
the cheapest step there is with a retrieval task, and whole users feeding the job of config.yaml.

And on 20 million rows of two ids and two labels, batches of 16,384 shuffled ones, beside numpy
gathering the same columns at positions that were drawn before the clock began.
"""

import argparse
import pathlib
import tempfile
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from _timing import ROOT, alternate, show

from multitask_recommender.config import Config, load, parse

LONG_ROWS, LONG_BATCH, LONG_STEPS = 20_000_000, 16_384, 60
PIPELINE, STEP, TRAINING = "pipeline alone", "step alone", "training"


def jobs() -> dict[str, Config]:
    small = {
        "model": {"name": "two_tower", "embedding_dimension": 64},
        "sharing": {"name": "shared_bottom", "hidden_layers": [64, 32]},
        "tasks": {"retrieval": {"negatives": "in_batch"}, "like": {}, "rating": {}},
    }
    return {
        "rows, towers of ids, in-batch softmax": parse(small),
        "whole users, config.yaml": load(ROOT / "config.yaml"),
    }


def contenders(config: Config, folder: pathlib.Path) -> tuple[dict[str, Callable[[], Any]], int]:
    """The three contenders, an epoch a call, and how many rows an epoch has."""
    import tensorflow as tf

    from multitask_recommender.batches import TrainingBatches
    from multitask_recommender.experiment import Experiment, build
    from multitask_recommender.training.checkpoints import Checkpoints
    from multitask_recommender.training.loop import Training

    experiment = Experiment(config)
    settings, rows = config.training, experiment.data.train_and_validation
    batches = TrainingBatches(rows, settings.batch_size, 0, settings.batch_by)
    model = build(config, rows)
    epochs = Training(model, batches, settings, Checkpoints(folder)).epochs(
        10**6, lambda steps: None
    )
    iterator = iter(batches.dataset())
    number = tf.constant(batches.steps_per_epoch)

    pull = _puller(number)

    @tf.function(autograph=False)
    def step(features: dict[str, tf.Tensor]) -> None:
        def body(done: tf.Tensor) -> tuple[tf.Tensor]:
            model.train_step(features)
            return (done + 1,)

        tf.while_loop(lambda done: done < number, body, [0], parallel_iterations=1)

    held = next(iterator)
    runs = {
        PIPELINE: lambda: pull(iterator).numpy(),
        STEP: lambda: step(held),
        TRAINING: lambda: next(epochs),
    }
    return runs, len(rows)


def _puller(number: Any) -> Callable[[Any], Any]:
    """What takes so many batches of an iterator, and does nothing with them."""
    import tensorflow as tf

    @tf.function
    def pull(iterator: Any) -> tf.Tensor:
        total = 0.0
        for _ in tf.range(number):
            # Something of each column, so that none is optimised away.
            total += tf.add_n([tf.cast(column[0], tf.float32) for column in _columns(iterator)])
        return total

    return pull


def gathers() -> dict[str, Callable[[], Any]]:
    """The pipeline over long columns, and numpy's bare gather of them."""
    import tensorflow as tf

    from multitask_recommender.batches import TrainingBatches
    from multitask_recommender.interactions import Entities, Interactions

    generator = np.random.default_rng(0)
    table = Entities(np.arange(1, 1_000_001), 1_000_000)
    users, items = generator.integers(1, 1_000_001, (2, LONG_ROWS), dtype=np.int32)
    labels = {
        label: (generator.random(LONG_ROWS, np.float32) < 0.2).astype(np.uint8)
        for label in ("click", "like")
    }
    rows = Interactions(users, items, table, table, labels).take(np.arange(LONG_ROWS))
    columns = [rows.user_ids, rows.item_ids, *rows.labels.values()]
    iterator = iter(TrainingBatches(rows, LONG_BATCH, 0).dataset())
    pull = _puller(tf.constant(LONG_STEPS))
    drawn = [generator.integers(0, LONG_ROWS, LONG_BATCH) for _ in range(LONG_STEPS)]
    return {
        PIPELINE: lambda: pull(iterator).numpy(),
        "numpy's gather": lambda: [[column[each] for column in columns] for each in drawn],
    }


def _columns(iterator: Any) -> list[Any]:
    return list(next(iterator).values())


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=7, help="epochs of each contender")
    parser.add_argument(
        "--processor", action="store_true", help="its seconds, not the clock's: beside other work"
    )
    arguments = parser.parse_args()
    clock = time.process_time if arguments.processor else time.perf_counter
    for title, config in jobs().items():
        with tempfile.TemporaryDirectory() as folder:
            runs, num_rows = contenders(config, pathlib.Path(folder))
            times = alternate(runs, arguments.rounds, clock)
        times.record(f"input_pipeline/{title}", PIPELINE)
        show(
            f"{title}; batches of about {config.training.batch_size} rows",
            ["", "examples/s", "step / pipeline"],
            [
                [
                    name,
                    f"{num_rows / times.median(name):,.0f}",
                    f"{times.ratio(STEP, PIPELINE):.1f}" if name == PIPELINE else "",
                ]
                for name in runs
            ],
        )
    times = alternate(gathers(), arguments.rounds, clock)
    times.record("input_pipeline/long columns", PIPELINE)
    number = LONG_STEPS * LONG_BATCH
    names = (PIPELINE, "numpy's gather")
    show(
        f"{LONG_ROWS:,} rows of two ids and two labels, batches of {LONG_BATCH:,}",
        ["", "examples/s", "x numpy"],
        [
            [name, f"{number / times.median(name):,.0f}", f"{times.ratio(names[1], name):.2f}"]
            for name in names
        ],
    )


if __name__ == "__main__":
    main()
