"""What a sweep is to do: a recipe, what is varied around it, and the settings that this makes.

Everything that can be known without the data is checked here.
"""

import dataclasses
import itertools
import pathlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from multitask_recommender import config_file
from multitask_recommender.config import Config, parse
from multitask_recommender.config_choices import BASELINES
from multitask_recommender.config_file import RECORD
from multitask_recommender.errors import ConfigError, ConflictError, suggestion
from multitask_recommender.sweeps import axes
from multitask_recommender.sweeps.axes import Choices, Range

_RECIPES = pathlib.Path("experiments")
_BASELINES = f"evaluation.{BASELINES}."
_OWN = {  # keys that are not to be varied, and what to do instead
    "training.monitor": "it is what the settings are judged by: name one with --metric",
    "training.refit": "what is judged here is always learnt from train alone",
}


@dataclasses.dataclass(frozen=True)
class Asked:
    """What the command line asks for: `trials` of a search, or else the grid."""

    recipe: str
    arguments: Sequence[str]
    one_at_a_time: bool = False
    trials: int | None = None
    seeds: int = 1
    metric: str | None = None


@dataclasses.dataclass(frozen=True)
class Cell:
    """The value of each varied key, and the config; or what is wrong with these values together."""

    settings: dict[str, Any]
    config: Config | None
    fault: str = ""


class Plan:
    """A recipe with its plain overrides, and what is varied.

    Raises ConfigError where the recipe, a key or a value by itself is wrong, or where no two values
    go together.
    """

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self.name, self._values = read_recipe(asked.recipe)
        self.overrides, self.axes = axes.read(asked.arguments)
        if asked.metric is not None:
            self.overrides.append(f"training.monitor={asked.metric}")
        self.baseline = _baseline([axis.key for axis in self.axes])
        self._check_asked()
        self.config = self._parse(self.overrides)
        if self.baseline is not None and self.baseline not in self.config.baselines:
            self.overrides.append(f"{_BASELINES}{self.baseline}={{}}")
            self.config = self._parse(self.overrides)
        self._check_values()

    @property
    def mode(self) -> str:
        if self.asked.trials is not None:
            return "search"
        return "one at a time" if self.asked.one_at_a_time else "grid"

    @property
    def seed(self) -> int:
        """The first seed that cells are trained with."""
        return self.config.training.seed

    @property
    def varied(self) -> dict[str, str]:
        """What is varied, as it is written, by key."""
        return {axis.key: str(axis) for axis in self.axes}

    @property
    def own(self) -> Cell:
        """The recipe as it is."""
        return Cell(self._settings_of(self.config), self.config)

    def cell(self, texts: Mapping[str, str]) -> Cell:
        """The recipe with these values, as they are written, by key."""
        try:
            config = self._with(texts)
        except ConfigError as error:
            given = {key: config_file.value_of(key, text) for key, text in texts.items()}
            return Cell(self.own.settings | given, None, str(error))
        return Cell(self._settings_of(config), config)

    def cells(self) -> list[Cell]:
        """All that a grid trains, the recipe as it is first; of one dataset and split together."""
        cells = {repr(self.own.settings): self.own}
        for texts in self._combinations():
            cell = self.cell(texts)
            if cell.config != self.config:
                cells.setdefault(repr(cell.settings), cell)
        places: list[Any] = []
        for cell in cells.values():
            if _data_of(cell) not in places:
                places.append(_data_of(cell))
        return sorted(cells.values(), key=lambda cell: places.index(_data_of(cell)))

    def _combinations(self) -> Iterator[dict[str, str]]:
        if self.asked.one_at_a_time:
            yield from ({axis.key: text} for axis in self.axes for text in axis.checked_texts())
        else:
            keys = [axis.key for axis in self.axes]
            for texts in itertools.product(*(axis.checked_texts() for axis in self.axes)):
                yield dict(zip(keys, texts, strict=True))

    def _with(self, texts: Mapping[str, str]) -> Config:
        return self._parse([*self.overrides, *(f"{key}={text}" for key, text in texts.items())])

    def _parse(self, overrides: Sequence[str]) -> Config:
        return parse(self._values, overrides)

    def _settings_of(self, config: Config) -> dict[str, Any]:
        values = config.to_dict()
        return {axis.key: _value_at(values, axis.key) for axis in self.axes}

    def _check_asked(self) -> None:
        asked, faults = self.asked, []
        if not self.axes:
            faults.append(
                "Nothing is varied: give values such as model.embedding_dimension=32,64,128, or "
                "with --search a range such as training.learning_rate=1e-4..1e-1:log."
            )
        for axis in self.axes:
            if isinstance(axis, Range) and asked.trials is None:
                faults.append(f"{axis.key} is a range, {axis}, which is for --search: list values.")
            if axis.key in _OWN:
                faults.append(f"{axis.key} cannot be varied: {_OWN[axis.key]}.")
            if axis.key == "training.seed" and asked.seeds > 1:
                faults.append("training.seed is varied, and by --seeds too: keep one of them.")
        for option, number in (("--search", asked.trials), ("--seeds", asked.seeds)):
            if number is not None and number < 1:
                faults.append(f"{option} is {number}, expected a number of at least 1.")
        if asked.trials is not None and asked.one_at_a_time:
            faults.append("--search and --one-at-a-time are both given: keep one of them.")
        if asked.trials is not None and asked.seeds > 1:
            faults.append(
                "--search tries each setting once: repeat what it finds with --seeds, in a sweep "
                "of its own."
            )
        if faults:
            raise ConfigError("\n".join(faults))

    def _check_values(self) -> None:
        """Each value by itself must be right; of those that are, some must go together."""
        faults: dict[str, None] = {}  # in order, each once
        are_possible = False
        for axis in self.axes:
            for text in axis.checked_texts():
                try:
                    self._with({axis.key: text})
                    are_possible = True
                except ConflictError:
                    pass  # it may go together with another value of another key
                except ConfigError as error:
                    faults |= dict.fromkeys(str(error).split("\n"))
        if faults:
            raise ConfigError("\n".join(faults))
        if not are_possible and all(isinstance(axis, Choices) for axis in self.axes):
            cells = [self.cell(texts) for texts in self._combinations()]
            if all(cell.config is None for cell in cells):
                raise ConfigError("\n".join(dict.fromkeys(cell.fault for cell in cells)))


def read_recipe(recipe: str) -> tuple[str, dict[str, Any]]:
    """The name of a recipe and its values, given by its path or as one of experiments/."""
    path = pathlib.Path(recipe)
    if not path.is_file():
        known = sorted(each.stem for each in _RECIPES.glob("*.yaml"))
        if recipe not in known:
            here = f" There are: {', '.join(known)}." if known else ""
            raise ConfigError(
                f"The recipe {recipe} is neither a file nor one of {_RECIPES}/."
                f"{suggestion(recipe, known)}{here}"
            )
        path = _RECIPES / f"{recipe}.yaml"
    values = config_file.read(path)
    return path.stem, {key: value for key, value in values.items() if key != RECORD}


def _baseline(keys: Sequence[str]) -> str | None:
    """The baseline whose settings are varied; None where it is the model's."""
    names = {
        key.removeprefix(_BASELINES).split(".")[0] if key.startswith(_BASELINES) else None
        for key in keys
    }
    if len(names) > 1:
        raise ConfigError(
            f"{' and '.join(keys)} are of different models: vary the settings of one baseline, or "
            "those of the model."
        )
    return next(iter(names), None)


def _data_of(cell: Cell) -> Any:
    return None if cell.config is None else (cell.config.dataset, cell.config.split)


def _value_at(values: Any, key: str) -> Any:
    """None where there is nothing at the key, of a task that is not there say."""
    for part in key.split("."):
        values = values.get(part) if isinstance(values, dict) else None
    return values
