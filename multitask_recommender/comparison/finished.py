"""Finished runs, read for comparison: what a run wrote itself, and nothing that was changed."""

import dataclasses
import functools
import json
import pathlib
from typing import TYPE_CHECKING, Any

from multitask_recommender import evaluation, record, run_folder
from multitask_recommender.config import Config, load
from multitask_recommender.errors import RunError
from multitask_recommender.export.card import FILE as CARD
from multitask_recommender.export.folder import EXTRA, latest, versions

if TYPE_CHECKING:
    import polars as pl


@dataclasses.dataclass(frozen=True)
class Run:
    """A run under a name, with what metrics.json holds, and the checksums of its files."""

    name: str
    folder: pathlib.Path
    config: Config
    results: dict[str, Any]
    checksums: dict[str, str]

    @property
    def metrics(self) -> dict[str, float]:
        return self.results["metrics"]

    @property
    def tasks(self) -> list[str]:
        return list(self.config.tasks)

    @functools.cached_property
    def per_user(self) -> "pl.DataFrame":
        """See evaluation/kept.py."""
        return self._table(evaluation.PER_USER)

    @functools.cached_property
    def per_row(self) -> "pl.DataFrame":
        return self._table(evaluation.PER_ROW)

    @functools.cached_property
    def history(self) -> list[dict[str, str]]:
        """Rows of history.csv, as text."""
        return run_folder.read_history(self.folder / run_folder.HISTORY)

    @property
    def export(self) -> dict[str, Any] | None:
        """Of the latest export: its version, signatures and parity; None without one."""
        base = self.folder / run_folder.EXPORT
        if not versions(base):
            return None
        card = json.loads((latest(base) / EXTRA / f"{CARD}.json").read_text())
        return {key: card[key] for key in ("version", "signatures", "parity")}

    def _table(self, name: str) -> "pl.DataFrame":
        import polars as pl

        return pl.read_parquet(self.folder / name)


def read(name: str, folder: pathlib.Path) -> Run:
    """Raises ConfigError where the folder is no finished run, RunError where a file was changed."""
    run_folder.check_complete(folder)
    checksums = run_folder.check_untampered(folder)
    results = json.loads((folder / run_folder.METRICS).read_text())
    return Run(name, folder, load(folder / run_folder.CONFIG), results, checksums)


def check_config(run: Run, config: Config) -> None:
    """Raises RunError where the run under a cell's name was made by another config."""
    there, here = run.config.to_dict(), config.to_dict()
    for values in (there, here):
        values["dataset"] = record.without_places(values["dataset"])
    if there != here:
        sections = ", ".join(key for key in here if here[key] != there[key])
        raise RunError(
            f"{run.folder} was trained by another config, which differs in {sections}: choose "
            "another --out, or remove that run."
        )
