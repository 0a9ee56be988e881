"""From untrained to final: find the best epoch on validation data, then refit if there are rows to.

Each phase resumes from its own checkpoint and from the history of the run, which holds what was
validated; the whole ends with the final weights.
"""

import dataclasses
import gc
import math
import pathlib
import shutil
from collections.abc import Callable
from typing import Any

from multitask_recommender.errors import ConfigError, RunError
from multitask_recommender.interactions import Interactions
from multitask_recommender.schema import TOTAL_LOSS
from multitask_recommender.training import cluster, loop, strategy, vocabulary
from multitask_recommender.training.checkpoints import Checkpoints
from multitask_recommender.training.early_stopping import EarlyStopping, Monitor
from multitask_recommender.training.history import History
from multitask_recommender.training.settings import Settings

SEARCH, REFIT = "search", "refit"
WORDS = {SEARCH: 1, REFIT: 2}  # by which a chief tells its workers of a phase
_BEST = "best"  # the weights of the best epoch so far, kept where there is no refit


@dataclasses.dataclass(frozen=True)
class Validation:
    """How a model does on validation data: metrics by flat key, of which one chooses the epoch.

    The final model learns anew from `refit_rows`, for as many epochs; None keeps that epoch's.
    `goes_on` hears each epoch that was validated, with the value of the monitor: the search ends
    where it says False.
    """

    metrics: Callable[[Any], dict[str, float]]
    monitor: Monitor
    refit_rows: Interactions | None = None
    goes_on: Callable[[int, float], bool] = lambda epoch, value: True


@dataclasses.dataclass(frozen=True)
class Searched:
    """What the search came to: the epoch that validation chose, and its metrics there.

    They are empty where the search ended before it. `curve` is the value of the monitor at each
    epoch that was validated, `parameters` how many numbers the model learns.
    """

    epoch: int
    validation: dict[str, float]
    curve: list[tuple[int, float]]
    parameters: int


class Fit:
    """Brings a model through its phases.

    Args:
      settings: the training settings.
      build: makes an untrained model for training interactions.
      validation: None without validation data.
      history: of the run; what it holds already is not done again.
      checkpoints: those of the phases; their folder holds the final weights in the end.
      progress: is told of phases, steps and epochs (report.Progress).
    """

    def __init__(
        self,
        settings: Settings,
        build: Callable[[Interactions], Any],
        validation: Validation | None,
        history: History,
        checkpoints: Checkpoints,
        progress: Any,
    ) -> None:
        self._settings = settings
        self._build = build
        self._validation = validation
        self._monitor = Monitor("", False) if validation is None else validation.monitor
        self.history = history
        self._checkpoints = checkpoints
        self._progress = progress

    def division(self, num_rows: int) -> str | None:
        """How batches are divided among devices; no batch has more than all rows."""
        settings = self._settings
        return strategy.replicas(settings).division(min(settings.batch_size, num_rows))

    def __call__(self, train: Interactions) -> Any:
        """Searches on train, then refits where validation has rows for it: the final model."""
        if loop.has_weights(self._folder):  # interrupted after training, in evaluation say
            model = self._build(train if self._refit_rows is None else self._refit_rows)
            loop.load_weights(model, self._folder)
        else:
            model = self._trained(train)
            vocabulary.write(model, train, self._folder)
            loop.save_weights(model, self._folder)
        for phase in (SEARCH, REFIT, _BEST):
            shutil.rmtree(self._folder / phase, ignore_errors=True)
        return model

    def search(self, train: Interactions) -> Searched:
        """Searches on train, and keeps no weights.

        Raises ConfigError in a cluster: only a whole training has workers that follow it.
        """
        if self._settings.strategy in cluster.STRATEGIES:
            raise ConfigError(
                f"training.strategy is {self._settings.strategy}, which is for train.py: a sweep "
                "is of one process. Use auto, none or mirrored."
            )
        if self._is_searched():  # interrupted after it
            model = self._build(train)
        else:
            model = self._run(SEARCH, train, self._settings.epochs)
        parameters = loop.num_parameters(model)
        return Searched(self.chosen_epoch, self.chosen_metrics, self._curve, parameters)

    @property
    def _folder(self) -> pathlib.Path:
        return self._checkpoints.folder

    def _best(self, epoch: int) -> pathlib.Path:
        """Where the weights of an epoch are kept that was the best so far."""
        return self._folder / _BEST / str(epoch)

    @property
    def _curve(self) -> list[tuple[int, float]]:
        rows, key = self.history.of(SEARCH), self._monitor.key
        return [(row["epoch"], row[key]) for row in rows if key in row]

    @property
    def _refit_rows(self) -> Interactions | None:
        return None if self._validation is None else self._validation.refit_rows

    def _trained(self, train: Interactions) -> Any:
        if self._validation is None:
            return self._run(SEARCH, train, self._settings.epochs)
        model = None
        if not self._is_searched():
            keeps_best = self._refit_rows is None
            model = self._run(SEARCH, train, self._settings.epochs, keeps_best)
        if self._refit_rows is not None:
            # Else its tables and their state would stay beside those of the refit; Keras' models
            # hold themselves.
            model = None
            gc.collect()
            return self._run(REFIT, self._refit_rows, self.chosen_epoch)
        model = self._build(train) if model is None else model
        loop.load_weights(model, self._best(self.chosen_epoch))
        return model

    @property
    def chosen_epoch(self) -> int:
        """The epoch that validation chose; without patience or validation data, the last."""
        if self._settings.patience is None:
            return self._settings.epochs
        return self._stopping().best_epoch or self._settings.epochs

    @property
    def chosen_metrics(self) -> dict[str, float]:
        """The validation metrics of the chosen epoch."""
        rows = self.history.of(SEARCH)
        row = next((row for row in rows if row["epoch"] == self.chosen_epoch), {})
        return {key: value for key, value in row.items() if key.startswith("validation/")}

    def _run(self, phase: str, rows: Interactions, last: int, keeps_best: bool = False) -> Any:
        settings, replicas = self._settings, strategy.replicas(self._settings)
        replicas.tell(WORDS[phase])
        with replicas.scope():
            model = self._build(rows)
        batches = model.batches(rows, settings.batch_size, settings.seed, settings.batch_by)
        checkpoints = self._checkpoints.of(phase)
        training = loop.Training(model, batches, settings, checkpoints, replicas)
        self.history.keep(phase, training.epoch)
        self._progress.start(phase, training.step, last, training.steps_per_epoch)
        try:
            self._train(phase, training, last, keeps_best)
        finally:
            self._progress.finish()
        return model

    def _train(self, phase: str, training: loop.Training, last: int, keeps_best: bool) -> None:
        settings, stopping, monitor = self._settings, self._stopping(), self._monitor.key
        value, goes_on = None, True
        for epoch in training.epochs(last, self._progress.advance):
            validated = {}
            if phase == SEARCH and self._is_due(epoch.number):
                validated = self._validated(training.model)
                is_best = stopping.see(epoch.number, validated[monitor])
                goes_on = self._validation.goes_on(epoch.number, validated[monitor])
                is_last = epoch.number == settings.epochs
                if keeps_best and (is_last if settings.patience is None else is_best):
                    loop.save_weights(training.model, self._best(epoch.number))
            self.history.add(phase, epoch.number, _row(epoch) | validated)
            value = validated.get(monitor, value)
            self._progress.tell(epoch.number, epoch.losses, value, monitor)
            if phase == SEARCH and (stopping.is_over or not goes_on):
                break
            training.save_if_due()
            self._forget(training.saved_epochs)

    def _forget(self, saved: int) -> None:
        """Removes the weights that were the best once, but are not needed again.

        A training that is killed goes on from its last checkpoint, after `saved` epochs: it may
        not find the best of today again, and then wants the best of then.
        """
        needed = {str(self.chosen_epoch), str(self._stopping(saved).best_epoch)}
        for path in (self._folder / _BEST).glob("*"):
            if path.name not in needed:
                shutil.rmtree(path)

    def _validated(self, model: Any) -> dict[str, float]:
        metrics = self._validation.metrics(model)
        monitor = self._monitor.key
        if monitor not in metrics:
            raise RunError(
                f"{monitor} is to choose the epoch (training.monitor), but was not computed. "
                f"There are: {', '.join(metrics) or 'none'}."
            )
        return metrics

    def _is_due(self, epoch: int) -> bool:
        if self._validation is None:
            return False
        return epoch % self._settings.validate_every == 0 or epoch == self._settings.epochs

    def _stopping(self, last: float = math.inf) -> EarlyStopping:
        """Early stopping as it stands after the epochs of the history, up to the `last`."""
        stopping = EarlyStopping(self._monitor, self._settings.patience)
        for epoch, value in self._curve:
            if epoch <= last:
                stopping.see(epoch, value)
        return stopping

    def _is_searched(self) -> bool:
        rows = self.history.of(SEARCH)
        last = rows[-1]["epoch"] if rows else 0
        return self._stopping().is_over or last == self._settings.epochs


def _row(epoch: loop.Epoch) -> dict[str, float]:
    losses = {_loss_key(name): value for name, value in epoch.losses.items()}
    return {"seconds": round(epoch.seconds, 3), **losses, **epoch.sharing}


def _loss_key(name: str) -> str:
    """`loss` for the total, `loss/like` for a task."""
    return name if name == TOTAL_LOSS else f"{TOTAL_LOSS}/{name}"
