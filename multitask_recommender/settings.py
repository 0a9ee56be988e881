"""The base of every settings class: strict, frozen, and free of TensorFlow.

Settings are read before TensorFlow is imported, so that help and config errors answer at once.
"""

from collections.abc import Collection, Mapping
from typing import Any

import pydantic


class Settings(pydantic.BaseModel):
    """Unknown keys and wrong types are errors; `3` is a float, `"3"` and `True` are not."""

    model_config = pydantic.ConfigDict(
        extra="forbid", strict=True, frozen=True, allow_inf_nan=False
    )

    def conflicts(self, config: Any) -> list[str]:
        """What in the whole config these settings cannot go with, a sentence each."""
        return []

    def missing_from(self, train: Any, where: str) -> list[str]:
        """What these settings, at the key `where`, ask for and the data lacks, a sentence each."""
        return []

    def inputs_read(self) -> Mapping[str, Collection[str]]:
        """Of a model: the names that it reads of each `user`, `item` and `context`, for traps.py.

        Names that are no features, such as `id`, may be among them.
        """
        return {}

    def columns_held(self) -> Mapping[str, Mapping[str, int]]:
        """Of a dataset: what each of its rows has beside its ids, where that is known unread.

        Bytes of `labels`, of `context` (numbers) and of `timestamps`, by the names of columns; for
        planning/shape.py.
        """
        return {}
