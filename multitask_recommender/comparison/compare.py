"""Trains what a plan asks for and is not there yet; then writes and shows what was found.

runs/NAME           an ordinary run for each cell, which `evaluate.py`, `export` and `serve` take
configs/NAME.yaml   its config;  logs/NAME.log   what it printed
baselines.json      what all cells stand beside
leaderboard.json    every figure, and the checksums of the files that it was made of
report.html         the same with pictures: one file that needs no network
"""

import contextlib
import dataclasses
import json
import pathlib
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from multitask_recommender import report, run_folder, runs
from multitask_recommender.comparison import (
    entries,
    finished,
    leaderboard,
    page,
    table,
    workers,
)
from multitask_recommender.comparison.entries import Entry
from multitask_recommender.comparison.plan import Cell, Plan, Refused
from multitask_recommender.comparison.workers import Done, Job
from multitask_recommender.config import parse
from multitask_recommender.errors import ConfigError, RunError
from multitask_recommender.experiment import Experiment
from multitask_recommender.export import folder as export_folder
from multitask_recommender.sweeps.trainer import Data

RUNS, CONFIGS, LOGS = "runs", "configs", "logs"
BASELINES, JSON, HTML = "baselines.json", "leaderboard.json", "report.html"
_DONE, _FAILED = 0, 1  # exit statuses


def run(plan: Plan, folder: pathlib.Path, num_workers: int, exports: bool) -> int:
    """Returns the exit status: 1 where a cell failed, however the others did.

    Raises ConfigError before anything is written where no cell fits its data, and RunError where
    a finished run is of another config, or is not what it was when it was written.
    """
    run_folder.check_writable(folder / JSON)
    cells, refused = _fitting(plan)
    given = entries.of_runs(plan.runs)  # one that cannot be read ends this before any training
    with _opened(folder):
        leaderboard.check_untampered(folder / JSON, folder / RUNS)
        jobs = [job for cell in cells if (job := _job(cell, folder, exports)) is not None]
        table.show_plan(plan, len(cells), len(jobs), refused, folder)
        failed = _train(jobs, num_workers)
        found = [*entries.of_cells(cells, folder / RUNS), *given]
        return _conclude(plan, folder, found, refused, failed)


@contextlib.contextmanager
def _opened(folder: pathlib.Path) -> Iterator[None]:
    """Locked for the block; a folder that was made for it, and came to hold nothing, is removed."""
    is_new = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with run_folder.locked(folder, "comparison"):
            yield
    finally:
        if is_new and [*folder.iterdir()] == [folder / run_folder.LOCK]:
            shutil.rmtree(folder)


def _fitting(plan: Plan) -> tuple[list[Cell], list[Refused]]:
    """The cells that their data can be given to; and all that is refused."""
    data, faults, cells = Data(), {}, []
    for cell in plan.cells:
        config = cell.config.with_training(seed=0)  # which data take a cell, no seed decides
        key = config.to_yaml()
        if key not in faults:
            try:
                Experiment(config, data(config))
                faults[key] = ""
            except ConfigError as error:
                faults[key] = str(error)
        if not faults[key]:
            cells.append(cell)
    reasons = [
        Refused(cell.setting, cell.task, faults[cell.config.with_training(seed=0).to_yaml()])
        for cell in plan.cells
        if cell not in cells
    ]
    refused = [*plan.refused, *{repr(each): each for each in reasons}.values()]
    if plan.cells and not cells:
        raise ConfigError("\n".join(dict.fromkeys(each.reason for each in refused)))
    return cells, refused


def _job(cell: Cell, folder: pathlib.Path, exports: bool) -> Job | None:
    """What is left to do of a cell; None where it is done."""
    run_dir = folder / RUNS / cell.name
    is_trained = run_dir.exists()
    if is_trained:
        finished.check_config(finished.read(cell.name, run_dir), cell.config)
    is_exported = bool(export_folder.versions(run_dir / run_folder.EXPORT))
    if is_trained and (is_exported or not exports):
        return None
    config, log = folder / CONFIGS / f"{cell.name}.yaml", folder / LOGS / f"{cell.name}.log"
    for path in (config, log):
        path.parent.mkdir(exist_ok=True)
    run_folder.write_text(config, cell.config.to_yaml())
    log.unlink(missing_ok=True)
    return Job(cell.name, config, run_dir, log, not is_trained, exports)


def _train(jobs: Sequence[Job], num_workers: int) -> dict[str, str]:
    """What went wrong, by the names of cells. A line for each that ended, with what is left."""
    failed, ended, started = {}, [], time.monotonic()

    def on_done(done: Done) -> None:
        ended.append(done)
        if done.error:
            failed[done.job.name] = done.error
        elapsed = time.monotonic() - started
        left = elapsed / len(ended) * (len(jobs) - len(ended))
        table.show_progress(done, len(ended), len(jobs), left)

    workers.run(jobs, num_workers, on_done)
    return failed


def _conclude(
    plan: Plan,
    folder: pathlib.Path,
    found: Sequence[Entry],
    refused: Sequence[Refused],
    failed: Mapping[str, str],
) -> int:
    if not found:
        raise RunError("Every run failed:\n" + "\n".join(dict.fromkeys(failed.values())))
    heading = {"name": plan.name, "notes": list(plan.grid.notes) if plan.grid else []}
    board = leaderboard.build(
        heading,
        found,
        _baselines(plan, folder / BASELINES),
        [dataclasses.asdict(each) for each in refused],
        failed,
    )
    run_folder.write_text(folder / JSON, leaderboard.text(board))
    run_folder.write_text(folder / HTML, page.render(board))
    table.show(board)
    report.show_written([folder / JSON, folder / HTML])
    return _FAILED if failed else _DONE


def _baselines(plan: Plan, path: pathlib.Path) -> list[dict[str, Any]]:
    """The results of the baselines that each base names; fitted where they are not there yet."""
    kept = json.loads(path.read_text()) if path.exists() else []
    found = []
    for values in plan.grid.bases.values() if plan.grid else []:
        config = parse(values)
        there = next((each for each in kept if each["config"] == config.to_dict()), None)
        found.append(there or {"config": config.to_dict(), **runs.results_of(Experiment(config))})
    if found != kept:
        run_folder.write_json(path, found)
    return found
