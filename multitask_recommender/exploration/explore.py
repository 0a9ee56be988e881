"""`explore`: reads a dataset, shows what it is in the terminal, and writes the page."""

import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from multitask_recommender import registry, run_folder, splits, traps
from multitask_recommender.config import Config, parse
from multitask_recommender.exploration.overview import Overview, overlap, overview
from multitask_recommender.interactions import Interactions
from multitask_recommender.splits.vocabulary import with_log_features

Rows = list[list[str]]


def read(config: Config) -> Interactions:
    """The rows of a config's dataset, before any split; with the features that all of them tell."""
    dataset = registry.load("datasets", config.dataset.name)
    interactions = dataset.read(config.dataset.settings, config.split.fold)
    return with_log_features(interactions, np.ones(len(interactions), bool))


def traps_of(interactions: Interactions, found: Overview) -> list[traps.Trap]:
    """The traps of a model that reads every feature and learns every label."""
    whole = splits.split(interactions, splits.Settings(name="random", test=0.0, validation=0.0))
    users, items = ([*each.features] for each in (whole.train.users, whole.train.items))
    kinds = {name: "binary" if name in found.binary else "rating" for name in found.labels}
    everything = {
        "model": {
            "name": "two_tower",
            "user": ["id", *users],
            "item": ["id", *items],
            "context": [*interactions.context],
        },
        "tasks": {name: {"kind": kind} for name, kind in kinds.items()} or {"retrieval": {}},
    }
    return traps.find(whole, parse(everything))


def explore(
    interactions: Interactions,
    others: Sequence[Interactions],
    path: pathlib.Path,
    console: Console,
) -> None:
    """Shows the dataset beside `others`, whose users and items it may share."""
    run_folder.check_writable(path)
    found = overview(interactions)
    shown = tables(found)
    if others:
        shown["Ids in common with"] = _overlaps(interactions, others)
    console.print(f"[bold]{escape(found.name)}[/]")
    for title, rows in shown.items():
        console.print(_rich(title, rows))
    for text in found.warnings:
        console.print(f"[bold yellow]WARNING[/] {escape(text)}", highlight=False)
    traps_found = traps_of(interactions, found) if len(interactions) else []
    if traps_found:
        console.print("[bold]Traps[/], if every label were learnt from every feature")
    for trap in traps_found:
        console.print(f"{trap.severity} {trap.name}: {escape(trap.sentence)}", highlight=False)

    # Half a second of imports, after the numbers are on the screen.
    from multitask_recommender.exploration import page

    with run_folder.aside(path) as unfinished:
        unfinished.write_text(page.render(found, shown, traps_found), encoding="utf-8")
    console.print(f"Written: {escape(str(path))}", highlight=False)


def tables(found: Overview) -> dict[str, Rows]:
    """What is shown, by heading: rows of cells, the first row being the titles."""
    shown = {
        "Rows": _counts(found),
        "Events": [
            ["", "least", "median", "mean", "most"],
            _lengths("of a user", found.per_user),
            _lengths("of an item", found.per_item),
        ],
    }
    if found.labels:
        shown["Labels"] = _labels(found)
    if len(found.binary) > 1:
        shown["Of rows with the label at the left, the share that has"] = [
            ["", *found.binary],
            *(
                [name, *map(_share, row)]
                for name, row in zip(found.binary, found.together, strict=True)
            ),
        ]
    if found.columns:
        shown["Features"] = _features(found)
    return shown


def _counts(found: Overview) -> Rows:
    rows = [
        ["", "number"],
        ["rows", f"{found.rows:,}"],
        ["users that occur", f"{found.users:,} of {found.catalogue[0]:,}"],
        ["items that occur", f"{found.items:,} of {found.catalogue[1]:,}"],
        ["density", f"{found.density:.4%}"],
        ["rows of a pair met before", f"{found.repeated_pairs:,}"],
        ["rows equal to another", f"{found.duplicate_rows:,}"],
        ["order", found.order],
    ]
    if found.fold_in:
        rows.append(["rows that tell of held-out users alone (fold-in)", f"{found.fold_in:,}"])
    shares, events = found.popularity
    if len(shares) > 1:
        tenth = events[(shares <= 0.1).nonzero()[0][-1]]
        rows.append(["events of the most popular tenth of items", f"{tenth:.1%}"])
    return rows


def _lengths(name: str, counts: Any) -> list[str]:
    if not len(counts):
        return [name, "-", "-", "-", "-"]
    middle = counts[len(counts) // 2]
    return [name, f"{counts[-1]:,}", f"{middle:,}", f"{counts.mean():.1f}", f"{counts[0]:,}"]


def _labels(found: Overview) -> Rows:
    rows = [["", "observed", "mean", "values"]]
    for name, label in found.labels.items():
        mean = "-" if label.mean is None else f"{label.mean:.4g}"
        values = ", ".join(f"{value:g}: {count:,}" for value, count in label.values.items())
        rows.append([name, f"{label.observed:,}", mean, values])
    return rows


def _features(found: Overview) -> Rows:
    rows = [["", "kind", "missing", "distinct", "most frequent, or quantiles"]]
    for name, column in found.columns.items():
        if column.kind == "numeric":
            top = " ".join(f"{value:g}" for value in column.top.values())
        else:
            top = ", ".join(f"{value}: {count:,}" for value, count in list(column.top.items())[:5])
        distinct = "" if column.distinct is None else f"{column.distinct:,}"
        rows.append([name, column.kind, f"{column.missing:.2%}", distinct, top])
    return rows


def _overlaps(interactions: Interactions, others: Sequence[Interactions]) -> Rows:
    rows = [["", "users", "items"]]
    for other in others:
        users = overlap(interactions.users, other.users)
        items = overlap(interactions.items, other.items)
        rows.append([other.source.name, f"{users:,}", f"{items:,}"])
    return rows


def _share(value: float) -> str:
    return "-" if value != value else f"{value:.4f}"


def _rich(title: str, rows: Rows) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1))
    for column, *cells in zip(*rows, strict=True):
        is_text = any(" " in cell or cell[:1].isalpha() for cell in cells)
        table.add_column(column, justify="left" if is_text else "right", overflow="fold")
    for row in rows[1:]:
        table.add_row(*map(escape, row))
    return table
