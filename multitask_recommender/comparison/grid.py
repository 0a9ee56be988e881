"""A grid file: a base config, and axes of which every combination is a cell.

    base: ../../config.yaml            # a recipe by its path from here or its name, or sections
    axes:
      model:                           # labels, or sections that each label puts over the base
        two_tower: {}
        lightgcn: {model: {hops: 2}, training: {epochs: 12}}
      sharing: [separate, mmoe]
      weights:
        ranks: {retrieval: 1.0, rating: 0.1}
    seeds: [42, 43, 44]
    against: {sharing: separate}       # and each cell beside the one that has this label instead

A label of `model`, `sharing` and `weighting` is the name of the option, unless its sections say
another. All cells have the data, the split and the evaluation of the base.
"""

import copy
import dataclasses
import pathlib
from collections.abc import Mapping
from typing import Any, Literal

import pydantic

from multitask_recommender import config_file
from multitask_recommender.config import DEFAULTS, parse
from multitask_recommender.config_faults import checked
from multitask_recommender.errors import ConfigError
from multitask_recommender.settings import Settings
from multitask_recommender.sweeps.plan import read_recipe

OPTIONS = ("model", "sharing", "weighting")  # axes that choose an option of that section
WEIGHTS = "weights"
RECIPE = "recipe"  # the axis of recipes that are compared without a grid file
_OF_ALL = ("dataset", "split", "evaluation", "traps")  # sections that no axis may change

Sections = dict[str, Any]
Values = list[str] | dict[str, Sections | None]


class Axes(Settings):
    model: Values = pydantic.Field([], description="Options of the section, by label.")
    sharing: Values = []
    weighting: Values = []
    weights: dict[str, dict[str, float]] = pydantic.Field(
        {}, description="Weights of the tasks, by label."
    )


class GridFile(Settings):
    base: str | Sections
    axes: Axes
    seeds: list[int] = pydantic.Field([42], min_length=1)
    twins: Literal[False] | Sections = pydantic.Field(
        {},
        description="Sections over every single-task twin: a sharing, say, that all of them have "
        "in place of their cell's. false: no twins.",
    )
    against: dict[str, str] = pydantic.Field(
        {},
        description="By axis, a label: cells are held against the one that differs from them in "
        "having this label.",
    )
    baselines: list[str] | Sections = pydantic.Field(
        [], description="Beside popularity and random, as evaluation.baselines: fitted once."
    )
    notes: list[str] = pydantic.Field([], description="What a reader of the table should know.")


@dataclasses.dataclass(frozen=True)
class Grid:
    """What is compared: `bases` are whole configs by label, of which a grid file has one."""

    name: str
    bases: Mapping[str, Sections]
    axes: Mapping[str, Mapping[str, Sections]]
    seeds: tuple[int, ...]
    twins: Sections | None
    against: Mapping[str, str] = dataclasses.field(default_factory=dict)
    notes: tuple[str, ...] = ()


def is_grid(values: Mapping[str, Any]) -> bool:
    """Whether the mapping in a YAML file is that of a grid, and not a config."""
    return "axes" in values


def read(path: pathlib.Path) -> Grid:
    """Raises ConfigError with a line for every fault of the file and of its base."""
    file = checked(GridFile, config_file.read(path), "grid")
    base = file.base
    if isinstance(base, str):
        beside = path.parent / base
        base = read_recipe(str(beside) if beside.is_file() else base)[1]
    values = parse(base).to_dict()
    values["evaluation"]["baselines"] = file.baselines
    axes = {axis: _sections(value) for axis, value in file.axes if value}
    _check(axes, values, file.against)
    twins = None if file.twins is False else file.twins
    seeds, notes = tuple(file.seeds), tuple(file.notes)
    return Grid(path.stem, {"": values}, axes, seeds, twins, file.against, notes)


def of_recipes(recipes: Mapping[str, Sections], num_seeds: int, has_twins: bool) -> Grid:
    """Recipes (whole configs by name), each with seeds from its own on."""
    bases = {name: parse(values).to_dict() for name, values in recipes.items()}
    first = min(values["training"]["seed"] for values in bases.values())
    seeds = tuple(range(first, first + num_seeds))
    return Grid("-".join(bases), bases, {}, seeds, {} if has_twins else None)


def apply(values: Mapping[str, Any], axis: str, label: str, sections: Sections) -> dict[str, Any]:
    """The base's values with those of a label of an axis."""
    changed = copy.deepcopy(dict(values))
    if axis == WEIGHTS:
        for task, weight in sections.items():
            changed["tasks"][task]["weight"] = weight
        return changed
    return over(changed, {**sections, axis: {"name": label, **sections.get(axis, {})}})


def over(values: Mapping[str, Any], sections: Sections) -> dict[str, Any]:
    """The values with sections over them: another option that these name has its own settings."""
    changed = dict(values)
    for section in OPTIONS:
        name = sections.get(section, {}).get("name")
        if name not in (None, values[section]["name"]):
            changed[section] = {}
    return merged(changed, sections)


def merged(values: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """The mapping with another over it, mappings within included."""
    result = copy.deepcopy(dict(values))
    for key, value in over.items():
        inner = result.get(key)
        both = isinstance(value, dict) and isinstance(inner, dict)
        result[key] = merged(inner, value) if both else copy.deepcopy(value)
    return result


def _sections(value: Values | Mapping[str, Any]) -> dict[str, Sections]:
    if isinstance(value, list):
        return {label: {} for label in value}
    return {label: sections or {} for label, sections in value.items()}


def _check(
    axes: Mapping[str, Mapping[str, Sections]], base: Mapping[str, Any], against: Mapping[str, str]
) -> None:
    faults = [] if axes else ["grid.axes is empty, so there is nothing to compare."]
    faults += [
        f"grid.against.{axis} is {label}, which is no label of grid.axes.{axis}: "
        f"{', '.join(axes.get(axis, {})) or 'it has none'}."
        for axis, label in against.items()
        if label not in axes.get(axis, {})
    ]
    for axis, labels in axes.items():
        for label, sections in labels.items():
            where = f"grid.axes.{axis}.{label}"
            if axis == WEIGHTS:
                faults += [
                    f"{where}.{task} is no task of the base, which has {', '.join(base['tasks'])}."
                    for task in sections
                    if task not in base["tasks"]
                ]
                continue
            for key in sections:
                if key in _OF_ALL:
                    faults.append(f"{where}.{key} cannot be set: all cells have that of the base.")
                elif key not in DEFAULTS:
                    faults.append(f"{where}.{key} is no section of a config.")
    if faults:
        raise ConfigError("\n".join(faults))
