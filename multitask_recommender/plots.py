"""Pictures of a run."""

import collections
import pathlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from multitask_recommender import run_folder
from multitask_recommender.schema import TOTAL_LOSS, VALIDATION

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_GATE = "gate/"
_PANEL = (4.0, 3.0)  # inches
_COLUMNS = 4  # panels side by side
_STYLES = ("-", "--")  # of the first phase, and of the next


def draw_gates(rows: Sequence[Mapping[str, Any]], path: pathlib.Path) -> None:
    """A panel for each gate: the mean weight of its experts by epoch; no file without gates.

    rows are those of a History. The refit, where there is one, is dashed.
    """
    gates = _gates(rows)
    if not gates:
        return
    figure, panels = _panels(len(gates), sharey=True)
    for axes, (gate, experts) in zip(panels, gates.items(), strict=True):
        _draw(axes, rows, {name: f"{_GATE}{gate}/{name}" for name in experts})
        axes.set_title(gate, parse_math=False)  # a `$` is a dollar
        axes.set_ylim(0.0, 1.0)
    panels[0].set_ylabel("mean gate weight")
    _write(figure, rows, path)


def draw_curves(rows: Sequence[Mapping[str, Any]], monitor: str | None, path: pathlib.Path) -> None:
    """A panel for each task's loss and one for the metric that validation watches, by epoch.

    rows are those of a History; without any there is no file. monitor: the key of that metric, if
    there is validation. The refit, where there is one, is dashed.
    """
    tasks = [key for key in _keys(rows) if key.startswith(f"{TOTAL_LOSS}/")] or [TOTAL_LOSS]
    curves = {key: {"training": key, "validation": _held_out(key)} for key in tasks}
    if monitor is not None and monitor not in map(_held_out, tasks):
        curves[monitor] = {"validation": monitor}
    if not rows:
        return
    figure, panels = _panels(len(curves))
    for axes, (title, keys) in zip(panels, curves.items(), strict=True):
        _draw(axes, rows, keys, first=2 - len(keys))  # validation has its colour in all panels
        axes.set_title(title, parse_math=False)
    _write(figure, rows, path)


def _held_out(loss: str) -> str:
    """The key of a loss on validation: `validation/like/loss` of `loss/like`."""
    return "/".join((VALIDATION, *reversed(loss.split("/"))))


def _panels(number: int, **options: Any) -> "tuple[Figure, list[Axes]]":
    # Imported late, as it takes half a second. A Figure of its own, without pyplot's state.
    from matplotlib.figure import Figure

    columns = min(number, _COLUMNS)
    lines = -(-number // columns)
    size = _PANEL[0] * columns, _PANEL[1] * lines
    figure = Figure(figsize=size, layout="constrained")
    panels = list(figure.subplots(lines, columns, squeeze=False, **options).flat)
    for axes in panels[number:]:
        axes.remove()
    return figure, panels[:number]


def _write(figure: "Figure", rows: Sequence[Mapping[str, Any]], path: pathlib.Path) -> None:
    figure.suptitle(str(rows[0].get("data", "")), fontsize="small", parse_math=False)
    with run_folder.aside(path) as unfinished:
        figure.savefig(unfinished, format="png", dpi=100)


def _keys(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Each once, in the order of their first appearance."""
    return list(dict.fromkeys(key for row in rows for key in row))


def _gates(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """The experts of each gate: {"like": ["expert_0", "expert_1"]}."""
    gates = collections.defaultdict(list)
    for key in filter(lambda key: key.startswith(_GATE), _keys(rows)):
        gate, _, expert = key.removeprefix(_GATE).rpartition("/")
        gates[gate].append(expert)
    return gates


def _draw(
    axes: "Axes", rows: Sequence[Mapping[str, Any]], keys: Mapping[str, str], first: int = 0
) -> None:
    """A line for each of the keys by name, in colours from number `first` on."""
    phases = dict.fromkeys(row["phase"] for row in rows)
    for phase, style in zip(phases, _STYLES, strict=False):
        for place, (name, key) in enumerate(keys.items(), first):
            points = [
                (row["epoch"], row[key]) for row in rows if row["phase"] == phase and key in row
            ]
            if points:
                label = name if style == _STYLES[0] else None
                color = f"C{place}"
                axes.plot(*zip(*points, strict=True), style, color=color, label=label, marker=".")
    axes.set_xlabel("epoch")
    axes.legend(fontsize="small")
