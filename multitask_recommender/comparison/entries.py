"""Entries of a leaderboard: runs of a setting over its seeds, and what they are held against."""

import collections
import dataclasses
import pathlib
from collections.abc import Collection, Mapping, Sequence

from multitask_recommender.comparison import finished
from multitask_recommender.comparison.finished import Run
from multitask_recommender.comparison.plan import Cell
from multitask_recommender.comparison.table import named


@dataclasses.dataclass(frozen=True)
class Entry:
    """Runs of one setting. others: by task, the names of the entries that it is compared with."""

    name: str
    setting: Mapping[str, str]
    task: str | None
    runs: Sequence[Run]
    others: Mapping[str, Sequence[str]]

    def restricted(self, names: Collection[str]) -> "Entry":
        """With the runs of these names alone."""
        return dataclasses.replace(self, runs=[run for run in self.runs if run.name in names])


def of_cells(cells: Sequence[Cell], runs: pathlib.Path) -> list[Entry]:
    """Of the cells that are trained, in the order of the plan."""
    by_name = {cell.name: named(cell.setting, cell.task) for cell in cells}
    entries: dict[str, Entry] = {}
    for cell in cells:
        if not (runs / cell.name).exists():
            continue
        name = by_name[cell.name]
        others = {
            task: [by_name[other] for other in (twin, *cell.against) if other in by_name]
            for task, twin in ((task, cell.twins.get(task)) for task in cell.config.tasks)
        }
        entry = entries.get(name, Entry(name, cell.setting, cell.task, [], {}))
        run = finished.read(cell.name, runs / cell.name)
        entries[name] = dataclasses.replace(
            entry, runs=[*entry.runs, run], others={**entry.others, **others}
        )
    return list(entries.values())


def of_runs(folders: Sequence[pathlib.Path]) -> list[Entry]:
    """Finished runs, those that differ in the seed alone together.

    Each task is compared with a twin where one is among them, else with the first run that learns
    it: a twin has that task alone, and the same model.
    """
    grouped: dict[tuple[str, int], list[Run]] = {}
    repeats: collections.Counter[tuple[str, int]] = collections.Counter()
    for folder in folders:
        run = finished.read(str(folder.absolute()), folder)
        values = run.config.to_dict()
        seed = values["training"].pop("seed")
        repeats[repr(values), seed] += 1  # a run that was made again is an entry of its own
        grouped.setdefault((repr(values), repeats[repr(values), seed]), []).append(run)
    names = _short([_place(runs) for runs in grouped.values()])
    entries = [
        Entry(name, {"run": name}, None, runs, {})
        for name, runs in zip(names, grouped.values(), strict=True)
    ]
    twins = {entry.name: _twins(entry, entries) for entry in entries}
    are_twins = {name for of_tasks in twins.values() for name in of_tasks.values()}
    return [
        dataclasses.replace(entry, others=_others(entry, entries, twins[entry.name]))
        for entry in entries
        if entry.name not in are_twins
    ] + [entry for entry in entries if entry.name in are_twins]


def _twins(entry: Entry, entries: Sequence[Entry]) -> dict[str, str]:
    """By task, the runs of the same model that learn it alone."""
    run = entry.runs[0]
    return {
        each.runs[0].tasks[0]: each.name
        for each in reversed(entries)  # of several, the first
        if each.runs[0].config.model.name == run.config.model.name
        and len(each.runs[0].tasks) == 1 < len(run.tasks)
        and each.runs[0].tasks[0] in run.tasks
    }


def _others(
    entry: Entry, entries: Sequence[Entry], twins: Mapping[str, str]
) -> dict[str, list[str]]:
    """By task, the twin or else the first of the runs before this one that learns it."""
    firsts = {
        task: each.name
        for task in entry.runs[0].tasks
        for each in reversed(entries[: entries.index(entry)])
        if task in each.runs[0].tasks
    }
    return {task: [name] for task, name in {**firsts, **twins}.items()}


def _place(runs: Sequence[Run]) -> pathlib.Path:
    """The folder of the first, without the seed that `compare` has written at its end."""
    folder, seed = runs[0].folder, runs[0].config.training.seed
    return folder if len(runs) == 1 else folder.with_name(folder.name.removesuffix(f"-s{seed}"))


def _short(folders: Sequence[pathlib.Path]) -> list[str]:
    """The names of folders, with as much of their paths as tells them apart."""
    parts = [folder.absolute().parts for folder in folders]
    for length in range(1, max(map(len, parts), default=1) + 1):
        names = ["/".join(each[-length:]) for each in parts]
        if len(set(names)) == len(names):
            break
    return names if parts else []
