"""Data read as a run reads them, and what that takes."""

import pathlib
import re

from multitask_recommender.config import Config
from multitask_recommender.experiment import Experiment
from multitask_recommender.planning import shape
from multitask_recommender.planning.shape import DataShape


def read(config: Config) -> DataShape:
    """The shape of a config's data, with the memory that reading them has left taken."""
    before = resident_bytes()
    experiment = Experiment(config)
    learnt = experiment.learnt_rows  # where there is a refit, made now
    taken = resident_bytes() - before
    return shape.of(experiment.data, config, learnt, max(0, taken))


def resident_bytes() -> int:
    """Memory of this process, mapped files included."""
    status = pathlib.Path("/proc/self/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) * 1024
