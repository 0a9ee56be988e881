"""The plan that is asked for: of data that are read, or of numbers."""

from collections.abc import Sequence

from multitask_recommender.config import Config
from multitask_recommender.errors import ConfigError
from multitask_recommender.planning import measured, shape
from multitask_recommender.planning.estimate import Plan, plan


def of(config: Config, numbers: Sequence[int | None] = (), features: Sequence[str] = ()) -> Plan:
    """Of a config with its data, which are read; or with so many users, items and rows instead.

    features: with numbers, see shape.given. Raises ConfigError where the numbers are incomplete, or
    where the data lack what the config asks for.
    """
    if not any(number is not None for number in (*numbers, *features)):
        return plan(config, measured.read(config))
    if None in numbers or min(numbers, default=0) < 1:
        raise ConfigError(
            f"users, items and rows are {', '.join(map(str, numbers))}: give all three, 1 or more "
            "of each, or none of them (and no feature) to read the data."
        )
    return plan(config, shape.given(config, tuple(numbers), features))
