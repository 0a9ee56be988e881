"""The base of every settings class: strict, frozen, and free of TensorFlow.

Settings are read before TensorFlow is imported, so that help and config errors answer at once.
"""

from typing import Any

import pydantic


class Settings(pydantic.BaseModel):
    """Unknown keys and wrong types are errors; `3` is a float, `"3"` and `True` are not."""

    model_config = pydantic.ConfigDict(extra="forbid", strict=True, frozen=True)

<<<<<<< HEAD
    def check_data(self, train: Any, where: str) -> None:
        """Raises ConfigError where the settings at `where` ask for what the data does not have."""
=======
    def conflicts(self, config: Any) -> list[str]:
        """What in the whole config these settings cannot go with, a sentence each."""
        return []
>>>>>>> config
