"""The members of an ensemble: runs that were trained on the same rows, and baselines."""

import dataclasses
import hashlib
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from multitask_recommender import config as configs
from multitask_recommender import record, registry, report, run_folder
from multitask_recommender.config import Config
from multitask_recommender.ensembles.recipe import Reference, is_ensemble
from multitask_recommender.errors import ConfigError, RunError, suggestion
from multitask_recommender.evaluation import Predictor, Scorer
from multitask_recommender.evaluation.scorer import rank_rows
from multitask_recommender.experiment import Experiment
from multitask_recommender.splits import Splits


@dataclasses.dataclass(frozen=True)
class Member:
    """One that is open.

    retrieves, labels: what it can be asked for. experiment and model: None of a baseline, as is the
    number of its parameters.
    """

    name: str
    predictor: Predictor
    retrieves: bool
    labels: frozenset[str]
    experiment: Experiment | None = None
    model: Any = None
    parameters: int | None = None


def find(names: Sequence[str]) -> list[Reference]:
    """Who is meant by folders of runs and names of baselines; names are made unique.

    Raises ConfigError for what is neither, for an ensemble, and where no run is among them.
    """
    found = []
    for name in names:
        path = pathlib.Path(name)
        if path.is_dir():
            run_folder.check_complete(path)
            if is_ensemble(path):
                raise ConfigError(f"{path} is an ensemble: name its members in its place.")
            found.append(Reference(path.resolve().name, str(path.resolve()), _checksum(path)))
        elif name in registry.names("baselines"):
            found.append(Reference(name))
        else:
            known = registry.names("baselines")
            raise ConfigError(
                f"{name} is neither the folder of a run nor a baseline.{suggestion(name, known)} "
                f"Baselines: {', '.join(known)}."
            )
    if not any(each.run for each in found):
        raise ConfigError("No member is a run: at least one is to say what data they share.")
    return _with_own_names(found)


def shared_config(members: Sequence[Reference]) -> Config:
    """The config of the ensemble: data and evaluation of its runs, and the tasks of all of them.

    Its model is that of the first run that retrieves (or of the first), and says nothing of the
    others. Raises ConfigError where runs differ in what they were trained on or for.
    """
    runs = {each.name: load(each) for each in members if each.run is not None}
    _check_alike({name: _facts(config) for name, config in runs.items()})
    first = next((each for each in runs.values() if each.retrieval), next(iter(runs.values())))
    defaults = configs.parse({})
    tasks: dict[str, Any] = {}
    baselines: dict[str, Any] = {}
    for config in (first, *runs.values()):
        tasks |= {name: task for name, task in config.tasks.items() if name not in tasks}
        baselines = {**config.baselines, **baselines}
    return dataclasses.replace(
        first,
        tasks=tasks,
        baselines=baselines,
        sharing=defaults.sharing,
        weighting=defaults.weighting,
    )


def load(member: Reference) -> Config:
    """The config of a run that is a member. Raises RunError where it is no more what it was."""
    place = pathlib.Path(member.run)
    try:
        run_folder.check_complete(place)
    except ConfigError as error:
        raise RunError(f"The member {member.name} is gone: {error}") from error
    if _checksum(place) != member.md5:
        raise RunError(
            f"{place} is not the run that the ensemble was made of: its {run_folder.METRICS} has "
            "changed. Make the ensemble again."
        )
    return configs.load(place / run_folder.CONFIG)


def open_all(members: Sequence[Reference], experiment: Experiment, data: Splits) -> list[Member]:
    """Restores the runs and fits the baselines. data: what `read` returned for the config.

    Raises RunError where the data are not those that a run was trained on, and ConfigError where
    the histories that runs are told of differ.
    """
    from multitask_recommender.training import loop

    opened = []
    for member in members:
        if member.run is None:
            opened.append(_baseline(member, experiment))
            continue
        place, config = pathlib.Path(member.run), load(member)
        record.check_same_data(place / run_folder.CONFIG, data.train.source)
        own = Experiment(config, data)
        _check_told(member, own, experiment)
        with report.working(f"restoring {member.name}"):
            model = own.restore(place)
        opened.append(
            Member(
                member.name,
                model.scorer(),
                own.retrieves,
                frozenset(own.kinds),
                own,
                model,
                loop.num_parameters(model),
            )
        )
    return opened


def _baseline(member: Reference, experiment: Experiment) -> Member:
    predictor = experiment.baseline(member.name)
    labels = rank_rows(predictor, experiment.data.train.take(slice(0, 1))).keys()
    retrieves = experiment.retrieves and isinstance(predictor, Scorer)
    return Member(member.name, predictor, retrieves, frozenset(labels) & experiment.kinds.keys())


def _facts(config: Config) -> dict[str, Any]:
    """What runs of an ensemble agree in, by key; in a label, those that have it."""
    facts = {"dataset.name": config.dataset.name}
    dataset = record.without_places(config.dataset.settings.model_dump(mode="json"))
    facts |= {f"dataset.{key}": value for key, value in dataset.items()}
    facts |= {f"split.{key}": value for key, value in config.split.model_dump(mode="json").items()}
    facts["training.refit"] = config.training.refit
    for name, task in config.tasks.items():
        if task.settings.predicts_label:
            facts[f"tasks.{name}.kind"] = task.name
            facts[f"tasks.{name}.only_with"] = getattr(task.settings, "only_with", None)
    if config.retrieval is not None:
        facts["the name of the task that retrieves"] = config.retrieval
        facts["its positive"] = config.tasks[config.retrieval].settings.positive
    return facts


def _check_alike(facts: Mapping[str, Mapping[str, Any]]) -> None:
    """Raises ConfigError with a line for everything in which runs differ. facts: by their names."""
    keys = dict.fromkeys(key for each in facts.values() for key in each)
    faults = []
    for key in keys:
        found = {name: each[key] for name, each in facts.items() if key in each}
        if any(value != next(iter(found.values())) for value in found.values()):
            told = ", ".join(f"{value!r} in {name}" for name, value in found.items())
            faults.append(f"{key} is {told}.")
    if faults:
        first = "Members of an ensemble are trained on the same rows, for tasks of one meaning:"
        raise ConfigError("\n".join([first, *faults]))


def _check_told(member: Reference, own: Experiment, experiment: Experiment) -> None:
    found, wanted = own.fold_in, experiment.fold_in
    if not (
        np.array_equal(found.user_ids, wanted.user_ids)
        and np.array_equal(found.item_ids, wanted.item_ids)
    ):
        raise ConfigError(
            f"{member.name} reads other events of a user's history ({len(found)} rows) than the "
            f"first member ({len(wanted)} rows): members are told of users in one way."
        )


def _with_own_names(members: list[Reference]) -> list[Reference]:
    """Runs of one name are told apart by their paths; what is named twice is refused."""
    counts: dict[str, int] = {}
    for member in members:
        counts[member.name] = counts.get(member.name, 0) + 1
    named = [
        dataclasses.replace(member, name=member.run)
        if counts[member.name] > 1 and member.run is not None
        else member
        for member in members
    ]
    names = [member.name for member in named]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ConfigError(f"{twice} is named twice: a member counts once (see --weights).")
    return named


def _checksum(run: pathlib.Path) -> str:
    return hashlib.md5((run / run_folder.METRICS).read_bytes()).hexdigest()
