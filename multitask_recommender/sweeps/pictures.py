"""Pictures of a sweep: a line for each key, a map of two keys, the trials of a search."""

import itertools
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from multitask_recommender import run_folder
from multitask_recommender.schema import VALIDATION
from multitask_recommender.sweeps.axes import Axis, Range
from multitask_recommender.sweeps.results import shown_setting
from multitask_recommender.sweeps.trainer import COMPLETE, PRUNED

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_PANEL = (4.8, 3.4)  # inches
_DECADES = 100  # from the least to the most, from where an axis is one of orders of magnitude
_OWN = {"color": "grey", "linestyle": "--", "linewidth": 1, "label": "recipe"}
_RUN = {"color": "C0", "alpha": 0.35, "linestyle": "none", "marker": "."}
Cells = Sequence[Mapping[str, Any]]


def draw(
    found: Mapping[str, Any], axes: Sequence[Axis], folder: pathlib.Path
) -> list[pathlib.Path]:
    """Writes the pictures of what sweep.json holds; where no cell is complete, none."""
    cells = [cell for cell in found["cells"] if cell["state"] == COMPLETE]
    if not cells:
        return []
    if found["mode"] == "search":
        drawn = {"history": _history(found), "slices": _slices(found, axes)}
    else:
        drawn = {axis.key: _line(found, cells, axis) for axis in axes}
        if len(axes) == 2 and found["mode"] == "grid":
            drawn["heatmap"] = _heat_map(found, cells, axes)
    return [_write(figure, folder / f"{name}.svg", found) for name, figure in drawn.items()]


def _write(figure: "Figure", path: pathlib.Path, found: Mapping[str, Any]) -> pathlib.Path:
    import matplotlib

    data = f"{found['recipe']}, {found['dataset']['name']}"
    figure.suptitle(data, fontsize="small", parse_math=False)
    # A fixed salt and no date: the same cells give the same file.
    with matplotlib.rc_context({"svg.hashsalt": "sweep"}), run_folder.aside(path) as unfinished:
        figure.savefig(unfinished, format="svg", metadata={"Date": None})
    return path


def _line(found: Mapping[str, Any], cells: Cells, axis: Axis) -> "Figure":
    """Every training as a dot; a line through the best cell at each value, with its deviation."""
    if found["mode"] != "grid":  # the other keys as the recipe has them
        own = next((cell["settings"] for cell in cells if cell["is_recipe"]), {})
        cells = [cell for cell in cells if _differing(cell["settings"], own) <= {axis.key}]
    figure, (panel,) = _panels(1)
    places = _scale(panel, axis, cells)
    for place, cell in zip(places, cells, strict=True):
        runs = [run["value"] for run in cell["runs"]]
        panel.plot([place] * len(runs), runs, **_RUN)
    best: dict[float, Mapping[str, Any]] = {}  # cells stand the best first
    for place, cell in zip(places, cells, strict=True):
        best.setdefault(place, cell)
    order = sorted(best)
    panel.errorbar(
        order,
        [best[place]["value"] for place in order],
        [best[place]["std"] or 0.0 for place in order],
        marker="o",
        capsize=3,
        label="best at each value" if len(best) < len(cells) else "mean",
    )
    _finish(panel, found)
    return figure


def _heat_map(found: Mapping[str, Any], cells: Cells, axes: Sequence[Axis]) -> "Figure":
    """The cells of two keys, each with its value in figures."""
    figure, (panel,) = _panels(1)
    lines, columns = (_texts(axis.key, cells) for axis in axes)
    grid = np.full((len(lines), len(columns)), np.nan)
    for cell in cells:
        line, column = (shown_setting(cell["settings"][axis.key]) for axis in axes)
        grid[lines.index(line), columns.index(column)] = cell["value"]
    image = panel.imshow(grid, aspect="auto")
    middle = (np.nanmin(grid) + np.nanmax(grid)) / 2
    for line, column in itertools.product(range(len(lines)), range(len(columns))):
        if np.isfinite(grid[line, column]):
            color = "white" if grid[line, column] <= middle else "black"
            text = f"{grid[line, column]:.4f}"
            panel.text(column, line, text, ha="center", va="center", color=color, fontsize=8)
    panel.set_yticks(range(len(lines)), lines, parse_math=False)
    panel.set_xticks(range(len(columns)), columns, parse_math=False)
    panel.set_ylabel(axes[0].key, parse_math=False)
    panel.set_xlabel(axes[1].key, parse_math=False)
    figure.colorbar(image, label=_metric(found))
    return figure


def _history(found: Mapping[str, Any]) -> "Figure":
    """Trials in their order, and the best so far."""
    figure, (panel,) = _panels(1)
    _scatter(panel, found, lambda cell: cell["number"])
    done = sorted(_of(found, COMPLETE), key=lambda cell: cell["number"])
    better = np.minimum if found["lower_is_better"] else np.maximum
    best = better.accumulate([cell["value"] for cell in done])
    numbers = [cell["number"] for cell in done]
    panel.step(numbers, best, where="post", color="C1", label="best so far")
    panel.set_xlabel("cell")
    _finish(panel, found)
    return figure


def _slices(found: Mapping[str, Any], axes: Sequence[Axis]) -> "Figure":
    """A panel for each key: its values against the metric."""
    figure, panels = _panels(len(axes))
    for panel, axis in zip(panels, axes, strict=True):
        known = [cell for cell in found["cells"] if cell["value"] is not None]
        places = _scale(panel, axis, known)
        at = {cell["number"]: place for cell, place in zip(known, places, strict=True)}
        _scatter(panel, found, lambda cell, at=at: at[cell["number"]])
        _finish(panel, found)
    return figure


def _scatter(
    panel: "Axes", found: Mapping[str, Any], place: Callable[[Mapping[str, Any]], float]
) -> None:
    for state, filled in ((COMPLETE, "C0"), (PRUNED, "none")):
        cells = _of(found, state)
        if cells:
            values = [cell["value"] for cell in cells]
            places = list(map(place, cells))
            panel.scatter(places, values, s=18, edgecolors="C0", facecolors=filled, label=state)


def _panels(number: int) -> "tuple[Figure, Sequence[Axes]]":
    # Imported late, as it takes half a second. A Figure of its own, without pyplot's state.
    from matplotlib.figure import Figure

    figure = Figure(figsize=(_PANEL[0] * number, _PANEL[1]), layout="constrained")
    return figure, figure.subplots(1, number, squeeze=False)[0]


def _scale(panel: "Axes", axis: Axis, cells: Cells) -> list[float]:
    """Where the value of each cell stands on the x axis, which is made for them."""
    panel.set_xlabel(axis.key, parse_math=False)
    values = [cell["settings"][axis.key] for cell in cells]
    if not _are_numbers(values):
        texts = _texts(axis.key, cells)
        panel.set_xticks(range(len(texts)), texts, parse_math=False)
        return [float(texts.index(shown_setting(value))) for value in values]
    sizes = [abs(value) for value in values if value]
    if sizes and (max(sizes) >= _DECADES * min(sizes) or (isinstance(axis, Range) and axis.is_log)):
        if min(values) > 0:
            panel.set_xscale("log")
        else:  # linear next to 0, which has a place so
            panel.set_xscale("symlog", linthresh=min(sizes))
    return [float(value) for value in values]


def _texts(key: str, cells: Cells) -> list[str]:
    """The values of a key: numbers ascend, others stand in the order of their cells."""
    values = [cell["settings"][key] for cell in sorted(cells, key=lambda cell: cell["number"])]
    return list(
        dict.fromkeys(map(shown_setting, sorted(values) if _are_numbers(values) else values))
    )


def _are_numbers(values: Sequence[Any]) -> bool:
    return all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)


def _finish(panel: "Axes", found: Mapping[str, Any]) -> None:
    own = next((cell["value"] for cell in found["cells"] if cell["is_recipe"]), None)
    if own is not None:
        panel.axhline(own, **_OWN)
    panel.set_ylabel(_metric(found))
    panel.legend(fontsize="small")


def _metric(found: Mapping[str, Any]) -> str:
    return found["metric"].removeprefix(f"{VALIDATION}/")


def _of(found: Mapping[str, Any], state: str) -> Cells:
    return [cell for cell in found["cells"] if cell["state"] == state]


def _differing(settings: Mapping[str, Any], own: Mapping[str, Any]) -> set[str]:
    return {key for key, value in settings.items() if value != own.get(key, value)}
