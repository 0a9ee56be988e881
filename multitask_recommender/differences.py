"""What differs between two mappings of settings, by dotted key: for errors and comparisons."""

from collections.abc import Mapping
from typing import Any

_MOST = 8  # differences that an error lists


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """`{"model": {"name": "fm"}}` as `{"model.name": "fm"}`; lists stay whole."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            found |= flat(value, f"{prefix}{key}.")
        else:
            found[f"{prefix}{key}"] = value
    return found


def between(there: Mapping[str, Any], here: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """By dotted key, what each of two mappings says, where they do not say the same."""
    first, second = flat(there), flat(here)
    keys = dict.fromkeys((*first, *second))
    said = {key: (_said(first, key), _said(second, key)) for key in keys}
    return {key: (one, other) for key, (one, other) in said.items() if one != other}


def told(there: Mapping[str, Any], here: Mapping[str, Any]) -> str:
    """The differences as a clause: `training.epochs is 3 there and 5 here, ...`; '' for none."""
    found = between(there, here)
    parts = [f"{key} is {one} there and {other} here" for key, (one, other) in found.items()]
    more = f", and {len(parts) - _MOST} more" if len(parts) > _MOST else ""
    return ", ".join(parts[:_MOST]) + more


def _said(values: Mapping[str, Any], key: str) -> str:
    return repr(values[key]) if key in values else "not set"
