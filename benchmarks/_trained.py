"""A model of an experiment, trained without a run folder, a search or a progress bar."""

import pathlib
import tempfile
import time
from typing import Any

from multitask_recommender.experiment import Experiment, build
from multitask_recommender.interactions import Interactions


def trained(experiment: Experiment, rows: Interactions) -> tuple[Any, float]:
    """The model after the epochs of its config on these rows, and the seconds they took."""
    from multitask_recommender.training.checkpoints import Checkpoints
    from multitask_recommender.training.loop import Training

    settings = experiment.config.training
    model = build(experiment.config, rows)
    batches = model.batches(rows, settings.batch_size, settings.seed, settings.batch_by)
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        for _ in Training(model, batches, settings, Checkpoints(pathlib.Path(folder))).epochs(
            settings.epochs, lambda steps: None
        ):
            pass
    return model, time.perf_counter() - started
