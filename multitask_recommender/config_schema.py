"""The JSON schema of the config, for editors: every option of every folder with its settings.

`python -m multitask_recommender schema > config.schema.json` writes it anew.
"""

from collections.abc import Mapping
from typing import Any

from pydantic.json_schema import models_json_schema

from multitask_recommender import config, config_choices, config_file, registry
from multitask_recommender.settings import Settings

Json = dict[str, Any]
_DOTTED = {"type": "string", "pattern": r"\."}  # a module of the user's own


def schema() -> Json:
    """The schema of a config file, draft 7."""
    folders = *config.FOLDERS.values(), "tasks", *config.CHOICES.values()
    options = {folder: _options(folder) for folder in folders}
    classes = {*config.CLASSES.values()}.union(*(found.values() for found in options.values()))
    ordered = sorted(classes, key=lambda settings_class: settings_class.__module__)
    found, definitions = models_json_schema([(each, "validation") for each in ordered])
    refs = {each: found[each, "validation"] for each in ordered}

    properties: Json = {}
    for section in config.DEFAULTS:
        if section in config.CLASSES:
            properties[section] = refs[config.CLASSES[section]]
        elif section in config.FOLDERS:
            chosen = _refs(options[config.FOLDERS[section]], refs, definitions, "name")
            properties[section] = _choice(chosen, "name", config.DEFAULTS[section]["name"])
        else:
            kinds = _refs(options["tasks"], refs, definitions, "kind")
            definitions["$defs"] |= _task_definitions(kinds)
            properties[section] = _tasks()
    evaluation = _definition(definitions, refs[config.CLASSES["evaluation"]])
    evaluation["properties"][config_choices.BASELINES] = _baselines(
        options[config_choices.BASELINES], refs
    )
    export = _definition(definitions, refs[config.CLASSES["export"]])
    indexes = _refs(options[config_choices.INDEX], refs, definitions, "name")
    export["properties"][config_choices.INDEX] = _choice(indexes, "name", "brute_force")
    for key, place in config_file.FLAT.items():
        properties[key] = {"type": "number", "description": f"Short for {place}."}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Config of multitask_recommender",
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
        "$defs": definitions["$defs"],
    }


def _options(folder: str) -> dict[str, type[Settings]]:
    return {name: registry.settings_class(folder, name) for name in registry.names(folder)}


def _refs(
    options: Mapping[str, type[Settings]],
    refs: Mapping[type[Settings], Json],
    definitions: Json,
    key: str,
) -> dict[str, Json]:
    """The reference to each option's schema, in which the key that chose it may stand too."""
    chosen = {name: refs[settings_class] for name, settings_class in options.items()}
    for reference in chosen.values():
        _definition(definitions, reference).setdefault("properties", {}).setdefault(key, {})
    return chosen


def _definition(definitions: Json, reference: Json) -> Json:
    return definitions["$defs"][reference["$ref"].rpartition("/")[2]]


def _baselines(options: Mapping[str, type[Settings]], refs: Mapping[type[Settings], Json]) -> Json:
    """A list of names, or settings by name; null takes one away."""
    named = {name: {"anyOf": [{"type": "null"}, refs[each]]} for name, each in options.items()}
    return {
        "description": "What stands in the table beside the model, popularity and random.",
        "anyOf": [
            {"type": "null"},
            {"type": "array", "items": {"anyOf": [{"enum": list(options)}, _DOTTED]}},
            {
                "type": "object",
                "properties": named,
                "patternProperties": {_DOTTED["pattern"]: {"type": ["object", "null"]}},
                "additionalProperties": False,
            },
        ],
    }


def _tasks() -> Json:
    named = {name: {"$ref": f"#/$defs/task_{kind}"} for name, kind in config_choices.KINDS.items()}
    return {
        "type": "object",
        "properties": named,
        "additionalProperties": {"$ref": "#/$defs/task"},
    }


def _task_definitions(kinds: Mapping[str, Json]) -> dict[str, Json]:
    """A task that must say its kind, and for each kind one that need not; null takes it away."""
    defaults = {"task": None, **{f"task_{kind}": kind for kind in config_choices.KINDS.values()}}
    return {
        name: {"anyOf": [{"type": "null"}, _choice(kinds, "kind", default)]}
        for name, default in defaults.items()
    }


def _choice(options: Mapping[str, Json], key: str, default: str | None) -> Json:
    """A bare name, or a mapping whose `key` (`default`, where it has none) says which settings."""
    name: Json = {"anyOf": [{"enum": list(options)}, _DOTTED]}
    mapping = {
        "type": "object",
        "properties": {key: name},
        "required": [] if default else [key],
        "allOf": [
            {
                "if": {
                    "properties": {key: {"const": option}},
                    "required": [] if option == default else [key],
                },
                "then": reference,
            }
            for option, reference in options.items()
        ],
    }
    return {"if": {"type": "string"}, "then": name, "else": mapping}
