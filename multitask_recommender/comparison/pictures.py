"""Pictures of a leaderboard: each a figure made of its JSON alone, or none where it has no data."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from multitask_recommender.comparison.differences import MARKS, less_is_better, nearest
from multitask_recommender.comparison.looks import PANEL, Looks, legend, panel, varied

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Group = Mapping[str, Any]
Entries = Sequence[Mapping[str, Any]]


def draw(group: Group) -> "Iterator[tuple[str, Figure]]":
    """Titles and figures of a group of a leaderboard."""
    joint = [entry for entry in group["entries"] if entry["task"] is None]
    looks = Looks(group["axes"])
    told = "darker is better"
    if any(each["is_twin"] for each in group["differences"]):
        told += "; + and - than the single-task twin"
    for key, title in _main(group).items():
        if len(varied(group["axes"])) > 1:
            yield f"Grid: {title} ({told})", _heat_map(group, joint, key)
        yield f"Against time: {title}", _against_time(group, looks, key)
    front = _front(group, joint, looks)
    if front is not None:
        yield "Retrieval against rating, over the weights of the tasks", front
    for label in dict.fromkeys(label for entry in joint for label in entry["calibration"]):
        yield f"Calibration: {label}", _calibration(joint, looks, label)
    drawn = {
        "Recall by the popularity of the item": _by_popularity(joint, looks),
        "How much of the catalogue is recommended": _coverage(joint, looks),
        "Learning curves": _curves(joint, looks),
        "Gates: mean weights of experts at the end": _gates(joint),
    }
    yield from ((title, figure) for title, figure in drawn.items() if figure is not None)


def _main(group: Group) -> dict[str, str]:
    """The first column of each task."""
    found: dict[str, str] = {}
    for key, title in group["columns"].items():
        found.setdefault(title.split("/")[0], key)
    return {key: group["columns"][key] for key in found.values()}


def _told(key: str) -> str:
    """A metric as the title of an axis."""
    less = "\nless is better" if less_is_better(key) else ""
    return key.removeprefix("test/") + less


def _heat_map(group: Group, joint: Entries, key: str) -> "Figure":
    """Models down, sharings across; further axes beside the model. With + and - where the joint
    model is better and worse than its twin in the task that the figure is of."""
    down, across, *more = axes = varied(group["axes"])
    columns = list(axes[across])
    lines = sorted(
        {tuple(entry["setting"][axis] for axis in (down, *more)) for entry in joint},
        key=lambda labels: [axes[a].index(b) for a, b in zip((down, *more), labels, strict=True)],
    )
    figure, drawn = panel(height=0.4 * len(lines) + 0.6)
    values = np.full((len(lines), len(columns)), np.nan)
    for entry in joint:
        if key in entry["metrics"]:
            line = lines.index(tuple(entry["setting"][axis] for axis in (down, *more)))
            column = columns.index(entry["setting"][across])
            values[line, column] = value = entry["metrics"][key]["mean"]
            text = f"{value:.4f} {_mark(group, entry, key)}".strip()
            drawn.text(column, line, text, ha="center", va="center", fontsize=8)
    colours = "Blues_r" if less_is_better(key) else "Blues"
    drawn.imshow(values, aspect="auto", cmap=colours, alpha=0.6)
    drawn.set_yticks(range(len(lines)), map(" ".join, lines), parse_math=False)
    drawn.set_xticks(range(len(columns)), columns, parse_math=False)
    return figure


def _mark(group: Group, entry: Mapping[str, Any], key: str) -> str:
    metric = key.removeprefix("test/")
    for each in group["differences"]:
        if each["is_twin"] and each["name"] == entry["name"] and each["metric"] == metric:
            return MARKS.get(each["verdict"], "")
    return ""


def _against_time(group: Group, looks: Looks, key: str) -> "Figure":
    points = (
        (entry, [(entry["cost"]["training_seconds"], entry["metrics"][key]["mean"])])
        for entry in group["entries"]
        if key in entry["metrics"]
    )
    return _drawn(looks, points, "seconds of training", _told(key), are_lines=False)


def _front(group: Group, joint: Entries, looks: Looks) -> "Figure | None":
    """Entries that differ in their weights, and those that no other beats in both.

    Dotted lines are single-task twins, which have one of the two figures.
    """
    ranks = nearest(list(group["columns"]), "full", "ndcg", 10)
    rates = next((k for k in group["columns"] if k.endswith("root_mean_squared_error")), None)
    both = [entry for entry in joint if {ranks, rates} <= entry["metrics"].keys()]
    weights = {repr(sorted((n, t["weight"]) for n, t in each["tasks"].items())) for each in both}
    if len(weights) < 2:
        return None
    points = [tuple(each["metrics"][key]["mean"] for key in (rates, ranks)) for each in both]
    drawn = [(entry, [point]) for entry, point in zip(both, points, strict=True)]
    figure = _drawn(looks, drawn, _told(rates), _told(ranks), are_lines=False)
    (axes,) = figure.axes
    best = [
        (error, rank)
        for error, rank in points
        if not any(e <= error and r >= rank and (e, r) != (error, rank) for e, r in points)
    ]
    axes.plot(*zip(*sorted(best), strict=True), "-", color="grey", linewidth=1, zorder=0)
    for twin in (entry for entry in group["entries"] if entry["task"] is not None):
        colour = looks.of(twin)["color"]
        if ranks in twin["metrics"]:
            axes.axhline(twin["metrics"][ranks]["mean"], color=colour, linestyle=":", linewidth=1)
        if rates in twin["metrics"]:
            axes.axvline(twin["metrics"][rates]["mean"], color=colour, linestyle=":", linewidth=1)
    return figure


def _calibration(joint: Entries, looks: Looks, label: str) -> "Figure":
    points = (
        (entry, [(each["prediction"], each["rate"]) for each in entry["calibration"][label]])
        for entry in joint
        if label in entry["calibration"]
    )
    figure = _drawn(looks, points, "mean prediction", "rate of positives")
    figure.axes[0].axline((0, 0), slope=1, linestyle=":", color="grey")
    return figure


def _by_popularity(joint: Entries, looks: Looks) -> "Figure | None":
    entries = [entry for entry in joint if entry["popularity_recall"]]
    if not entries:
        return None
    key = next(k for k in entries[0]["popularity_recall"][0] if k.startswith("recall@"))
    points = (
        (
            entry,
            [(f"{each['from']:.0%}-{each['to']:.0%}", each[key]) for each in strata],
        )
        for entry in entries
        for strata in [entry["popularity_recall"]]
    )
    return _drawn(looks, points, "items, the least popular first", key)


def _coverage(joint: Entries, looks: Looks) -> "Figure | None":
    keys = list(dict.fromkeys(key for entry in joint for key in entry["metrics"]))
    key = nearest(keys, "full", "coverage", 20)
    entries = [entry for entry in joint if key in entry["metrics"]]
    if not entries:
        return None
    figure, axes = panel(height=0.2 * len(entries) + 0.8)
    places = np.arange(len(entries))
    values = [entry["metrics"][key]["mean"] for entry in entries]
    axes.barh(places, values, color=[looks.of(entry)["color"] for entry in entries])
    names = [entry["name"] for entry in entries]
    axes.set_yticks(places, names, fontsize="x-small", parse_math=False)
    axes.invert_yaxis()
    axes.set_xlabel(key.removeprefix("test/"))
    return figure


def _curves(joint: Entries, looks: Looks) -> "Figure | None":
    entries = [entry for entry in joint if entry["curve"]["points"]]
    if not entries:
        return None
    told = ", ".join(dict.fromkeys(entry["curve"]["of"] for entry in entries))
    return _drawn(looks, ((each, each["curve"]["points"]) for each in entries), "epoch", told)


def _gates(joint: Entries) -> "Figure | None":
    gates = {
        f"{entry['name']}: {gate}": weights
        for entry in joint
        for gate, weights in entry["gates"].items()
    }
    if not gates:
        return None
    figure, axes = panel(height=max(PANEL[1], 0.3 * len(gates) + 1))
    places, left = np.arange(len(gates)), np.zeros(len(gates))
    for expert in range(max(map(len, gates.values()))):
        widths = np.array(
            [(*weights, 0.0)[min(expert, len(weights))] for weights in gates.values()]
        )
        axes.barh(places, widths, left=left, label=f"expert {expert}")
        left += widths
    axes.set_yticks(places, list(gates), fontsize="x-small", parse_math=False)
    axes.invert_yaxis()
    legend(axes)
    return figure


def _drawn(
    looks: Looks,
    points: Iterable[tuple[Mapping[str, Any], Sequence[tuple[Any, float]]]],
    across: str,
    up: str,
    are_lines: bool = True,
) -> "Figure":
    """Entries and their points, as lines or apart; with the titles of both axes."""
    figure, axes = panel()
    for entry, of_entry in points:
        look = looks.of(entry)
        line = look if are_lines else {**look, "linestyle": "none"}
        axes.plot(*zip(*of_entry, strict=True), **line)
    axes.set(xlabel=across, ylabel=up)
    legend(axes)
    return figure
