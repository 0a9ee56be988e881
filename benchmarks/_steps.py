"""A training whose steps are made one call at a time, the way the product makes them."""

import contextlib
import pathlib
import tempfile
from collections.abc import Iterator
from typing import TYPE_CHECKING

from _timing import ROOT  # noqa: F401  (which puts the package in reach)

from multitask_recommender.config import Config
from multitask_recommender.interactions import Interactions

if TYPE_CHECKING:
    from multitask_recommender.training.loop import Training


@contextlib.contextmanager
def begun(config: Config, rows: Interactions) -> Iterator["Training"]:
    """The training of a config on these rows, by the devices that it names, before its first step.

    Its `rounds()` make steps, so many of them.
    """
    from multitask_recommender.assembly import build
    from multitask_recommender.training.checkpoints import Checkpoints
    from multitask_recommender.training.loop import Training
    from multitask_recommender.training.strategy import replicas

    settings = config.training
    devices = replicas(settings)
    with devices.scope():
        model = build(config, rows)
    batches = model.batches(rows, settings.batch_size, settings.seed, settings.batch_by)
    with tempfile.TemporaryDirectory() as folder:
        yield Training(model, batches, settings, Checkpoints(pathlib.Path(folder)), devices)
