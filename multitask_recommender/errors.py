"""Errors that are the user's to mend: shown as one line, never as a traceback."""

import difflib
import re
from collections.abc import Iterable

_OPERATION = re.compile(r"^\{\{.*?\}\} | \[Op:\w+\]$")  # of TensorFlow, before and behind a message


class ConfigError(Exception):
    """Wrong usage or settings: exit status 2, nothing written."""


class ConflictError(ConfigError):
    """Settings that are right each by itself and do not go together."""


class DataError(Exception):
    """Data that cannot be used as it is: names file, line and value; exit status 1."""


class RunError(Exception):
    """A run that cannot start, go on or be read: exit status 1."""


def suggestion(word: str, known: Iterable[str]) -> str:
    """` Did you mean 'x'?`, or nothing where no known word is near."""
    near = difflib.get_close_matches(word, list(known), n=1)
    return f" Did you mean '{near[0]}'?" if near else ""


def said_by_tensorflow(message: str) -> str:
    """The first line of an error's message, without the operation that ran into it."""
    return _OPERATION.sub("", message.partition("\n")[0])
