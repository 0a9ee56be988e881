"""What is varied: `key=a,b,c` lists values, `key=low..high` and `key=low..high:log` a range."""

import dataclasses
import re
from collections.abc import Sequence
from typing import Any

from multitask_recommender import config_file
from multitask_recommender.config_file import shown
from multitask_recommender.errors import ConfigError

_NUMBER = r"[-+]?(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_RANGE = re.compile(rf"({_NUMBER})\.\.({_NUMBER})(:log)?")
_OPENING, _CLOSING, _QUOTES = "[{", "]}", "\"'"


@dataclasses.dataclass(frozen=True)
class Choices:
    """Values of a key, each as it is written: YAML."""

    key: str
    texts: tuple[str, ...]

    def __str__(self) -> str:
        return ",".join(self.texts)

    def checked_texts(self) -> tuple[str, ...]:
        """The values that are checked before anything is trained."""
        return self.texts

    def suggest(self, trial: Any) -> Any:
        """The parameter that a trial of Optuna tries."""
        return trial.suggest_categorical(self.key, list(self.texts))

    def text(self, parameter: Any) -> str:
        """A parameter as a value is written."""
        return parameter

    def parameter(self, value: Any) -> Any:
        """By what Optuna knows a value of the key; None for one that cannot be tried."""
        texts = (text for text in self.texts if config_file.value_of(self.key, text) == value)
        return next(texts, None)


@dataclasses.dataclass(frozen=True)
class Range:
    """The numbers from low to high, both included: integers where both are."""

    key: str
    low: int | float
    high: int | float
    is_log: bool

    def __str__(self) -> str:
        return f"{self.low!r}..{self.high!r}" + (":log" if self.is_log else "")

    def checked_texts(self) -> tuple[str, ...]:
        return repr(self.low), repr(self.high)

    def suggest(self, trial: Any) -> Any:
        suggest = trial.suggest_int if isinstance(self.low, int) else trial.suggest_float
        return suggest(self.key, self.low, self.high, log=self.is_log)

    def text(self, parameter: Any) -> str:
        return repr(parameter)

    def parameter(self, value: Any) -> Any:
        kinds = int if isinstance(self.low, int) else (int, float)
        is_number = isinstance(value, kinds) and not isinstance(value, bool)
        return value if is_number and self.low <= value <= self.high else None


Axis = Choices | Range


def read(arguments: Sequence[str]) -> tuple[list[str], list[Axis]]:
    """The plain overrides `key=value` among arguments, and what is varied.

    Raises ConfigError with a line for every fault.
    """
    overrides, axes, faults = [], [], []
    for argument in arguments:
        try:
            axis = _axis(argument)
        except ConfigError as error:
            faults.append(str(error))
            continue
        if axis is None:
            overrides.append(argument)
        else:
            axes.append(axis)
    keys = [axis.key for axis in axes]
    faults += [f"{key} is varied twice." for key in dict.fromkeys(keys) if keys.count(key) > 1]
    if faults:
        raise ConfigError("\n".join(faults))
    return overrides, axes


def _axis(argument: str) -> Axis | None:
    """None for a plain override, and for what is none: the config says so."""
    key, _, text = argument.partition("=")
    key = config_file.FLAT.get(key, key)
    found = _RANGE.fullmatch(text)
    if found:
        return _range(key, text, *found.groups())
    texts = tuple(split_values(text))
    if len(texts) < 2:
        return None
    values = []
    for each in texts:
        if not each:
            raise ConfigError(f"{key} is {shown(text)}, of which a value is empty.")
        value = config_file.value_of(key, each)
        if value in values:
            raise ConfigError(f"{key} is {shown(text)}, of which {each} is given twice.")
        values.append(value)
    return Choices(key, texts)


def _range(key: str, text: str, low_text: str, high_text: str, log: str | None) -> Range:
    low, high = (config_file.value_of(key, end) for end in (low_text, high_text))
    if not (isinstance(low, int) and isinstance(high, int)):
        low, high = float(low), float(high)
    if low >= high:
        raise ConfigError(
            f"{key} is {shown(text)}, expected a range low..high with low below high."
        )
    if log and low <= 0:
        raise ConfigError(f"{key} is {shown(text)}, but a log scale begins above 0.")
    return Range(key, low, high, log is not None)


def split_values(text: str) -> list[str]:
    """Splits at the commas that stand in no brackets and no quotes."""
    parts, depth, quote = [""], 0, ""
    for character in text:
        if quote:
            quote = "" if character == quote else quote
        elif character in _QUOTES:
            quote = character
        elif character in _OPENING:
            depth += 1
        elif character in _CLOSING:
            depth -= 1
        if character == "," and not depth and not quote:
            parts.append("")
        else:
            parts[-1] += character
    return [part.strip() for part in parts]
