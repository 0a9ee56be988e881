"""A search by Optuna: tree-structured Parzen estimators propose, the median prunes.

Bergstra et al., "Algorithms for Hyper-Parameter Optimization", NeurIPS 2011, section 4; Akiba et
al., "Optuna: A Next-generation Hyperparameter Optimization Framework", KDD 2019.

What a trial proposes is a function of the seed and of the trials before it. So a search that was
interrupted goes on as if it had not been.
"""

import pathlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from multitask_recommender.config import Config
from multitask_recommender.errors import ConfigError
from multitask_recommender.sweeps.plan import Cell, Plan
from multitask_recommender.sweeps.records import REMEDY, Records, check_lines, check_same
from multitask_recommender.sweeps.trainer import COMPLETE, FAILED, PRUNED, GoesOn

if TYPE_CHECKING:
    import optuna

STUDY = "study.journal"
_NAME = "sweep"  # of the study in the journal
_HEADER, _OWN, _ERROR = "sweep", "recipe", "error"  # attributes of the study, and of trials
_NEVER_PRUNED = 5  # the first trials, of which the others' median is made

# From the number of a trial, from 1, and its cell to its record.
Train = Callable[[int, Cell, GoesOn], dict[str, Any]]


class Search:
    """The trials of a plan, kept in a journal of Optuna's."""

    def __init__(
        self,
        plan: Plan,
        folder: pathlib.Path,
        records: Records,
        lower_is_better: bool,
        train: Train,
    ) -> None:
        """Raises ConfigError where the journal is damaged, or of another search."""
        self._plan = plan
        self._train = train
        path = folder / STUDY
        self._study = _open(path, records.header, lower_is_better)
        self._check_records(path, records)

    def __call__(self, own: Mapping[str, Any]) -> None:
        """Makes the trials that are left. own: the record of the recipe as it is."""
        self._take_up()
        if not self._study.trials:
            self._tell_own(own)
        while (done := len(self._done)) < self._plan.asked.trials:
            self._make_trial(done)

    @property
    def _done(self) -> list["optuna.trial.FrozenTrial"]:
        """Without those that were interrupted, which are failed without an error."""
        return [
            trial
            for trial in self._study.trials
            if trial.state.is_finished()
            and (trial.state.name != "FAIL" or _ERROR in trial.user_attrs)
            and _OWN not in trial.user_attrs
        ]

    def _take_up(self) -> None:
        """What was being tried when the search was interrupted is tried first."""
        from optuna.trial import TrialState

        for trial in self._study.get_trials(states=[TrialState.RUNNING]):
            self._study.tell(trial.number, state=TrialState.FAIL)
            if trial.params.keys() == self._plan.varied.keys():
                self._study.enqueue_trial(trial.params)

    def _tell_own(self, own: Mapping[str, Any]) -> None:
        """The recipe as it is counts as tried, where it lies in what is searched."""
        settings = own["settings"]
        parameters = {axis.key: axis.parameter(settings[axis.key]) for axis in self._plan.axes}
        if own["state"] != COMPLETE or None in parameters.values():
            return
        self._study.enqueue_trial(parameters, user_attrs={_OWN: True})
        trial = self._study.ask()
        for axis in self._plan.axes:
            axis.suggest(trial)
        self._tell(trial, own)

    def _make_trial(self, number: int) -> None:
        from optuna.samplers import TPESampler

        seed = np.random.SeedSequence([self._plan.seed, number])
        self._study.sampler = TPESampler(seed=int(seed.generate_state(1)[0]))
        trial = self._study.ask()
        cell = self._cell({axis.key: axis.suggest(trial) for axis in self._plan.axes})
        self._tell(trial, self._train(number + 1, cell, self._listener(trial, cell.config)))

    def _listener(self, trial: "optuna.Trial", config: Config | None) -> GoesOn:
        def goes_on(epoch: int, value: float) -> bool:
            trial.report(value, epoch)
            # What has made its last epoch has nothing left to be spared.
            return epoch == config.training.epochs or not trial.should_prune()

        return goes_on

    def _cell(self, parameters: Mapping[str, Any]) -> Cell:
        axes = self._plan.axes
        return self._plan.cell({axis.key: axis.text(parameters[axis.key]) for axis in axes})

    def _check_records(self, path: pathlib.Path, records: Records) -> None:
        """A training is recorded first, and told to the study then."""
        for trial in self._done:
            if records.find(self._cell(trial.params).settings, self._plan.seed) is None:
                raise ConfigError(
                    f"{path} knows trial {trial.number}, {trial.params}, which is not recorded "
                    f"beside it. {REMEDY}"
                )

    def _tell(self, trial: "optuna.Trial", record: Mapping[str, Any]) -> None:
        reported = self._study.trials[trial.number].intermediate_values
        for epoch, value in record.get("curve", []):
            if epoch not in reported:  # of a training that was done before
                trial.report(value, epoch)
        if record["state"] == FAILED:
            trial.set_user_attr(_ERROR, record["error"])
        value = record["value"] if record["state"] == COMPLETE else None
        self._study.tell(trial, value, state=_state(record["state"]))


def _open(path: pathlib.Path, header: Mapping[str, Any], lower_is_better: bool) -> "optuna.Study":
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    is_begun = path.exists() and len(check_lines(path)) > 0
    try:
        storage = JournalStorage(JournalFileBackend(str(path)))
        names = optuna.get_all_study_names(storage)
        if is_begun and not names:
            raise ValueError("it holds no study")
    except (LookupError, ValueError, TypeError, AssertionError, RuntimeError) as error:
        raise ConfigError(
            f"{path} is damaged, Optuna cannot read it: {error!r}. {REMEDY}"
        ) from error
    check_same(path, {"studies": names or [_NAME]}, {"studies": [_NAME]})
    study = optuna.create_study(
        storage=storage,
        pruner=optuna.pruners.MedianPruner(n_startup_trials=_NEVER_PRUNED),
        study_name=_NAME,
        direction="minimize" if lower_is_better else "maximize",
        load_if_exists=True,
    )
    if _HEADER not in study.user_attrs and not study.trials:
        study.set_user_attr(_HEADER, dict(header))
    check_same(path, study.user_attrs.get(_HEADER), header)
    return study


def _state(state: str) -> "optuna.trial.TrialState":
    from optuna.trial import TrialState

    states = {COMPLETE: TrialState.COMPLETE, PRUNED: TrialState.PRUNED, FAILED: TrialState.FAIL}
    return states[state]
