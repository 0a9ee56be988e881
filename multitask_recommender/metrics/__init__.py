"""Metrics: pure functions of numpy arrays, without models or frameworks."""

import inspect
import types

import numpy as np

from multitask_recommender.errors import ConfigError


def names(module: types.ModuleType) -> list[str]:
    """The metrics of a file: its own public functions."""
    return sorted(
        name
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__ and not name.startswith("_")
    )


def resolve(module: types.ModuleType, metric: str) -> tuple[types.FunctionType, float]:
    """The function and the cut-off of `recall@100`; the cut-off of `mrr` is infinite.

    Raises ConfigError where the file has no such metric.
    """
    name, at, cutoff = metric.partition("@")
    if name not in names(module) or (at and not (cutoff.isdecimal() and int(cutoff) > 0)):
        raise ConfigError(
            f"{metric} is not a metric. Metrics here: {', '.join(names(module))}; a cut-off "
            "follows as in recall@20."
        )
    return getattr(module, name), int(cutoff) if at else np.inf
