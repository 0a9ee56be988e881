"""Which files of the folders a config chooses, each with its settings, checked."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from multitask_recommender import registry
from multitask_recommender.config_faults import checked
from multitask_recommender.config_file import shown
from multitask_recommender.errors import ConfigError, suggestion
from multitask_recommender.settings import Settings

T = TypeVar("T")

# The kind of a task that does not say it.
KINDS = {
    "retrieval": "retrieval",
    "rating": "rating",
    **dict.fromkeys(("click", "like", "share", "follow", "read", "favorite"), "binary"),
}
# The key of the section evaluation that chooses files of a folder of this name, any number of them.
BASELINES = "baselines"
INDEX = "index"  # and of the section export, which chooses one of that folder


@dataclasses.dataclass(frozen=True)
class Choice:
    """A chosen option: the name of its file (or a dotted path), and its settings."""

    name: str
    settings: Settings


def choose(folder: str, where: str, value: Any, key: str, default: str | None) -> Choice:
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


def read_tasks(value: Any) -> dict[str, Choice]:
    if not isinstance(value, dict):
        raise ConfigError(
            f"tasks is {shown(value)}, expected the tasks by name, such as `like: {{weight: 0.5}}`."
        )
    readers = {}
    for name, task in value.items():
        if task is not None:  # `like: null` takes the task away
            readers[name] = lambda name=name, task=task: choose(
                "tasks", f"tasks.{name}", task, "kind", KINDS.get(name)
            )
    return all_or_every_fault(readers)


def read_baselines(evaluation: Any) -> dict[str, Choice]:
    """Those of a list of names, or of a mapping of their settings by name."""
    value = evaluation.get(BASELINES) if isinstance(evaluation, dict) else None
    if isinstance(value, list) and all(isinstance(name, str) for name in value):
        value = dict.fromkeys(value, {})
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ConfigError(
            f"evaluation.{BASELINES} is {shown(value)}, expected names such as [ials, ease], or "
            "settings by name, such as {ials: {dimension: 64}}."
        )
    readers = {}
    for name, settings in value.items():
        if settings is not None:  # as with tasks, null takes it away
            readers[name] = lambda name=name, settings=settings: _baseline(name, settings)
    return all_or_every_fault(readers)


def read_index(export: Any) -> Choice:
    """The index of an export, by its name or with settings."""
    value = export.get(INDEX) if isinstance(export, dict) else None
    default = "brute_force"
    return choose(INDEX, f"export.{INDEX}", {} if value is None else value, "name", default)


def _baseline(name: str, settings: Any) -> Choice:
    where = f"evaluation.{BASELINES}.{name}"
    try:
        settings_class = registry.settings_class(BASELINES, name)
    except ConfigError as error:
        raise ConfigError(f"{where} is no baseline. {error}") from error
    if not isinstance(settings, dict):
        raise ConfigError(f"{where} is {shown(settings)}, expected a mapping (key: value).")
    return Choice(name, checked(settings_class, settings, where))


def all_or_every_fault(readers: Mapping[str, Callable[[], T]]) -> dict[str, T]:
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
