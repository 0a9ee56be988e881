"""A config with its data, from rows to results: the only place that wires everything together.

TensorFlow is imported only when a model is made.
"""

import dataclasses
import functools
import pathlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from multitask_recommender import evaluation, record, registry, report, run_folder, splits, traps
from multitask_recommender.assembly import begin, build, read
from multitask_recommender.config import Config
from multitask_recommender.errors import ConfigError
from multitask_recommender.experiment_rows import ExperimentRows
from multitask_recommender.interactions import Interactions
from multitask_recommender.label_chains import restrict_parts
from multitask_recommender.metrics.direction import LOWER
from multitask_recommender.schema import TEST, TOTAL_LOSS, VALIDATION
from multitask_recommender.training.early_stopping import Monitor, choose_monitor

if TYPE_CHECKING:
    from multitask_recommender.training.fit import Fit, Searched

BASELINES = ("popularity", "random")  # beside every model, with those that the config adds


@dataclasses.dataclass(frozen=True)
class Fitted:
    """A trained model, and what validation said: the epoch it chose, and its metrics there.

    seconds: of all its epochs, whether in one process or several.
    """

    model: Any
    epoch: int
    validation: dict[str, float]
    seconds: float


class Experiment:
    """A config with its data: fits the model, restores it, evaluates it.

    data: what `read` returns for the config, where that was read before. Raises ConfigError where
    the config asks for what the data does not have.
    """

    def __init__(self, config: Config, data: splits.Splits | None = None) -> None:
        self.config = config
        self.data = read(config, for_others=False) if data is None else data
        self._retrieval = config.retrieval
        self.kinds = {n: task.name for n, task in config.tasks.items() if n != self._retrieval}
        self._check_settings()
        settings = {name: task.settings for name, task in config.tasks.items()}
        self.data = restrict_parts(self.data, settings)
        self.rows = ExperimentRows(config, self.data, self._retrieval)

    @property
    def retrieves(self) -> bool:
        return self._retrieval is not None

    @property
    def refits(self) -> bool:
        """Whether the final model learns from the validation rows too."""
        return self.rows.refits

    @property
    def learnt_rows(self) -> Interactions:
        """The training rows of the final model."""
        return self.rows.learnt

    @property
    def seen(self) -> list[Interactions]:
        """What users had met before test: an item that was shown, but no positive, is not seen."""
        return [self.rows.met(self.data.train), self.rows.met(self.data.validation)]

    @property
    def fold_in(self) -> Interactions:
        """What is told of the users of test as a history, see ExperimentRows.told."""
        return self.rows.told(TEST)

    def check_monitor(self) -> None:
        """Raises ConfigError where training.monitor will be no metric of the validation part."""
        if self._validator is not None:
            _ = self.monitor

    def positives(self, rows: Interactions) -> np.ndarray | None:
        """A mask of the rows whose item is to be retrieved; None where all are."""
        return self.rows.positives(rows)

    def fit(self, folder: pathlib.Path) -> Fitted:
        """Trains in a folder, going on with what it already holds."""
        from multitask_recommender import plots

        fit = self._fit(folder)
        division = fit.division(len(self.data.train))
        if division is not None:
            report.say(division)
        model = fit(self.data.train)
        monitor = None if self._validator is None else self.monitor.key
        plots.draw_curves(fit.history.rows, monitor, folder / run_folder.CURVES)
        plots.draw_gates(fit.history.rows, folder / run_folder.GATES)
        seconds = sum(row["seconds"] for row in fit.history.rows)
        return Fitted(model, fit.chosen_epoch, fit.chosen_metrics, seconds)

    def search(self, folder: pathlib.Path, goes_on: Callable[[int, float], bool]) -> "Searched":
        """The first phase of `fit` alone, judged on validation: no test row is looked at.

        goes_on: see training.fit.Validation.
        """
        return self._fit(folder, goes_on).search(self.data.train)

    def _fit(
        self, folder: pathlib.Path, goes_on: Callable[[int, float], bool] = lambda *_: True
    ) -> "Fit":
        from multitask_recommender.training.checkpoints import Checkpoints
        from multitask_recommender.training.fit import Fit, Validation
        from multitask_recommender.training.history import History

        validation = None
        if self._validator is not None:
            refit_rows = self.learnt_rows if self.refits else None
            validation = Validation(self._validate, self.monitor, refit_rows, goes_on)
        return Fit(
            self.config.training,
            build=lambda rows: begin(self.config, rows),
            validation=validation,
            history=History(
                folder / run_folder.HISTORY,
                folder / run_folder.TENSORBOARD,
                self.data.train.source.name,
            ),
            checkpoints=Checkpoints(
                folder / run_folder.CHECKPOINTS, record.identity(self.config, self.data.train)
            ),
            progress=report.Progress(),
        )

    def restore(self, run_dir: pathlib.Path) -> Any:
        """The trained model of a finished run."""
        from multitask_recommender.layers import initial
        from multitask_recommender.training import loop

        with initial.not_drawn():
            model = build(self.config, self.learnt_rows)
        loop.load_weights(model, run_dir / run_folder.CHECKPOINTS)
        return model

    @functools.cached_property
    def test_evaluator(self) -> evaluation.Evaluator:
        """The test part, by the protocols of the config."""
        return self._evaluator(self.seen, self.data.test, TEST, self.config.evaluation.protocols)

    def judge(self, scorer: evaluation.Predictor, name: str) -> evaluation.Evaluation:
        """Any scorer on the test part, by the protocols of the config; `name` is for the bar."""
        total = self.test_evaluator.num_users
        with report.measuring(f"evaluating {name}", "users", total) as advance:
            return self.test_evaluator(scorer, self.kinds, keep_arrays=True, advance=advance)

    def baseline(self, name: str) -> evaluation.Predictor:
        """A baseline with the settings of the config, fitted on the rows of the final model.

        Those that the config does not hold have their default settings.
        """
        return self._baseline(name, self.learnt_rows)

    def search_baseline(self, name: str) -> dict[str, float]:
        """The validation metrics of a baseline that is fitted on train."""
        scorer = self._baseline(name, self.data.train)
        return self._own_labels(self._validator(scorer, self.kinds).metrics)

    def _baseline(self, name: str, rows: Interactions) -> evaluation.Predictor:
        chosen = self.config.baselines.get(name)
        settings = chosen.settings if chosen else registry.settings_class("baselines", name)()
        fit = registry.load("baselines", name).fit
        with report.working(f"fitting the baseline {name}"):
            return fit(settings, rows, self.config.training.seed, self.positives(rows))

    def test(self, model: Any) -> evaluation.Evaluation:
        """The model on the test part, the losses of its tasks among the metrics; with arrays."""
        scorer = model.scorer(self.config.evaluation.vectors)
        evaluated = self.judge(scorer, "the model")
        losses = self._losses(model, self.test_evaluator.rows, TEST)
        return dataclasses.replace(evaluated, metrics=evaluated.metrics | losses)

    def test_baselines(self) -> dict[str, evaluation.Evaluation]:
        """What stands beside the model on the test part: baselines, and an oracle if any."""
        names = dict.fromkeys((*BASELINES, *self.config.baselines))  # each once
        beside = {name: self.baseline(name) for name in names}
        oracle = self.data.train.oracle
        if oracle is not None:
            if self.config.split.asks_for_next and hasattr(oracle, "after"):
                before = map(self.rows.retrieved, (self.data.train, self.data.validation))
                oracle = oracle.after(splits.joined(*before))
            beside["oracle"] = oracle
        judged = {name: self.judge(scorer, name) for name, scorer in beside.items()}
        return {
            name: dataclasses.replace(each, metrics=self._own_labels(each.metrics))
            for name, each in judged.items()
        }

    @functools.cached_property
    def monitor(self) -> Monitor:
        """What training.monitor names of the validation part, which must have rows."""
        rows = self.data.validation
        masks = {label: rows.is_observed(label) for label in self.kinds}
        if self._retrieval is not None:
            masks[self._retrieval] = self.positives(rows)  # None: all of them
        tasks = [f"{name}/" for name, mask in masks.items() if mask is None or mask.any()]
        losses = [f"{VALIDATION}/{task}{TOTAL_LOSS}" for task in (*tasks, "")]
        known = self._validator.directions(self.kinds) | dict.fromkeys(losses, LOWER)
        return choose_monitor(self.config.training.monitor, known)

    @functools.cached_property
    def _validator(self) -> evaluation.Evaluator | None:
        """The validation part, by `full` and, where they are asked for, `sampled` and, where users
        are told of by fold-in rows, `unfiltered`: in a session what was met is met again. None
        without validation rows.
        """
        if not len(self.data.validation):
            return None
        seen = [self.rows.met(self.data.train)]
        asked = {"sampled", "unfiltered"} if len(self.data.fold_in) else {"sampled"}
        protocols = ["full", *asked.intersection(self.config.evaluation.protocols)]
        return self._evaluator(seen, self.data.validation, VALIDATION, protocols)

    def forget(self) -> None:
        """Lets go of evaluators, which hold what users have met; they are made anew when asked."""
        for made in ("test_evaluator", "_validator"):
            vars(self).pop(made, None)

    def _validate(self, model: Any) -> dict[str, float]:
        scorer = model.scorer(self.config.evaluation.vectors)
        metrics = self._validator(scorer, self.kinds).metrics
        return metrics | self._losses(model, self._validator.rows, VALIDATION)

    def _evaluator(
        self,
        seen: Sequence[Interactions],
        held_out: Interactions,
        part: str,
        protocols: Sequence[str],
    ) -> evaluation.Evaluator:
        chosen = list(protocols) if self._retrieval is not None else []
        settings = self.config.evaluation.model_copy(update={"protocols": chosen})
        return evaluation.Evaluator(
            seen, held_out, settings, part, self.positives(held_out), fold_in=self.rows.told(part)
        )

    def _losses(self, model: Any, rows: Interactions, part: str) -> dict[str, float]:
        """Each task's mean loss over held-out rows, and the weighted sum."""
        from multitask_recommender.histories import Recent
        from multitask_recommender.training import loop

        if not len(rows):
            return {}
        recent, more = model.recent, self.rows.known_beside(part)
        if recent is not None and len(more):
            known = splits.joined(self.rows.learnt_before(part), more)
            recent = Recent(known, recent.length, recent.positive)
        losses = loop.held_out_losses(model, rows, self.config.training.batch_size, recent)
        total = losses.pop(TOTAL_LOSS)
        by_task = {f"{part}/{name}/{TOTAL_LOSS}": loss for name, loss in losses.items()}
        return by_task | {f"{part}/{TOTAL_LOSS}": total}

    def _own_labels(self, metrics: dict[str, float]) -> dict[str, float]:
        """Without the labels that no task of this config predicts."""
        others = set(self.data.test.labels) - set(self.kinds)
        return {key: value for key, value in metrics.items() if key.split("/")[1] not in others}

    def _check_settings(self) -> None:
        config, train = self.config, self.data.train
        chosen = {"models": config.model, "sharing": config.sharing, "weighting": config.weighting}
        for kind, choice in chosen.items():
            if "." in choice.name:  # of the user's own: is it one at all?
                registry.load(kind, choice.name)
        faults = config.model.settings.missing_from(train, "model")
        for name, task in config.tasks.items():
            faults += task.settings.missing_from(train, f"tasks.{name}")
        for name, baseline in config.baselines.items():
            faults += baseline.settings.missing_from(train, f"evaluation.baselines.{name}")
        if faults:
            raise ConfigError("\n".join(faults))
        self.traps = traps.check(self.data, config)
