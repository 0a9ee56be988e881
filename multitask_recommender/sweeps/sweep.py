"""Trains what a plan asks for, and writes and shows what was found.

cells.jsonl    a line for each training that is done: by it the same command goes on
study.journal  of a search: Optuna's
sweep.json     the recipe, what was varied, and every cell with its validation metrics
sweep.csv      a row a cell
*.svg          pictures
"""

import pathlib
from typing import Any

from multitask_recommender import record, report, run_folder
from multitask_recommender.errors import ConfigError, RunError
from multitask_recommender.experiment import Experiment
from multitask_recommender.schema import TOTAL_LOSS, VALIDATION
from multitask_recommender.sweeps import results, table
from multitask_recommender.sweeps.plan import Cell, Plan
from multitask_recommender.sweeps.records import Records
from multitask_recommender.sweeps.search import Search
from multitask_recommender.sweeps.trainer import (
    COMPLETE,
    FAILED,
    Data,
    GoesOn,
    Trainer,
    with_monitor,
)
from multitask_recommender.training.early_stopping import Monitor

RECORDS, JSON, CSV = "cells.jsonl", "sweep.json", "sweep.csv"


def run(plan: Plan, folder: pathlib.Path) -> None:
    """Trains the cells that the folder does not hold yet.

    Raises ConfigError before anything is written where the recipe does not fit its data or the
    folder is of another sweep, and RunError where every cell failed.
    """
    data = Data()
    experiment = Experiment(plan.config, data(plan.config))
    if not len(experiment.data.validation):
        raise ConfigError(
            "A sweep is judged on validation, of which there is no row: set split.validation."
        )
    monitor = experiment.monitor
    run_folder.check_writable(folder / RECORDS)
    report.show_data(experiment.data, experiment.config, experiment.traps)
    folder.mkdir(parents=True, exist_ok=True)
    with run_folder.locked(folder):
        records = Records(folder / RECORDS, _header(plan, experiment))
        table.show_place(folder)
        trainer = Trainer(monitor, plan.baseline, data, folder, records)
        _Sweep(plan, monitor, trainer, records).train(folder)
        _conclude(plan, monitor, records, folder)


def _header(plan: Plan, experiment: Experiment) -> dict[str, Any]:
    """What must be the same for trainings to stand in one table."""
    source = experiment.data.train.source
    return {
        "mode": plan.mode,
        "varied": plan.varied,
        "metric": experiment.monitor.key,
        "config": with_monitor(plan.config, experiment.monitor).to_dict(),
        "dataset": {
            "name": source.name,
            "md5": dict(source.files),
            "warnings": list(source.warnings),
        },
        "versions": record.versions(),
    }


class _Sweep:
    """The trainings of a plan, one after the other, each announced."""

    def __init__(self, plan: Plan, monitor: Monitor, trainer: Trainer, records: Records) -> None:
        self._plan = plan
        self._monitor = monitor
        self._trainer = trainer
        self._records = records

    def train(self, folder: pathlib.Path) -> None:
        plan = self._plan
        if plan.asked.trials is None:
            cells = plan.cells()
            for number, cell in enumerate(cells, start=1):
                first = plan.seed if cell.config is None else cell.config.training.seed
                for seed in range(first, first + plan.asked.seeds):
                    self._trained(f"cell {number} of {len(cells)}", cell, seed)
            return
        own = self._trained("the recipe as it is", plan.own, plan.seed)
        is_lower = self._monitor.lower_is_better
        Search(plan, folder, self._records, is_lower, self._trial)(own)

    def _trial(self, number: int, cell: Cell, goes_on: GoesOn) -> dict[str, Any]:
        place = f"trial {number} of {self._plan.asked.trials}"
        if self._records.find(cell.settings, self._plan.seed) is not None:
            table.announce_repetition(place, cell.settings)
        return self._trained(place, cell, self._plan.seed, goes_on)

    def _trained(
        self, place: str, cell: Cell, seed: int, goes_on: GoesOn | None = None
    ) -> dict[str, Any]:
        if self._records.find(cell.settings, seed) is None:
            best = results.best_of(self._records.rows, self._monitor)
            table.announce(place, cell.settings, seed, best)
        return self._trainer(cell, seed, goes_on)


def _conclude(plan: Plan, monitor: Monitor, records: Records, folder: pathlib.Path) -> None:
    from multitask_recommender.sweeps import pictures

    cells = results.rank(records.rows, monitor, plan.own.settings, plan.asked.seeds)
    found = {
        "recipe": plan.name,
        "overrides": plan.overrides,
        **records.header,
        "lower_is_better": monitor.lower_is_better,
        "seeds": plan.asked.seeds,
        "notes": _notes(plan, monitor),
        "best": cells[0]["number"] if cells[0]["state"] == COMPLETE else None,
        "cells": cells,
    }
    run_folder.write_json(folder / JSON, found)
    results.write_csv(folder / CSV, found)
    written = [folder / JSON, folder / CSV, *pictures.draw(found, plan.axes, folder)]
    table.show(found)
    report.show_written(written)
    if all(cell["state"] == FAILED for cell in cells):
        raise RunError(f"Every cell failed, the first with: {results.errors(cells[0])}")


def _notes(plan: Plan, monitor: Monitor) -> list[str]:
    """What makes cells harder to compare than they look."""
    sections, notes = {key.split(".")[0] for key in plan.varied}, []
    if sections & {"dataset", "split"}:
        notes.append(
            "dataset or split is varied: cells are judged on different validation rows, so that a "
            "difference may be one of how hard they are."
        )
    if sections & {"tasks", "weighting"} and monitor.key == f"{VALIDATION}/{TOTAL_LOSS}":
        notes.append(
            "the metric is the weighted sum of the losses, whose weights are varied: name another "
            "with --metric."
        )
    return notes
