"""The whole config, typed and strict: which option stands on each axis, and its settings.

Nothing here imports TensorFlow: a wrong key is answered at once.
"""

import dataclasses
import difflib
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

from multitask_recommender import config_file, evaluation, splits
from multitask_recommender.config_choices import (
    BASELINES,
    INDEX,
    Choice,
    all_or_every_fault,
    choose,
    read_baselines,
    read_index,
    read_tasks,
)
from multitask_recommender.config_faults import checked, not_a_setting
from multitask_recommender.config_file import RECORD
from multitask_recommender.errors import ConfigError, ConflictError
from multitask_recommender.export import settings as export
from multitask_recommender.settings import Settings
from multitask_recommender.training import settings as training
from multitask_recommender.traps import settings as traps

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
    "export": {},
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
    "export": export.Settings,
    "traps": traps.Settings,
}
# And what these hold beside their settings: choices of files of a folder.
CHOICES = {"evaluation": BASELINES, "export": INDEX}


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
    baselines: Mapping[str, Choice]  # of the section evaluation, by name
    export: export.Settings
    index: Choice  # of the section export
    traps: traps.Settings

    @property
    def retrieval(self) -> str | None:
        """The name of the task that ranks items; None without one. All others predict a label."""
        names = [name for name, task in self.tasks.items() if not task.settings.predicts_label]
        return names[0] if names else None

    def with_training(self, **settings: Any) -> "Config":
        """The same, but for these settings of training, which must be right."""
        training = self.training.model_copy(update=settings)
        return dataclasses.replace(self, training=training)

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
        baselines = {name: _dump(choice) for name, choice in self.baselines.items()}
        values["evaluation"][BASELINES] = baselines
        values["export"][INDEX] = {"name": self.index.name, **_dump(self.index)}
        return values

    def to_yaml(self) -> str:
        return config_file.write(self.to_dict())


def load(path: pathlib.Path | None = None, overrides: Sequence[str] = ()) -> Config:
    """The config in a file, with overrides such as `training.epochs=5` or `tasks.like=null`.

    Raises ConfigError with a line for every fault found; it is a ConflictError where each setting
    is right by itself.
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
    readers[BASELINES] = lambda: read_baselines(values["evaluation"])
    readers[INDEX] = lambda: read_index(values["export"])
    try:
        sections = all_or_every_fault(readers)
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
        raise ConflictError(
            "tasks is empty, so there is nothing to learn: give at least one, such as "
            "`tasks: {retrieval: {weight: 1}}`."
        )
    faults = _faulty_weights(config.tasks)
    for section in (*DEFAULTS, BASELINES, INDEX):
        value = getattr(config, section)
        for part in value.values() if section in ("tasks", BASELINES) else [value]:
            settings = part.settings if isinstance(part, Choice) else part
            faults.extend(settings.conflicts(config))
    if faults:
        raise ConflictError("\n".join(faults))


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
        return choose(FOLDERS[section], section, value, "name", DEFAULTS[section]["name"])
    if section == "tasks":
        return read_tasks(value)
    if section in CHOICES and isinstance(value, dict):
        own = {key: setting for key, setting in value.items() if key != CHOICES[section]}
        return checked(CLASSES[section], own, section, also=[CHOICES[section]])
    return checked(CLASSES[section], value, section)


def _check_sections(values: Mapping[str, Any]) -> None:
    """Every key at the top is a section; a key of some section is shown its place."""
    places = {key: [key] for key in DEFAULTS}
    places |= {key: [place] for key, place in config_file.FLAT.items()}
    for section, settings_class in CLASSES.items():
        for key in settings_class.model_fields.keys() - config_file.FLAT.keys():
            places.setdefault(key, []).append(f"{section}.{key}")
    places |= {key: [f"{section}.{key}"] for section, key in CHOICES.items()}
    faults = []
    for key in sorted(values.keys() - DEFAULTS.keys()):
        near = difflib.get_close_matches(key, places, n=1)
        meant = "' or '".join(places[near[0]]) if near else ""
        hint = f" Did you mean '{meant}'?" if near else ""
        faults.append(not_a_setting(key, hint, DEFAULTS))
    if faults:
        raise ConfigError("\n".join(faults))


def _as_written(faults: str, written_as: Mapping[str, str]) -> str:
    """The same lines, with settings under the flat keys that the user wrote."""
    lines = []
    for line in faults.split("\n"):
        path, space, rest = line.partition(" ")
        lines.append(written_as.get(path, path) + space + rest)
    return "\n".join(lines)


def _dump(choice: Choice) -> dict[str, Any]:
    return choice.settings.model_dump(mode="json")
