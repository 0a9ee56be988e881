"""An overview as one HTML file: its numbers, and plots as SVG inside it."""

import html
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from multitask_recommender import pages
from multitask_recommender.exploration.overview import Overview
from multitask_recommender.traps import Trap


def render(overview: Overview, tables: Mapping[str, list[list[str]]], traps: Iterable[Trap]) -> str:
    """The page. tables: rows of cells by heading, the first row being the titles."""
    parts = [f'<p class="warning">{html.escape(text)}</p>' for text in overview.warnings]
    parts += [f"<h2>{html.escape(title)}</h2>{pages.table(rows)}" for title, rows in tables.items()]
    parts += [f"<p><b>{trap.severity}: {trap.name}</b> {_text(trap)}</p>" for trap in traps]
    parts.append('<h2>Curves</h2><div class="plots">')
    parts += [_svg(*plot) for plot in _plots(overview)]
    parts.append("</div>")
    return pages.page(overview.name, "\n".join(parts))


def _text(trap: Trap) -> str:
    return html.escape(trap.sentence)


def _plots(overview: Overview) -> Iterable[tuple[str, Callable, Any]]:
    """Title, function that draws, and its data, of each plot."""
    yield "Popularity: events of the most popular items", _popularity, overview
    yield "Events per user", _lengths, overview.per_user
    yield "Events per item", _lengths, overview.per_item
    for name, label in overview.labels.items():
        if len(label.values) > 2:
            yield f"Values of {name}", _bars, label.values
    for name, column in overview.columns.items():
        if column.values is not None and len(column.values):
            yield f"Values of {name}", _histogram, column.values
        elif column.top:
            yield f"Most frequent values of {name}", _bars, column.top


def _svg(title: str, draw: Callable[[Axes, Any], None], data: Any) -> str:
    figure = Figure(figsize=(4.6, 3.2), layout="constrained")
    axes = figure.add_subplot()
    draw(axes, data)
    axes.set_title(title, fontsize=10, parse_math=False)
    return pages.svg(figure, "explore")


def _popularity(axes: Axes, overview: Overview) -> None:
    axes.plot(*overview.popularity)
    axes.plot([0, 1], [0, 1], ":", color="grey")
    axes.set(xlabel="share of items", ylabel="share of events")


def _lengths(axes: Axes, counts: np.ndarray) -> None:
    """The complementary distribution: how many have at least so many events."""
    values, first = np.unique(counts[::-1], return_index=True)
    axes.step(values, len(counts) - first, where="post")
    axes.set(xlabel="events, at least", ylabel="how many", xscale="log", yscale="log")


def _bars(axes: Axes, counts: Mapping) -> None:
    names = [f"{name:g}" if isinstance(name, float) else str(name)[:18] for name in counts]
    places = np.arange(len(names))
    axes.barh(places, list(counts.values()))
    axes.set_yticks(places, names, fontsize=7, parse_math=False)  # a `$` is a dollar
    axes.invert_yaxis()


def _histogram(axes: Axes, values: np.ndarray) -> None:
    axes.hist(values, bins=50, log=True)
    axes.set(ylabel="events")
