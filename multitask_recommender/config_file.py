"""A config as it is written: YAML, dotted overrides and the flat file, brought to one mapping.

Everything is made of what JSON knows (mappings with text keys, lists, text, numbers, true, false,
null), so that it means the same from a file, from the command line and from Python.
"""

import copy
import json
import pathlib
import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from multitask_recommender.errors import ConfigError

# A file of these keys alone is a whole config, and each stands for the setting beside it.
FLAT = {
    "embedding_dimension": "model.embedding_dimension",
    "rating_weight": "tasks.rating.weight",
    "retrieval_weight": "tasks.retrieval.weight",
    "learning_rate": "training.learning_rate",
    "epochs": "training.epochs",
    "batch_size": "training.batch_size",
}
# What a run adds to its config: what it was made of. Read over when the config is loaded again.
RECORD = "record"
_FLAT_TASKS = ("retrieval", "rating")
_NAMES = ("evaluation", "baselines")  # may be a list of names, each with no settings of its own


class _Loader(yaml.SafeLoader):
    """Plain YAML, in which a repeated key is an error and `1e-3` a number."""

    def compose_mapping_node(self, anchor: str | None) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        seen = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                problem = f"the key '{key.value}' is given twice"
                raise yaml.composer.ComposerError(None, None, problem, key.start_mark)
            seen.add(key.value if isinstance(key, yaml.ScalarNode) else id(key))
        return node


class _Dumper(yaml.SafeDumper):
    """Quotes what `_Loader` would take for a number."""


for _class in (_Loader, _Dumper):
    # PyYAML keeps to YAML 1.1, where a float needs a dot and a signed exponent.
    _class.add_implicit_resolver(
        "tag:yaml.org,2002:float",
        re.compile(r"[-+]?(\d[\d_]*\.?[\d_]*|\.\d[\d_]*)[eE][-+]?\d+$"),
        list("-+.0123456789"),
    )


def _text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    """In quotes, with escapes, where it holds what YAML takes for the end of a line."""
    style = '"' if any(letter in text for letter in "\x85\u2028\u2029") else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def read(path: pathlib.Path) -> dict[str, Any]:
    """The mapping in a YAML file; an empty file is an empty mapping."""
    try:
        text = path.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"The config file {path} cannot be read: {error.strerror}. Name one with --config."
        ) from error
    values = _parse(text, str(path))
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise ConfigError(
            f"{path} holds {shown(values)}, expected sections such as `model: two_tower`."
        )
    return values


def write(values: Mapping[str, Any]) -> str:
    """The mapping as YAML that `read` reads back equal."""
    return yaml.dump(dict(values), Dumper=_Dumper, sort_keys=False, allow_unicode=True)


def shown(value: Any) -> str:
    """A value as an error prints it: on one line, text in quotes, not too long."""
    text = repr(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else f"{text[:77]}..."


def override(values: Mapping[str, Any], overrides: Sequence[str]) -> dict[str, Any]:
    """The mapping with `training.epochs=5` and the like set; each value is read as YAML."""
    changed = copy.deepcopy(dict(values))
    faults = []
    for text in overrides:
        key, equals, value = text.partition("=")
        key = FLAT.get(key, key)
        try:
            if not equals or not all(key.split(".")):
                raise ConfigError(f"{text!r} is not key=value, such as training.epochs=5.")
            _set(changed, key.split("."), value_of(key, value))
        except ConfigError as error:
            faults.append(str(error))
    if faults:
        raise ConfigError("\n".join(faults))
    return changed


def expand_flat(values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Moves the flat keys to their sections; says under which flat key a setting was written.

    Flat keys may stand beside sections, but not say again what a section says. Without a section
    of tasks they stand for retrieval and rating.
    """
    flat = [key for key in values if key in FLAT]
    expanded = copy.deepcopy({key: value for key, value in values.items() if key not in FLAT})
    if not flat:
        return expanded, {}
    faults = []
    for key in flat:
        *parents, last = FLAT[key].split(".")
        if _is_given(expanded, parents, last):
            faults.append(f"{key} and {FLAT[key]} are both given: keep one of them.")
    if faults:
        raise ConfigError("\n".join(faults))
    expanded.setdefault("tasks", {task: {} for task in _FLAT_TASKS})
    for key in flat:
        _set(expanded, FLAT[key].split("."), values[key])
    return expanded, {FLAT[key]: key for key in flat}


def value_of(key: str, text: str) -> Any:
    """What is written after `key=`, read as YAML."""
    return _parse(text, f"The value of {key}")


def _parse(text: str | bytes, where: str) -> Any:
    try:
        values = yaml.load(text, Loader=_Loader)
        # Dates become text, keys too; a mapping that holds itself is a ValueError.
        return json.loads(json.dumps(values, default=str))
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise ConfigError(f"{where}{line}: {error.problem or error.context}.") from error
    except yaml.reader.ReaderError as error:
        raise ConfigError(f"{where} is not text in UTF-8: {error.reason}.") from error
    except (ValueError, TypeError, RecursionError) as error:
        raise ConfigError(f"{where} cannot be used as a config: {error}.") from error


def _set(values: dict[str, Any], path: Sequence[str], value: Any) -> None:
    """Sets values[path[0]][path[1]]... in place, making the mappings on the way."""
    for depth, part in enumerate(path[:-1], start=1):
        child = values.get(part)
        if child is None:
            child = {}
        elif isinstance(child, str) and depth == 1:
            child = {"name": child}  # `model: two_tower`
        elif isinstance(child, str) and depth == 2 and path[0] == "tasks":
            child = {"kind": child}  # `share: binary`
        elif isinstance(child, list) and tuple(path[:depth]) == _NAMES:
            child = {name: {} for name in child if isinstance(name, str)}  # `[ials, ease]`
        elif not isinstance(child, dict):
            raise ConfigError(
                f"{'.'.join(path)} cannot be set: {'.'.join(path[:depth])} is {shown(child)}, "
                "which has no keys."
            )
        values[part] = child
        values = child
    values[path[-1]] = value


def _is_given(values: Mapping[str, Any], parents: Sequence[str], last: str) -> bool:
    for depth, part in enumerate(parents, start=1):
        if part not in values:
            return False
        if values[part] is None:
            return depth == 2  # an empty section says nothing; `rating: null` takes a task away
        if not isinstance(values[part], dict):
            return False  # a bare name, or a fault that is found later
        values = values[part]
    return last in values
