"""Pictures of a leaderboard: each a figure made of its JSON alone, or none where it has no data."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from multitask_recommender.comparison.differences import BETTER, WORSE, nearest

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Group = Mapping[str, Any]
Entries = Sequence[Mapping[str, Any]]
_PANEL = (4.6, 3.4)  # inches
_MARKS = {BETTER: "+", WORSE: "-"}  # of a cell of the heat map, beside its figure
_STYLES = ("-", "--", ":", "-.")
_COLOURS = 10  # that matplotlib has by name


def draw(group: Group) -> "Iterator[tuple[str, Figure]]":
    """Titles and figures of a group of a leaderboard."""
    joint = [entry for entry in group["entries"] if entry["task"] is None]
    for key, title in _main(group).items():
        if _axes(joint):
            yield f"Grid: {title}", _heat_map(group, joint, key)
        yield f"Against time: {title}", _against_time(group, key)
    front = _front(group, joint)
    if front is not None:
        yield "Retrieval against rating, over the weights of the tasks", front
    for label in dict.fromkeys(label for entry in joint for label in entry["calibration"]):
        yield f"Calibration: {label}", _calibration(joint, label)
    drawn = {
        "Recall by the popularity of the item": _by_popularity(joint),
        "How much of the catalogue is recommended": _coverage(joint),
        "Learning curves": _curves(joint),
        "Gates: mean weights of experts at the end": _gates(joint),
    }
    yield from ((title, figure) for title, figure in drawn.items() if figure is not None)


def _main(group: Group) -> dict[str, str]:
    """The first column of each task."""
    found: dict[str, str] = {}
    for key, title in group["columns"].items():
        found.setdefault(title.split("/")[0], key)
    return {key: group["columns"][key] for key in found.values()}


def _axes(entries: Entries) -> list[str]:
    """Axes of which there are several labels; none where there are fewer than two such."""
    axes = list(entries[0]["setting"]) if entries else []
    varied = [a for a in axes if len({entry["setting"].get(a) for entry in entries}) > 1]
    return varied if len(varied) > 1 else []


def _heat_map(group: Group, joint: Entries, key: str) -> "Figure":
    """Models down, sharings across; further axes beside the model. With + and - where the joint
    model is better and worse than its twin in the task that the figure is of."""
    figure, axes = _panel()
    down, across, *more = _axes(joint)
    lines = list(dict.fromkeys(_label(entry, [down, *more]) for entry in joint))
    columns = list(dict.fromkeys(entry["setting"][across] for entry in joint))
    grid = np.full((len(lines), len(columns)), np.nan)
    texts = {}
    for entry in joint:
        if key in entry["metrics"]:
            place = (
                lines.index(_label(entry, [down, *more])),
                columns.index(entry["setting"][across]),
            )
            grid[place] = entry["metrics"][key]["mean"]
            texts[place] = f"{grid[place]:.4f} {_mark(group, entry, key)}".strip()
    axes.imshow(grid, aspect="auto", cmap="Blues", alpha=0.6)
    for (line, column), text in texts.items():
        axes.text(column, line, text, ha="center", va="center", fontsize=8)
    axes.set_yticks(range(len(lines)), lines, parse_math=False)
    axes.set_xticks(range(len(columns)), columns, parse_math=False)
    return figure


def _label(entry: Mapping[str, Any], axes: Sequence[str]) -> str:
    return " ".join(entry["setting"][axis] for axis in axes)


def _mark(group: Group, entry: Mapping[str, Any], key: str) -> str:
    metric = key.removeprefix("test/")
    for each in group["differences"]:
        if each["is_twin"] and each["name"] == entry["name"] and each["metric"] == metric:
            return _MARKS.get(each["verdict"], "")
    return ""


def _against_time(group: Group, key: str) -> "Figure":
    figure, axes = _panel()
    entries = [entry for entry in group["entries"] if key in entry["metrics"]]
    for entry, colour in zip(entries, _colours(entries), strict=True):
        axes.plot(
            [entry["cost"]["training_seconds"]],
            [entry["metrics"][key]["mean"]],
            "o" if entry["task"] is None else "x",
            color=colour,
            label=entry["name"],
        )
    axes.set(xlabel="seconds of training", ylabel=key.removeprefix("test/"))
    _legend(axes)
    return figure


def _front(group: Group, joint: Entries) -> "Figure | None":
    """Entries that differ in their weights, and those that no other beats in both."""
    ranks = nearest(list(group["columns"]), "full", "ndcg", 10)
    rates = next((k for k in group["columns"] if k.endswith("root_mean_squared_error")), None)
    if ranks is None or rates is None:
        return None
    points = [
        (entry["metrics"][rates]["mean"], entry["metrics"][ranks]["mean"], entry["name"])
        for entry in joint
        if ranks in entry["metrics"] and rates in entry["metrics"]
    ]
    weights = {repr(sorted((n, t["weight"]) for n, t in e["tasks"].items())) for e in joint}
    if len(weights) < 2 or len(points) < 2:
        return None
    figure, axes = _panel()
    for error, rank, name in points:
        axes.plot([error], [rank], "o", label=name)
    best = [
        (error, rank)
        for error, rank, _ in points
        if not any(e <= error and r >= rank and (e, r) != (error, rank) for e, r, _ in points)
    ]
    axes.plot(*zip(*sorted(best), strict=True), ":", color="grey")
    axes.set(xlabel=rates.removeprefix("test/"), ylabel=ranks.removeprefix("test/"))
    _legend(axes)
    return figure


def _calibration(joint: Entries, label: str) -> "Figure":
    figure, axes = _panel()
    axes.plot([0, 1], [0, 1], ":", color="grey")
    entries = [entry for entry in joint if label in entry["calibration"]]
    for entry, colour in zip(entries, _colours(entries), strict=True):
        bins = entry["calibration"][label]
        axes.plot(
            [each["prediction"] for each in bins],
            [each["rate"] for each in bins],
            marker=".",
            color=colour,
            label=entry["name"],
        )
    axes.set(xlabel="mean prediction", ylabel="rate of positives")
    _legend(axes)
    return figure


def _by_popularity(joint: Entries) -> "Figure | None":
    entries = [entry for entry in joint if entry["popularity_recall"]]
    if not entries:
        return None
    figure, axes = _panel()
    for entry, colour in zip(entries, _colours(entries), strict=True):
        strata = entry["popularity_recall"]
        key = next(name for name in strata[0] if name.startswith("recall@"))
        axes.plot(
            [f"{each['from']:.0%}-{each['to']:.0%}" for each in strata],
            [each[key] for each in strata],
            marker=".",
            color=colour,
            label=entry["name"],
        )
    axes.set(xlabel="items, the least popular first", ylabel=key)
    _legend(axes)
    return figure


def _coverage(joint: Entries) -> "Figure | None":
    keys = list(dict.fromkeys(key for entry in joint for key in entry["metrics"]))
    key = nearest(keys, "full", "coverage", 20)
    entries = [entry for entry in joint if key in entry["metrics"]]
    if not entries:
        return None
    figure, axes = _panel()
    places = np.arange(len(entries))
    axes.barh(places, [entry["metrics"][key]["mean"] for entry in entries])
    axes.set_yticks(
        places, [entry["name"] for entry in entries], fontsize="x-small", parse_math=False
    )
    axes.invert_yaxis()
    axes.set_xlabel(key.removeprefix("test/"))
    return figure


def _curves(joint: Entries) -> "Figure | None":
    entries = [entry for entry in joint if entry["curve"]["points"]]
    if not entries:
        return None
    figure, axes = _panel()
    for entry, colour in zip(entries, _colours(entries), strict=True):
        axes.plot(
            *zip(*entry["curve"]["points"], strict=True),
            marker=".",
            color=colour,
            label=entry["name"],
        )
    axes.set(xlabel="epoch", ylabel=", ".join(dict.fromkeys(e["curve"]["of"] for e in entries)))
    _legend(axes)
    return figure


def _gates(joint: Entries) -> "Figure | None":
    gates = {
        f"{entry['name']}: {gate}": weights
        for entry in joint
        for gate, weights in entry["gates"].items()
    }
    if not gates:
        return None
    figure, axes = _panel(height=max(_PANEL[1], 0.3 * len(gates) + 1))
    places, left = np.arange(len(gates)), np.zeros(len(gates))
    for expert in range(max(map(len, gates.values()))):
        widths = np.array(
            [(*weights, 0.0)[min(expert, len(weights))] for weights in gates.values()]
        )
        axes.barh(places, widths, left=left, label=f"expert {expert}")
        left += widths
    axes.set_yticks(places, list(gates), fontsize="x-small", parse_math=False)
    axes.invert_yaxis()
    _legend(axes)
    return figure


def _panel(height: float = _PANEL[1]) -> "tuple[Figure, Axes]":
    # Imported late, as it takes half a second. A Figure of its own, without pyplot's state.
    from matplotlib.figure import Figure

    figure = Figure(figsize=(1.7 * _PANEL[0], height), layout="constrained")
    return figure, figure.add_subplot()


def _colours(entries: Entries) -> list[str]:
    """One for each, in the order of the names."""
    return [f"C{place % _COLOURS}" for place, _ in zip(itertools.count(), entries, strict=False)]


def _legend(axes: "Axes") -> None:
    legend = axes.legend(fontsize="xx-small", loc="center left", bbox_to_anchor=(1.0, 0.5))
    for text in legend.get_texts():
        text.set_parse_math(False)  # a `$` is a dollar
