"""The cells of a comparison: every combination of a grid and every seed, each with its twins.

A single-task twin is a run of its own with one task, and so with its own tables; its settings are
those of the base and of its model, the sections `twins` over them, and its weight that of the
base. A twin of retrieval has no use for a sharing, so that the cells of a model have it in common.
"""

import dataclasses
import itertools
import pathlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from multitask_recommender import config_file, run_folder
from multitask_recommender.comparison import grid
from multitask_recommender.comparison.grid import OPTIONS, RECIPE, WEIGHTS, Grid
from multitask_recommender.config import Config, parse
from multitask_recommender.config_file import RECORD
from multitask_recommender.errors import ConfigError, ConflictError
from multitask_recommender.sweeps.plan import read_recipe

RETRIEVAL = "retrieval"  # the kind of task that no sharing reads


@dataclasses.dataclass(frozen=True)
class Asked:
    """What the command line asks for."""

    places: Sequence[str]
    seeds: int = 1
    has_twins: bool = True


@dataclasses.dataclass(frozen=True)
class Cell:
    """A run: the label of each axis, the seed, and of a twin its only task.

    twins: of a joint cell, the names of its twins by task. against: the names of cells that it is
    held against in all its tasks.
    """

    name: str
    setting: dict[str, str]
    seed: int
    config: Config
    task: str | None = None
    twins: dict[str, str] = dataclasses.field(default_factory=dict)
    against: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Refused:
    """A combination that makes no sense, and why; of a twin, with its task."""

    setting: dict[str, str]
    task: str | None
    reason: str


class Plan:
    """What is trained, and the finished runs that stand beside it.

    Raises ConfigError where nothing is left to compare, or a file or a setting by itself is wrong.
    """

    def __init__(self, asked: Asked) -> None:
        self.runs = [pathlib.Path(place) for place in asked.places if _is_run(place)]
        self.grid = _grid(asked)
        self.name = self.grid.name if self.grid else "runs"
        self.cells: list[Cell] = []
        self.refused: list[Refused] = []
        if self.grid is not None:
            self._fill(self.grid)
            if not self.cells:
                lines = dict.fromkeys(each.reason for each in self.refused)
                raise ConfigError("\n".join(lines))

    def _fill(self, of: Grid) -> None:
        """Seeds are outermost: what is stopped early has each cell once, not some three times."""
        cells: dict[str, Cell] = {}
        for seed in of.seeds:
            for setting, sections in _combinations(of):
                for cell in self._with_twins(of, setting, sections, seed):
                    if cells.setdefault(cell.name, cell).config != cell.config:
                        raise ConfigError(
                            f"Two cells would be called {cell.name}: give their labels other "
                            "letters and digits."
                        )
        self.cells = list(cells.values())
        self.refused = list({repr(each): each for each in self.refused}.values())

    def _with_twins(
        self, of: Grid, setting: dict[str, str], sections: Mapping[str, Any], seed: int
    ) -> Iterator[Cell]:
        values = of.bases[setting.get(RECIPE, "")]
        for axis, label in setting.items():
            if axis != RECIPE:
                values = grid.apply(values, axis, label, sections[axis])
        joint = self._cell(setting, None, seed, values)
        if joint is None:
            return
        twins = {}
        if of.twins is not None and len(joint.config.tasks) > 1:
            for task in joint.config.tasks:
                twin = self._twin(of, setting, sections, seed, task)
                if twin is not None:
                    twins[task] = twin
        others = tuple(
            _name({**setting, axis: label}, None, seed)
            for axis, label in of.against.items()
            if setting[axis] != label
        )
        twin_names = {task: cell.name for task, cell in twins.items()}
        yield dataclasses.replace(joint, twins=twin_names, against=others)
        yield from twins.values()

    def _twin(
        self,
        of: Grid,
        setting: dict[str, str],
        sections: Mapping[str, Any],
        seed: int,
        task: str,
    ) -> Cell | None:
        values = dict(of.bases[setting.get(RECIPE, "")])
        kind = values["tasks"][task]["kind"]
        axes = [axis for axis in setting if _tells_twins_apart(axis, kind, of.twins)]
        for axis in axes:
            if axis != RECIPE:
                values = grid.apply(values, axis, setting[axis], sections[axis])
        own = values["tasks"][task]
        values["tasks"] = {task: {**own, "weight": own["weight"] or 1.0}}
        values["training"] = {**values["training"], "monitor": "auto"}
        values["export"] = {**values["export"], "weights": {}}
        values = grid.over(values, of.twins)
        return self._cell({axis: setting[axis] for axis in axes}, task, seed, values)

    def _cell(
        self, setting: dict[str, str], task: str | None, seed: int, values: Mapping[str, Any]
    ) -> Cell | None:
        """None where it is refused."""
        values = grid.merged(values, {"training": {"seed": seed}})
        values["evaluation"]["baselines"] = {}  # they are fitted once, for all cells
        try:
            config = parse(values)
        except ConflictError as error:
            self.refused.append(Refused(setting, task, str(error)))
            return None
        except ConfigError as error:
            where = ", ".join(f"{axis} {label}" for axis, label in setting.items())
            raise ConfigError(f"In the cell {where}:\n{error}") from error
        return Cell(_name(setting, task, seed), setting, seed, config, task)


def _name(setting: Mapping[str, str], task: str | None, seed: int) -> str:
    parts = [*setting.values(), *([] if task is None else ["only", task]), f"s{seed}"]
    return "-".join(map(_slug, parts))


def _combinations(of: Grid) -> Iterator[tuple[dict[str, str], dict[str, Any]]]:
    """The label of each axis, and its sections."""
    axes = {RECIPE: dict.fromkeys(of.bases, {}), **of.axes} if "" not in of.bases else of.axes
    for labels in itertools.product(*axes.values()):
        setting = dict(zip(axes, labels, strict=True))
        yield setting, {axis: axes[axis][label] for axis, label in setting.items()}


def _tells_twins_apart(axis: str, kind: str, twins: Mapping[str, Any]) -> bool:
    """Whether cells that differ in this axis have different twins."""
    if axis == RECIPE or axis not in (*OPTIONS, WEIGHTS):
        return True
    return axis == OPTIONS[0] or (axis == OPTIONS[1] and kind != RETRIEVAL and axis not in twins)


def _grid(asked: Asked) -> Grid | None:
    places = [place for place in asked.places if not _is_run(place)]
    grids = [place for place in places if _holds_grid(place)]
    if grids and len(places) > 1:
        raise ConfigError(
            f"{grids[0]} is a grid, which is compared with finished runs alone: leave out "
            f"{', '.join(place for place in places if place != grids[0]) or 'the others'}."
        )
    if asked.seeds < 1:
        raise ConfigError(f"--seeds is {asked.seeds}, expected a number of at least 1.")
    if grids:
        if asked.seeds != 1:
            raise ConfigError(f"--seeds goes with recipes: {grids[0]} lists its seeds itself.")
        of = grid.read(pathlib.Path(grids[0]))
        return of if asked.has_twins else dataclasses.replace(of, twins=None)
    if not places:
        return None
    return grid.of_recipes(dict(map(read_recipe, places)), asked.seeds, asked.has_twins)


def _is_run(place: str) -> bool:
    """A folder is a run, and a path leads somewhere; else it is said what is wrong with it."""
    path = pathlib.Path(place)
    if path.is_dir() or (len(path.parts) > 1 and not path.exists()):
        run_folder.check_complete(path)
    return path.is_dir()


def _holds_grid(place: str) -> bool:
    path = pathlib.Path(place)
    if not path.is_file():
        return False
    values = config_file.read(path)
    return grid.is_grid({key: value for key, value in values.items() if key != RECORD})


def _slug(text: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "._" else "_" for letter in text)
