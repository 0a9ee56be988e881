"""The whole config, typed and strict: which option stands on each axis, and its settings.

Nothing here imports TensorFlow: a wrong key is answered at once.
"""

import dataclasses
import difflib
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from multitask_recommender import config_file, evaluation, registry, splits
from multitask_recommender.config_faults import checked, not_a_setting
from multitask_recommender.config_file import RECORD, shown
from multitask_recommender.errors import ConfigError, suggestion
from multitask_recommender.settings import Settings
from multitask_recommender.training import settings as training
from multitask_recommender.traps import settings as traps

T = TypeVar("T")

# What a section that is left out stands for: the main job.
DEFAULTS: Mapping[str, Any] = {
    "dataset": {"name": "movielens", "variant": "100k"},
    "split": {},
    "model": {"name": "two_tower"},
    "sharing": {"name": "shared_bottom"},
    "tasks": {"retrieval": {}, "like": {}, "rating": {}},
    "weighting": {"name": "fixed"},
    "training": {},
    "evaluation": {},
    "traps": {},
}
# The sections that choose a file of a folder.
FOLDERS = {
    "dataset": "datasets",
    "model": "models",
    "sharing": "sharing",
    "weighting": "weighting",
}
# The sections that are one settings class.
CLASSES: Mapping[str, type[Settings]] = {
    "split": splits.Settings,
    "training": training.Settings,
    "evaluation": evaluation.Settings,
    "traps": traps.Settings,
}
# The kind of a task that does not say it.
KINDS = {
    "retrieval": "retrieval",
    "rating": "rating",
    **dict.fromkeys(("click", "like", "share", "follow", "read", "favorite"), "binary"),
}


@dataclasses.dataclass(frozen=True)
class Choice:
    """A chosen option: the name of its file (or a dotted path), and its settings."""

    name: str
    settings: Settings


@dataclasses.dataclass(frozen=True)
class Config:
    """What a run does. `load` and `parse` make one; `to_yaml` writes it in full."""

    dataset: Choice
    split: splits.Settings
    model: Choice
    sharing: Choice
    tasks: Mapping[str, Choice]  # by the name of the task; the choice is its kind
    weighting: Choice
    training: training.Settings
    evaluation: evaluation.Settings
    traps: traps.Settings

    def to_dict(self) -> dict[str, Any]:
        """Plain values, defaults included, that `parse` turns into an equal config."""
        values: dict[str, Any] = {}
        for section in DEFAULTS:
            value = getattr(self, section)
            if section in CLASSES:
                values[section] = value.model_dump(mode="json")
            elif section in FOLDERS:
                values[section] = {"name": value.name, **_dump(value)}
            else:
                values[section] = {
                    name: {"kind": task.name, **_dump(task)} for name, task in value.items()
                }
        return values

    def to_yaml(self) -> str:
        return config_file.write(self.to_dict())


def load(path: pathlib.Path | None = None, overrides: Sequence[str] = ()) -> Config:
    """The config in a file, with overrides such as `training.epochs=5` or `tasks.like=null`.

    Raises ConfigError with a line for every fault found.
    """
    values = {} if path is None else config_file.read(path)
    return parse({key: value for key, value in values.items() if key != RECORD}, overrides)


def parse(values: Mapping[str, Any], overrides: Sequence[str] = ()) -> Config:
    """The config in a mapping; a section left out is that of the main job."""
    values, written_as = config_file.expand_flat(values)
    values = config_file.override(_renamed({**DEFAULTS, **values}, overrides), overrides)
    readers = {"": lambda: _check_sections(values)}
    for section in DEFAULTS:
        readers[section] = lambda section=section: _section(section, values[section])
    try:
        sections = _all_or_every_fault(readers)
    except ConfigError as error:
        raise ConfigError(_as_written(str(error), written_as)) from error
    del sections[""]
    config = Config(**sections)
    _check_combinations(config)
    return config


def _renamed(values: dict[str, Any], overrides: Sequence[str]) -> dict[str, Any]:
    """Without the settings of an option in whose place an override such as `model.name=x` puts
    another: they are not the other's. Nor are the sizes of a split those of a protocol.
    """
    renamed = dict(values)
    for override in overrides:
        key, _, name = override.partition("=")
        section = key.removesuffix(".name")
        value = values.get(section)
        if section != key and section in FOLDERS and isinstance(value, dict):
            if value.get("name", DEFAULTS[section]["name"]) != name:
                renamed[section] = {}
        if key == "split.name" and isinstance(value, dict):
            own = splits.Settings.sizes_of(name)
            renamed[section] = {word: given for word, given in value.items() if word not in own}
    return renamed


def _check_combinations(config: Config) -> None:
    """Refuses what is right in each part and makes no sense together.

    What only one option refuses is said by its settings, in `conflicts`.
    """
    if not config.tasks:
        raise ConfigError(
            "tasks is empty, so there is nothing to learn: give at least one, such as "
            "`tasks: {retrieval: {weight: 1}}`."
        )
    faults = _faulty_weights(config.tasks)
    for section in DEFAULTS:
        value = getattr(config, section)
        for part in value.values() if section == "tasks" else [value]:
            settings = part.settings if isinstance(part, Choice) else part
            faults.extend(settings.conflicts(config))
    if faults:
        raise ConfigError("\n".join(faults))


def _faulty_weights(tasks: Mapping[str, Choice]) -> list[str]:
    weights = {name: getattr(task.settings, "weight", 1.0) for name, task in tasks.items()}
    faults = [
        f"tasks.{name}.weight is {weight}, expected a number of at least 0."
        for name, weight in weights.items()
        if weight < 0
    ]
    if not any(weights.values()):
        faults.append(
            f"The weight of every task is 0 ({', '.join(weights)}), so there is nothing to learn: "
            f"set tasks.{next(iter(weights))}.weight above 0."
        )
    return faults


def _section(section: str, value: Any) -> Any:
    value = {} if value is None else value
    if section in FOLDERS:
        return _choice(FOLDERS[section], section, value, "name", DEFAULTS[section]["name"])
    if section == "tasks":
        return _tasks(value)
    return checked(CLASSES[section], value, section)


def _tasks(value: Any) -> dict[str, Choice]:
    if not isinstance(value, dict):
        raise ConfigError(
            f"tasks is {shown(value)}, expected the tasks by name, such as `like: {{weight: 0.5}}`."
        )
    readers = {}
    for name, task in value.items():
        if task is not None:  # `like: null` takes the task away
            readers[name] = lambda name=name, task=task: _choice(
                "tasks", f"tasks.{name}", task, "kind", KINDS.get(name)
            )
    return _all_or_every_fault(readers)


def _choice(folder: str, where: str, value: Any, key: str, default: str | None) -> Choice:
    """The option of a folder that a section chooses by its `key`, or is the bare name of."""
    if isinstance(value, str):
        value = {key: value}
    if not isinstance(value, dict):
        raise ConfigError(f"{where} is {shown(value)}, expected a name or a mapping (key: value).")
    known = ", ".join(registry.names(folder))
    name = value.get(key, default)
    if name is None:
        hint = suggestion(where.rpartition(".")[2], list(KINDS))
        raise ConfigError(f"{where}.{key} is missing.{hint} Available {folder}: {known}.")
    if not isinstance(name, str):
        raise ConfigError(f"{where}.{key} is {shown(name)}, expected one of: {known}.")
    try:
        settings_class = registry.settings_class(folder, name)
    except ConfigError as error:
        raise ConfigError(f"{where}.{key} is {shown(name)}. {error}") from error
    settings = {word: setting for word, setting in value.items() if word != key}
    return Choice(name, checked(settings_class, settings, where, also=[key]))


def _check_sections(values: Mapping[str, Any]) -> None:
    """Every key at the top is a section; a key of some section is shown its place."""
    places = {key: [key] for key in DEFAULTS}
    places |= {key: [place] for key, place in config_file.FLAT.items()}
    for section, settings_class in CLASSES.items():
        for key in settings_class.model_fields.keys() - config_file.FLAT.keys():
            places.setdefault(key, []).append(f"{section}.{key}")
    faults = []
    for key in sorted(values.keys() - DEFAULTS.keys()):
        near = difflib.get_close_matches(key, places, n=1)
        meant = "' or '".join(places[near[0]]) if near else ""
        hint = f" Did you mean '{meant}'?" if near else ""
        faults.append(not_a_setting(key, hint, DEFAULTS))
    if faults:
        raise ConfigError("\n".join(faults))


def _all_or_every_fault(readers: Mapping[str, Callable[[], T]]) -> dict[str, T]:
    """What each reader returns; if any raises ConfigError, one error with the faults of all."""
    results, faults = {}, []
    for name, read in readers.items():
        try:
            results[name] = read()
        except ConfigError as error:
            faults.append(str(error))
    if faults:
        raise ConfigError("\n".join(faults))
    return results


def _as_written(faults: str, written_as: Mapping[str, str]) -> str:
    """The same lines, with settings under the flat keys that the user wrote."""
    lines = []
    for line in faults.split("\n"):
        path, space, rest = line.partition(" ")
        lines.append(written_as.get(path, path) + space + rest)
    return "\n".join(lines)


def _dump(choice: Choice) -> dict[str, Any]:
    return choice.settings.model_dump(mode="json")
