"""One setting, learnt from train and judged on validation: never on test."""

import gc
import math
import pathlib
import shutil
import time
from collections.abc import Callable, Mapping
from typing import Any

from multitask_recommender.config import Config
from multitask_recommender.errors import ConfigError, DataError, RunError
from multitask_recommender.experiment import Experiment, read
from multitask_recommender.schema import VALIDATION
from multitask_recommender.splits import Splits
from multitask_recommender.sweeps.plan import Cell
from multitask_recommender.sweeps.records import Records
from multitask_recommender.training.early_stopping import Monitor

COMPLETE, PRUNED, FAILED = "complete", "pruned", "failed"
_FOLDER = "training"  # of what is being trained; gone when that is done

GoesOn = Callable[[int, float], bool]  # epoch, value of the metric: False ends the training


class Trainer:
    """Trains the cells of a sweep, and keeps a record of each.

    Args:
      monitor: what cells are judged by.
      baseline: the baseline that is fitted instead of the model, if one is.
      data: where their rows come from.
      folder: of the sweep.
      records: what is done already is not done again.
    """

    def __init__(
        self,
        monitor: Monitor,
        baseline: str | None,
        data: "Data",
        folder: pathlib.Path,
        records: Records,
    ) -> None:
        self._monitor = monitor
        self._baseline = baseline
        self._data = data
        self._folder = folder / _FOLDER
        self._records = records

    def __call__(self, cell: Cell, seed: int, goes_on: GoesOn | None = None) -> dict[str, Any]:
        """The record of a cell. goes_on: False from it prunes the training.

        A training that was interrupted goes on at its last checkpoint; one that may be pruned
        begins anew, as whoever prunes it wants to hear all of its validations.
        """
        found = self._records.find(cell.settings, seed)
        if found is not None:
            return found
        if goes_on is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
        started = time.monotonic()
        try:
            told = self._told(cell, seed, goes_on)
        except (ConfigError, DataError, RunError, MemoryError) as error:
            told = {"state": FAILED, "error": str(error) or "out of memory"}
        gc.collect()  # a model is a ring of objects: its tables go before the next ones are made
        shutil.rmtree(self._folder, ignore_errors=True)
        seconds = round(time.monotonic() - started, 3)
        record = {"settings": cell.settings, "seed": seed, **told, "seconds": seconds}
        self._records.add(record)
        return record

    def _told(self, cell: Cell, seed: int, goes_on: GoesOn | None) -> dict[str, Any]:
        if cell.config is None:
            raise ConfigError(cell.fault)
        config = with_monitor(cell.config, self._monitor).with_training(seed=seed)
        experiment = Experiment(config, self._data(config))
        experiment.check_monitor()
        if self._baseline is not None:
            return self._judged(experiment.search_baseline(self._baseline))
        return self._searched(experiment, goes_on)

    def _searched(self, experiment: Experiment, goes_on: GoesOn | None) -> dict[str, Any]:
        import tensorflow as tf

        listener = _Listener(goes_on)
        try:
            searched = experiment.search(self._folder_of(experiment.config), listener)
        except tf.errors.ResourceExhaustedError as error:
            raise MemoryError(f"out of memory: {error.message}") from error
        if listener.has_ended:
            told: dict[str, Any] = {"state": PRUNED, "value": searched.curve[-1][1]}
        else:
            told = {**self._judged(searched.validation), "epoch": searched.epoch}
        return {**told, "curve": searched.curve, "parameters": searched.parameters}

    def _folder_of(self, config: Config) -> pathlib.Path:
        """For the checkpoints of a training; those of another are removed."""
        text = config.to_yaml()
        path = self._folder / "config.yaml"
        if path.exists() and path.read_text() != text:
            shutil.rmtree(self._folder)
        self._folder.mkdir(exist_ok=True)
        path.write_text(text)
        return self._folder

    def _judged(self, metrics: Mapping[str, float]) -> dict[str, Any]:
        key = self._monitor.key
        if key not in metrics or not math.isfinite(metrics[key]):
            found = f"is {metrics[key]}" if key in metrics else "was not computed"
            raise RunError(
                f"{key}, by which the settings are judged, {found}. "
                f"There are: {', '.join(metrics) or 'none'}. Name one with --metric, without its "
                f"{VALIDATION}/."
            )
        finite = {name: value for name, value in metrics.items() if math.isfinite(value)}
        return {"state": COMPLETE, "value": metrics[key], "metrics": finite}


def with_monitor(config: Config, monitor: Monitor) -> Config:
    """The same config, its epochs chosen by the metric that settings are judged by."""
    return config.with_training(monitor=monitor.key.removeprefix(f"{VALIDATION}/"))


class _Listener:
    """Asks whether to go on, and remembers a no."""

    def __init__(self, goes_on: GoesOn | None) -> None:
        self._goes_on = goes_on
        self.has_ended = False

    def __call__(self, epoch: int, value: float) -> bool:
        self.has_ended = self._goes_on is not None and not self._goes_on(epoch, value)
        return not self.has_ended


class Data:
    """The rows of the dataset and split that were asked for last, for all that share them."""

    def __init__(self) -> None:
        self._of: Any = None
        self._parts: Splits | None = None

    def __call__(self, config: Config) -> Splits:
        of = (config.dataset, config.split)
        if self._parts is None or self._of != of:
            self._parts = None  # the one is freed before the other is read
            self._parts, self._of = read(config), of
        return self._parts
