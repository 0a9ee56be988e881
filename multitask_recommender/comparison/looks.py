"""How entries look in pictures: alike in all of a group, and no two alike in one."""

import itertools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Entry = Mapping[str, Any]
PANEL = (7.8, 3.4)  # inches
_NUM_COLOURS = 10  # that matplotlib has by name
_MARKS, _LINES = "osD^vP*<>h", ("-", "--", ":", "-.")
_TWIN = "x"


def panel(height: float = PANEL[1]) -> "tuple[Figure, Axes]":
    # Imported late, as it takes half a second. A Figure of its own, without pyplot's state.
    from matplotlib.figure import Figure

    figure = Figure(figsize=(PANEL[0], height), layout="constrained")
    return figure, figure.add_subplot()


def legend(axes: "Axes") -> None:
    """Beside the panel."""
    found = axes.legend(fontsize="x-small", loc="center left", bbox_to_anchor=(1.0, 0.5))
    for text in found.get_texts():
        text.set_parse_math(False)  # a `$` is a dollar


def varied(axes: Mapping[str, Sequence[str]]) -> dict[str, Sequence[str]]:
    """Of the axes of a group, with their labels, those that have several."""
    return {axis: labels for axis, labels in axes.items() if len(labels) > 1}


class Looks:
    """A colour for each label of the first axis; a mark and a line for those of the others.

    axes: of a group, with their labels. Twins are crosses, grey where all entries have them.
    """

    def __init__(self, axes: Mapping[str, Sequence[str]]) -> None:
        first, *others = varied(axes) or axes
        self._first, self._firsts, self._others = first, list(axes[first]), others
        self._rest = list(itertools.product(*(axes[axis] for axis in others)))

    def of(self, entry: Entry) -> dict[str, Any]:
        """Arguments of `plot`, its label among them."""
        setting, name = entry["setting"], entry["name"]
        if self._first not in setting:
            return {"color": "grey", "label": name, "marker": _TWIN}
        cycle, colour = divmod(self._firsts.index(setting[self._first]), _NUM_COLOURS)
        look = {"color": f"C{colour}", "label": name}
        if entry["task"] is not None:
            return {**look, "marker": _TWIN}
        rest = tuple(setting[axis] for axis in self._others)
        place = self._rest.index(rest) + cycle * len(self._rest)
        mark, line = _MARKS[place % len(_MARKS)], _LINES[place % len(_LINES)]
        return {**look, "marker": mark, "linestyle": line, "markersize": 5}
