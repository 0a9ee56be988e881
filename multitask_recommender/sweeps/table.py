"""What a person sees of a sweep."""

import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

from rich.markup import escape

from multitask_recommender import report
from multitask_recommender.schema import VALIDATION
from multitask_recommender.sweeps.results import errors, shown_setting
from multitask_recommender.sweeps.trainer import COMPLETE, FAILED

_SHOWN = 20  # rows: sweep.csv has all


def show_place(folder: pathlib.Path) -> None:
    report.console.print(
        escape(f"Results go to {folder}: the same command with --out {folder} goes on with them."),
        highlight=False,
    )


def announce(
    place: str, settings: Mapping[str, Any], seed: int, best: Mapping[str, Any] | None
) -> None:
    """A line before each training: which it is, and the best record so far."""
    told = f"{place}: {_told(settings)} (seed {seed})"
    if best is not None:
        told += f"; best so far {best['value']:.4f} ({_told(best['settings'])})"
    report.console.print(escape(told), highlight=False)


def announce_repetition(place: str, settings: Mapping[str, Any]) -> None:
    """A line for a trial that proposes what has been trained."""
    told = f"{place}: {_told(settings)}, as before: not trained again"
    report.console.print(escape(told), highlight=False)


def show(found: Mapping[str, Any]) -> None:
    """The cells, the best first and bold; those that failed say why. `found`: see sweep.json."""
    cells = found["cells"]
    rows = [cell for place, cell in enumerate(cells) if place < _SHOWN or cell["is_recipe"]]
    keys = list(found["varied"])
    metric = found["metric"].removeprefix(f"{VALIDATION}/").replace("/", "\n")
    has_seeds = found["seeds"] > 1
    titles = [name.replace(".", "\n").replace("_", "\n") for name in _names(keys)]
    columns = [*titles, metric, *(["std"] if has_seeds else []), "to the\nrecipe"]
    columns += ["epoch", "seconds", "parameters"]
    names = {cell["number"]: _name(cell, found["best"]) for cell in rows}
    report.show_table(
        escape(f"{found['recipe']} on validation, {found['dataset']['name']}"),
        columns,
        {names[cell["number"]]: _cells(cell, keys, has_seeds) for cell in rows},
        bold=names.get(found["best"], ""),
    )
    if len(rows) < len(cells):
        report.console.print(f"{len(cells) - len(rows)} more cells are in sweep.csv.")
    report.warn([*found["dataset"]["warnings"], *found["notes"]])
    report.warn(
        [
            f"cell {cell['number']} ({_told(cell['settings'])}) failed: {errors(cell)}"
            for cell in rows
            if cell["state"] == FAILED
        ]
    )


def _name(cell: Mapping[str, Any], best: int | None) -> str:
    mark = "best" if cell["number"] == best else cell["state"].removeprefix(COMPLETE)
    return f"{cell['number']} {mark}".strip()


def _cells(cell: Mapping[str, Any], keys: Sequence[str], has_seeds: bool) -> list[str]:
    difference, parameters = cell["difference"], cell["parameters"]
    compared = report.shown(None) if difference is None else f"{difference:+.4f}"
    return [
        *(escape(_short(cell["settings"][key])) for key in keys),
        report.shown(cell["value"]),
        *([report.shown(cell["std"])] if has_seeds else []),
        "recipe" if cell["is_recipe"] else compared,
        report.shown(None) if cell["epoch"] is None else f"{cell['epoch']:.3g}",
        f"{cell['seconds']:.1f}",
        report.shown(None) if parameters is None else f"{parameters:,.0f}",
    ]


def _names(keys: Sequence[str]) -> list[str]:
    """The last part of each key, or all of it where that is the last of two."""
    last = [key.rpartition(".")[2] for key in keys]
    return [part if last.count(part) == 1 else key for key, part in zip(keys, last, strict=True)]


def _told(settings: Mapping[str, Any]) -> str:
    values = map(_short, settings.values())
    names = _names(list(settings))
    return ", ".join(f"{name}={value}" for name, value in zip(names, values, strict=True))


def _short(value: Any) -> str:
    """Drawn numbers to four digits: the files have all."""
    return f"{value:.4g}" if isinstance(value, float) else shown_setting(value)
