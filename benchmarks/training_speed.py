"""Training speed of retrieval losses: `python benchmarks/training_speed.py [--rounds 7]`.

One model (towers of ids, d 64; like and rating through a shared bottom of 64 and 32 units), one
loop (steps inside the graph), one optimizer, the same batches of MovieLens 100k (or, without its
files, of made-up rows of that shape): only the retrieval task differs. The first two rows are
`tfrs.tasks.Retrieval` and ours with the same loss; that their losses and gradients agree is
checked first. "x TFRS" says how many times the examples per second of the first row.
"""

import argparse
import pathlib
import tempfile
from collections.abc import Callable
from typing import Any

from _timing import alternate, console, record, show

from multitask_recommender.config import parse
from multitask_recommender.interactions import Interactions

DIMENSION, BATCH_SIZE = 64, 4096
SAME_LOSS = {"negatives": "in_batch", "logq": False, "remove_accidental_hits": False}
TFRS, OURS = "tfrs.tasks.Retrieval", "in-batch softmax, the same loss"
# The retrieval task (None: no retrieval), and what a batch is made of.
OPTIONS: dict[str, tuple[dict[str, Any] | None, str]] = {
    TFRS: (SAME_LOSS, "row"),
    OURS: (SAME_LOSS, "row"),
    "in-batch softmax, logQ, hits removed": ({"negatives": "in_batch"}, "row"),
    "512 sampled negatives": ({"negatives": "sampled"}, "row"),
    "full softmax": ({"negatives": "full"}, "row"),
    "full softmax, whole users": ({"negatives": "full"}, "user"),
    "no retrieval": (None, "row"),
    "no retrieval, whole users": (None, "user"),
}
TOLERANCE = 1e-5  # of a loss, and of a gradient beside its largest component


def experiment_of(retrieval: dict[str, Any] | None):
    from multitask_recommender.experiment import Experiment

    config = parse(
        {
            "dataset": {"name": "movielens", "variant": "100k"},
            "model": {"name": "two_tower", "embedding_dimension": DIMENSION},
            "sharing": {"name": "shared_bottom", "hidden_layers": [64, 32]},
            "tasks": {"retrieval": retrieval, "like": {}, "rating": {}},
            "training": {"batch_size": BATCH_SIZE, "learning_rate": 0.05},
        }
    )
    return Experiment(config)


class TfrsRetrieval:
    """TFRS' task in the place of ours; its sum over the batch becomes a mean."""

    name, weight, predicts_label, negatives = "retrieval", 1.0, False, "in_batch"

    def __init__(self) -> None:
        import tensorflow as tf
        import tensorflow_recommenders as tfrs

        task = tfrs.tasks.Retrieval()
        # It branches on tensors, so it needs AutoGraph, which our loop does without.
        self._task = tf.function(lambda *vectors: task(*vectors, compute_metrics=False))

    def candidate_ids(self, features: dict[str, Any]) -> Any:
        import tensorflow as tf

        return tf.sort(tf.unique(features["item_id"]).y)

    def loss(self, representation: Any, features: dict[str, Any], ids: Any) -> Any:
        import tensorflow as tf

        queries = tf.gather(representation.queries, representation.query_rows)
        candidates = tf.gather(representation.candidates, representation.candidate_rows)
        total = self._task(queries, candidates)
        return total / tf.cast(tf.shape(queries)[0], tf.float32)


def build(name: str) -> tuple[Any, Interactions]:
    """The model of an option, and its training rows."""
    from multitask_recommender.experiment import build as build_model

    experiment = experiment_of(OPTIONS[name][0])
    rows = experiment.data.train_and_validation
    model = build_model(experiment.config, rows)
    if name == TFRS:
        model.retrieval = TfrsRetrieval()
    return model, rows


def check_same_loss() -> None:
    """Raises AssertionError unless TFRS and ours agree in the loss and every gradient."""
    import numpy as np
    import tensorflow as tf

    from multitask_recommender.batches import TrainingBatches

    found = {}
    for name in (TFRS, OURS):
        model, rows = build(name)
        features = next(iter(TrainingBatches(rows, BATCH_SIZE, seed=0).dataset()))
        with tf.GradientTape() as tape:
            losses, _ = model.task_losses(features, training=True)
        gradients = tape.gradient(losses["retrieval"], model.trainable_variables)
        arrays = [tf.convert_to_tensor(g).numpy() for g in gradients if g is not None]
        found[name] = float(losses["retrieval"]), arrays
    (loss, gradients), (our_loss, our_gradients) = found[TFRS], found[OURS]
    error = abs(our_loss / loss - 1)
    worst = max(
        float(np.abs(ours - theirs).max() / np.abs(theirs).max())
        for theirs, ours in zip(gradients, our_gradients, strict=True)
    )
    if not max(error, worst) <= TOLERANCE:
        raise AssertionError(f"The loss differs by {error:.1e}, a gradient by {worst:.1e}.")
    console.print(
        f"TFRS' loss {loss:.6f}, ours {our_loss:.6f}; {len(gradients)} gradients differ by at most "
        f"{worst:.1e} of their largest component",
        highlight=False,
    )


def epoch_of(name: str, folder: pathlib.Path) -> tuple[Callable[[], Any], Interactions]:
    """What trains one more epoch when called, and the rows of an epoch."""
    from multitask_recommender.batches import TrainingBatches
    from multitask_recommender.training.checkpoints import Checkpoints
    from multitask_recommender.training.loop import Training
    from multitask_recommender.training.settings import Settings

    model, rows = build(name)
    batches = TrainingBatches(rows, BATCH_SIZE, seed=0, by=OPTIONS[name][1])
    settings = Settings(batch_size=BATCH_SIZE, learning_rate=0.05)
    epochs = Training(model, batches, settings, Checkpoints(folder)).epochs(
        10**6, lambda steps: None
    )
    return lambda: next(epochs), rows


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=7, help="epochs of each option")
    rounds = parser.parse_args().rounds
    check_same_loss()
    with tempfile.TemporaryDirectory() as folder:
        runs = {name: epoch_of(name, pathlib.Path(folder)) for name in OPTIONS}
        rows = next(iter(runs.values()))[1]
        times = alternate({name: run for name, (run, _) in runs.items()}, rounds)
    for name in OPTIONS:
        record(f"training_speed/{name}", times.ratio(TFRS, name))
    show(
        f"{rows.source.name}: {len(rows):,} rows, batch {BATCH_SIZE}, d {DIMENSION}",
        ["retrieval", "examples/s", "x TFRS"],
        [
            [name, f"{len(rows) / times.median(name):,.0f}", f"{times.ratio(TFRS, name):.1f}"]
            for name in OPTIONS
        ],
    )


if __name__ == "__main__":
    main()
