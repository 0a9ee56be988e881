"""Pictures of a run."""

import collections
import pathlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from multitask_recommender import run_folder

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_GATE = "gate/"
_PANEL = (4.0, 3.0)  # inches
_STYLES = ("-", "--")  # of the first phase, and of the next


def draw_gates(rows: Sequence[Mapping[str, Any]], path: pathlib.Path) -> None:
    """A panel for each gate: the mean weight of its experts by epoch; no file without gates.

    rows are those of a History. The refit, where there is one, is dashed.
    """
    gates = _gates(rows)
    if not gates:
        return
    # Imported late, as it takes half a second. A Figure of its own, without pyplot's state.
    from matplotlib.figure import Figure

    figure = Figure(figsize=(_PANEL[0] * len(gates), _PANEL[1]), layout="constrained")
    panels = figure.subplots(1, len(gates), sharey=True, squeeze=False)[0]
    for axes, (gate, experts) in zip(panels, gates.items(), strict=True):
        _draw(axes, rows, {name: f"{_GATE}{gate}/{name}" for name in experts})
        axes.set_title(gate, parse_math=False)  # a `$` is a dollar
    panels[0].set_ylabel("mean gate weight")
    figure.suptitle(str(rows[0].get("data", "")), fontsize="small", parse_math=False)
    with run_folder.aside(path) as unfinished:
        figure.savefig(unfinished, format="png", dpi=100)


def _gates(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """The experts of each gate: {"like": ["expert_0", "expert_1"]}."""
    gates = collections.defaultdict(list)
    for key in dict.fromkeys(key for row in rows for key in row if key.startswith(_GATE)):
        gate, _, expert = key.removeprefix(_GATE).rpartition("/")
        gates[gate].append(expert)
    return gates


def _draw(axes: "Axes", rows: Sequence[Mapping[str, Any]], keys: Mapping[str, str]) -> None:
    phases = dict.fromkeys(row["phase"] for row in rows)
    for phase, style in zip(phases, _STYLES, strict=False):
        for place, (name, key) in enumerate(keys.items()):
            points = [(row["epoch"], row[key]) for row in rows if row["phase"] == phase]
            label = name if style == _STYLES[0] else None
            axes.plot(*zip(*points, strict=True), style, color=f"C{place}", label=label, marker=".")
    axes.set_xlabel("epoch")
    axes.set_ylim(0.0, 1.0)
    axes.legend(fontsize="small")
