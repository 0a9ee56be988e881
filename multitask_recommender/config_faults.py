"""Checks settings and says what is wrong with them: one line a fault, nothing left out."""

import json
import re
import typing
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

import pydantic

from multitask_recommender.config_file import shown
from multitask_recommender.errors import ConfigError, suggestion
from multitask_recommender.settings import Settings

S = TypeVar("S", bound=Settings)
Place = tuple[str | int, ...]  # the keys that lead to a value

_EXPECTED = {
    "int_type": "an integer",
    "float_type": "a number",
    "finite_number": "a finite number",
    "string_type": "text",
    "bool_type": "true or false",
    "none_required": "null",
    "list_type": "a list",
    "tuple_type": "a list",
    "set_type": "a list",
    "frozen_set_type": "a list",
    "dict_type": "a mapping (key: value)",
    "model_type": "a mapping (key: value)",
    "literal_error": "{expected}",
    "enum": "{expected}",
    "greater_than": "a number greater than {gt}",
    "greater_than_equal": "a number of at least {ge}",
    "less_than": "a number less than {lt}",
    "less_than_equal": "a number of at most {le}",
    "multiple_of": "a multiple of {multiple_of}",
    "too_short": "at least {min_length} of them",
    "too_long": "at most {max_length} of them",
    "string_too_short": "text of at least {min_length} characters",
    "string_too_long": "text of at most {max_length} characters",
    "string_pattern_mismatch": "text that matches {pattern}",
}


def checked(
    settings: type[S], values: Mapping[str, Any], where: str, also: Sequence[str] = ()
) -> S:
    """The settings in `values`, the mapping at the key path `where`.

    `also` names keys that stand in the same mapping without being settings of the class, for the
    list of what there is. Raises ConfigError with a line for every fault.
    """
    try:
        # As JSON: strict about types, yet a list may become a tuple and text a path.
        return settings.model_validate_json(json.dumps(values))
    except pydantic.ValidationError as error:
        faults: dict[Place, list[Any]] = {}
        for fault in error.errors(include_url=False):
            faults.setdefault(_place(fault, values), []).append(fault)
        raise ConfigError(
            "\n".join(
                _sentence(settings, (where, *place), of_place, also)
                for place, of_place in faults.items()
                if not any(other[: len(place)] == place != other for other in faults)
            )
        ) from error


def not_a_setting(path: str, hint: str, known: Iterable[str]) -> str:
    """The sentence for an unknown key: its full path, what may be meant, what there is."""
    here = f"Settings here: {', '.join(known)}." if known else "There are no settings here."
    return f"{path} is not a setting.{hint} {here}"


def _place(fault: Any, values: Any) -> Place:
    """Where a fault lies; without the names that pydantic gives to the branches of a union."""
    place: Place = ()
    for depth, part in enumerate(fault["loc"], start=1):
        if isinstance(values, dict) and part in values:
            values = values[part]
        elif isinstance(values, list) and isinstance(part, int) and part < len(values):
            values = values[part]
        elif not (fault["type"] == "missing" and depth == len(fault["loc"])):
            continue
        place += (part,)
    return place


def _sentence(
    settings: type[Settings], place: Place, faults: Sequence[Any], also: Sequence[str]
) -> str:
    """The faults found at one place: several, where each branch of a union finds its own."""
    path = ".".join(map(str, place))
    kind, value = faults[0]["type"], faults[0]["input"]
    if kind == "extra_forbidden":
        fields = _settings_at(settings, place[1:-1]).model_fields
        known = dict.fromkeys((*(also if len(place) == 2 else ()), *fields))
        return not_a_setting(path, suggestion(str(place[-1]), known), known)
    if kind == "missing":
        return f"{path} is missing: it has no default."
    if kind in ("value_error", "assertion_error"):
        found = "" if isinstance(value, dict) else f" is {shown(value)}"
        return f"{path}{found}: {str(faults[0]['ctx']['error']).rstrip('.')}."
    expected = " or ".join(dict.fromkeys(map(_expected, faults)))
    choices = re.findall(r"'([^']*)'", expected)
    hint = suggestion(value, choices) if isinstance(value, str) else ""
    return f"{path} is {shown(value)}, expected {expected}.{hint}"


def _expected(fault: Any) -> str:
    pattern = _EXPECTED.get(fault["type"])
    if pattern is None:
        return fault["msg"].removeprefix("Input should be ")
    return pattern.format(**fault.get("ctx", {}))


def _settings_at(settings: type[pydantic.BaseModel], place: Place) -> type[pydantic.BaseModel]:
    """The settings class of the mapping at a place within `settings`."""
    for part in place:
        field = settings.model_fields.get(str(part))  # else the key of a mapping of settings
        settings = (field and _settings_in(field.annotation)) or settings
    return settings


def _settings_in(annotation: Any) -> type[pydantic.BaseModel] | None:
    """The settings class within a type such as `dict[str, Columns] | None`."""
    if isinstance(annotation, type) and issubclass(annotation, pydantic.BaseModel):
        return annotation
    found = (_settings_in(argument) for argument in typing.get_args(annotation))
    return next(filter(None, found), None)
