"""What `runs` does with the runs of a folder: it lists them, compares two, deletes one."""

import dataclasses
import json
import pathlib
import shutil
import time
from typing import Any, Literal

from multitask_recommender import config_file, differences, report, run_folder
from multitask_recommender.errors import ConfigError, RunError

State = Literal["complete", "partial", "running"]
_DELETING = ".deleting"  # the end of the name of a run that is on its way out
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (0, "s"))


@dataclasses.dataclass(frozen=True)
class Run:
    """A run as it lies in its folder; `metrics` is empty unless it is complete."""

    path: pathlib.Path
    state: State
    config: dict[str, Any]
    metrics: dict[str, Any]

    @property
    def name(self) -> str:
        return self.path.name.removesuffix(run_folder.UNFINISHED)

    @property
    def age(self) -> str:
        """Since something was last written: `3 h`."""
        newest = max(path.stat().st_mtime for path in self.path.iterdir())
        seconds = max(0.0, time.time() - newest)
        size, unit = next(each for each in _UNITS if seconds >= each[0])
        return f"{seconds / (size or 1):.0f} {unit}"

    @property
    def place(self) -> str:
        """How far an unfinished one has come: `search 12`; '' before its first epoch."""
        path = self.path / run_folder.HISTORY
        if self.metrics or not path.exists():
            return ""
        rows = run_folder.read_history(path)
        return f"{rows[-1]['phase']} {rows[-1]['epoch']}" if rows else ""

    @property
    def kind(self) -> str:
        """Its model, and how tasks share where they do."""
        names = [self.config[axis]["name"] for axis in ("model", "sharing") if axis in self.config]
        return " x ".join(names)


def read(path: pathlib.Path) -> Run:
    """Raises ConfigError where there is no run; that of `DIR.partial` is found at `DIR` too."""
    partial = path.with_name(path.name + run_folder.UNFINISHED)
    if not path.exists() and partial.exists():
        path = partial
    run = _read(path)
    if run is None:
        raise ConfigError(
            f"{path} is not a run: it holds no {run_folder.CONFIG} that a training wrote."
        )
    return run


def _read(path: pathlib.Path) -> Run | None:
    """None where there is no run: any YAML file may be called so, but only a run has a record."""
    try:
        config = config_file.read(path / run_folder.CONFIG)
        metrics = json.loads((path / run_folder.METRICS).read_text())
    except ConfigError:
        return None
    except FileNotFoundError:
        metrics = {}
    except (OSError, ValueError) as error:
        raise RunError(f"{path / run_folder.METRICS} is damaged: {error}") from error
    is_partial = path.name.endswith(run_folder.UNFINISHED)
    if config_file.RECORD not in config or not (metrics or is_partial):
        return None
    state: State = "partial" if is_partial else "complete"
    return Run(path, "running" if run_folder.is_locked(path) else state, config, metrics)


def show(folder: pathlib.Path) -> None:
    """A table of the runs in a folder, the newest last."""
    if not folder.is_dir():
        raise ConfigError(f"{folder} is no folder: name that of the runs with --dir.")
    found = filter(None, map(_read, folder.iterdir()))
    runs = sorted(found, key=lambda run: run.path.stat().st_mtime)
    titles = {
        title: None
        for run in runs
        if run.metrics
        for title in report.headline(run.metrics["metrics"])
    }
    columns = ["state", "age", "model", "dataset", *titles]
    report.show_table(f"runs in {folder}", columns, {run.name: _cells(run, titles) for run in runs})


def _cells(run: Run, titles: dict[str, None]) -> list[str]:
    metrics = run.metrics.get("metrics", {})
    keys = report.headline(metrics)
    state = f"{run.state} {run.place}".strip()
    dataset = run.config["dataset"]["name"]
    figures = [report.shown(metrics.get(keys.get(title))) for title in titles]
    return [state, run.age, run.kind, dataset, *figures]


def compare(first: pathlib.Path, second: pathlib.Path) -> None:
    """Tables of what differs between two complete runs, in their configs and in their metrics."""
    runs = [read(path) for path in (first, second)]
    for run in runs:
        if not run.metrics:
            raise ConfigError(f"{run.path} is {run.state}: there are no metrics to compare yet.")
    settings = differences.between(*(run.config for run in runs))
    if any(key.startswith("record.data.") for key in settings):
        report.warn(["the data are not the same: figures of their test rows do not compare."])
    names = [str(path) for path in (first, second)]
    report.show_table("config", names, {key: list(pair) for key, pair in settings.items()})
    one, other = (run.metrics["metrics"] for run in runs)
    rows = {
        key: [report.shown(one.get(key)), report.shown(other.get(key)), _change(one, other, key)]
        for key in dict.fromkeys((*one, *other))
        if one.get(key) != other.get(key)
    }
    report.show_table("metrics", [*names, "change"], rows)


def _change(one: dict[str, float], other: dict[str, float], key: str) -> str:
    return f"{other[key] - one[key]:+.4f}" if key in one and key in other else report.shown(None)


def delete(path: pathlib.Path, is_sure: bool) -> None:
    """Removes a run that nobody is at work in.

    is_sure: whether a person has said so. Raises ConfigError without that, or for what is no run.
    """
    if path.is_symlink():
        raise ConfigError(f"{path} is a link: name the folder that it leads to.")
    run = read(path)
    if not is_sure:
        raise ConfigError(f"{run.path} would be deleted with all it holds: say so with --yes.")
    exports = run.path / run_folder.EXPORT
    if run.state == "running" or run_folder.is_locked(exports):
        raise RunError(f"{run.path} is in use: a training or an export is at work in it.")
    with run_folder.locked(run.path):
        aside = run.path.with_name(f".{run.path.name}{_DELETING}")
        run.path.rename(aside)  # at once, so that half a run is never seen
    shutil.rmtree(aside)
    report.say(f"Deleted: {run.path}")
