"""Which way a metric is better, declared where it is defined: early stopping goes by it.

A metric that declares nothing only describes (how popular, how unequal): it can choose no epoch.
"""

from collections.abc import Callable
from typing import Any, Literal, TypeVar

Metric = TypeVar("Metric", bound=Callable[..., Any])
Direction = Literal["higher", "lower"]

HIGHER: Direction = "higher"
LOWER: Direction = "lower"


def higher_is_better(metric: Metric) -> Metric:
    metric.better = HIGHER
    return metric


def lower_is_better(metric: Metric) -> Metric:
    metric.better = LOWER
    return metric


def direction(metric: Callable[..., Any]) -> Direction | None:
    """What a metric has declared, None if nothing."""
    return getattr(metric, "better", None)
