"""Short work to compare commits by: `python _short.py NAME REPEATS`, processor seconds as JSON.

The package is that of PYTHONPATH, so that the same work is asked of either commit.
"""

import functools
import json
import pathlib
import sys
import tempfile
import time
from collections.abc import Callable

import numpy as np

Work = Callable[[], object]
_ROWS, _USERS, _ITEMS, _SIZE = 60_000, 2_000, 3_000, 64


def _experiment(**sections: object):
    from multitask_recommender.config import parse
    from multitask_recommender.experiment import Experiment

    dataset = {"name": "synthetic", "users": _USERS, "items": _ITEMS, "rows": _ROWS}
    values = {
        "dataset": dataset,
        "model": {"name": "two_tower", "embedding_dimension": _SIZE},
        "sharing": {"name": "shared_bottom", "hidden_layers": [64, 32]},
        "tasks": {"retrieval": {"negatives": "in_batch"}, "like": {}, "rating": {}},
        "training": {"batch_size": 4096},
        **sections,
    }
    return Experiment(parse(values))


def _training(**sections: object) -> Work:
    """An epoch."""
    from multitask_recommender.experiment import build
    from multitask_recommender.training.checkpoints import Checkpoints
    from multitask_recommender.training.loop import Training

    experiment = _experiment(**sections)
    settings, rows = experiment.config.training, experiment.data.train
    model = build(experiment.config, rows)
    batches = model.batches(rows, settings.batch_size, settings.seed, settings.batch_by)
    checkpoints = Checkpoints(pathlib.Path(_folder().name))
    epochs = Training(model, batches, settings, checkpoints).epochs(10**6, lambda steps: None)
    return lambda: next(epochs)


@functools.cache
def _folder() -> tempfile.TemporaryDirectory:
    """Kept, for it is taken away with what holds it: at the end of the process."""
    return tempfile.TemporaryDirectory(prefix="short-")


def training() -> Work:
    return _training()


def sessions() -> Work:
    return _training(model={"name": "gru4rec", "embedding_dimension": 32, "layers": [32]})


def graph() -> Work:
    return _training(model={"name": "lightgcn", "embedding_dimension": 32})


def batches() -> Work:
    """Rows of an epoch gathered, and nothing done with them."""
    from multitask_recommender.batches import TrainingBatches

    pipeline = TrainingBatches(_experiment().data.train, 4096, seed=0)
    found = iter(pipeline.dataset())
    return lambda: [next(found) for _ in range(4 * pipeline.steps_per_epoch)]


def evaluation() -> Work:
    """The protocol `full`, of random factors."""
    from multitask_recommender.evaluation import Evaluator, Settings

    data, generator = _experiment().data, np.random.default_rng(0)
    users, items = (generator.standard_normal((n, _SIZE), np.float32) for n in (_USERS + 1, _ITEMS))

    class Factors:
        def score_block(self, queries: dict[str, np.ndarray]) -> np.ndarray:
            return users[queries["user_id"]] @ items.T

        def rank(self, queries: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
            return {}

    evaluator, factors = Evaluator([data.train], data.test, Settings(protocols=["full"])), Factors()
    return lambda: evaluator(factors)


def search() -> Work:
    """The best 100 of 100,000 items by brute force, for 64 queries."""
    import tensorflow as tf

    from multitask_recommender.index import brute_force
    from multitask_recommender.index.settings.brute_force import Settings

    generator = np.random.default_rng(0)
    items, queries = (generator.standard_normal((n, _SIZE), np.float32) for n in (100_000, 64))
    index, none = brute_force.Index(Settings(), items), tf.zeros([64, 0], tf.int32)
    found = tf.function(lambda asked: index(asked, tf.constant(100), none))
    return lambda: found(tf.constant(queries))[1].numpy()


NAMES = [each.__name__ for each in (training, sessions, graph, batches, evaluation, search)]


def main() -> None:
    name, repeats = sys.argv[1], int(sys.argv[2])
    run = globals()[name]()
    run()  # traces
    seconds = []
    for _ in range(repeats):
        started = time.process_time()
        run()
        seconds.append(time.process_time() - started)
    print(json.dumps(seconds))


if __name__ == "__main__":
    main()
