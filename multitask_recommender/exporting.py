"""A finished run as an export: what it is made of, and where it is written."""

import pathlib
import tempfile
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from multitask_recommender import (
    assembly,
    export_facts,
    histories,
    record,
    report,
    run_folder,
    splits,
)
from multitask_recommender.config import Config
from multitask_recommender.errors import RunError
from multitask_recommender.experiment import Experiment
from multitask_recommender.export import folder as export_folder
from multitask_recommender.export import names
from multitask_recommender.export.settings import Settings
from multitask_recommender.interactions import Feature
from multitask_recommender.schema import USER_ID

if TYPE_CHECKING:
    from multitask_recommender.export.cascade import Parts
    from multitask_recommender.export.certificate import Ids, Trial
    from multitask_recommender.export.frozen import Facts
    from multitask_recommender.export.reference import Reference
    from multitask_recommender.export.scorer import ExportScorer
    from multitask_recommender.index.tuning.tune import Tuned

_TUNING_QUERIES = 1024  # of users, by which an index is tried
_EXACT = "brute_force"


def export(
    opened: Callable[[], tuple[Experiment, Any]], base: pathlib.Path, metrics: dict[str, Any]
) -> pathlib.Path:
    """Writes the next version under the base path, and returns its folder.

    opened: gives an experiment and its model, which is frozen, and halved where `export.tables`
    says so. Both are let go of before the export is read again: who does not keep them needs less
    memory. metrics: of the run, for the card. Raises RunError where an index finds less than
    `export.recall`, or where the export does not answer as the model does: then nothing is written.
    """
    from multitask_recommender.export import card, write

    experiment, model = opened()
    check(experiment)
    with export_folder.new_version(base) as (version, folder):
        tuned, trial = _saved(experiment, model, folder)
        about = {"model": export_folder.name_of(base), "version": version}
        run = {
            "config": experiment.config.to_dict(),
            "dataset": record.dataset(experiment.data, experiment.config),
            "versions": record.versions(),
            **metrics,
        }
        text = record.config_text(experiment.config, experiment.data.train.source)
        run_folder.write_text(folder / export_folder.EXTRA / run_folder.CONFIG, text)
        del experiment, model  # rows and tables: from here on the export is in memory instead
        with report.working("comparing the export with the model"):
            written = write.proved(folder, about, trial)
        card.write(folder, about, run, tuned, written)
    return base / str(version)


def _saved(
    experiment: Experiment, model: Any, folder: pathlib.Path
) -> "tuple[Tuned | None, Trial]":
    """Writes the SavedModel of a model. Returns how its index was found, and what it is tried with.

    What else was made on the way is let go of, before the export is there a second time.
    """
    from multitask_recommender.export import write
    from multitask_recommender.export.certificate import Ids
    from multitask_recommender.export.raw_ids import RawIds

    settings = experiment.config.export.resolved(experiment.config.evaluation.protocols)
    if settings.tables == "float16":
        model.halve()
    scorer = model.scorer()
    tuned, seen = _index(experiment, model, scorer), _seen(experiment)
    reference = _reference(experiment, model, scorer)
    facts = export_facts.facts(experiment, model, tuned)
    train = experiment.data.train
    ids = Ids(RawIds(train.users.vocabulary), RawIds(train.items.vocabulary), seen)
    trial = trial_of(facts, settings, reference, ids)
    indexes = tuned and tuned.index, alike(scorer.items, facts.bias_coordinates, tuned)
    model.freeze()
    with report.working("writing the export"), tempfile.TemporaryDirectory() as aside:
        parts = _parts(experiment, model, facts, indexes, seen, pathlib.Path(aside))
        write.save(folder, parts, settings)
    return tuned and tuned.without_index(), trial


def scorer(experiment: Experiment, version: pathlib.Path) -> "ExportScorer":
    """An export of the experiment's run, for its evaluation."""
    from multitask_recommender.export.scorer import ExportScorer

    train = experiment.data.train
    return ExportScorer(version, train.users, train.items, train.context)


def check(experiment: Experiment) -> None:
    """Raises ConfigError where a label or a feature has a name that no export can have."""
    settings = experiment.config.model.settings
    read = {side: set(names) for side, names in settings.inputs_read().items()}
    context = sorted(read.get("context", ()))
    of_users = sorted(read.get("user", set()) & set(experiment.data.train.users.features))
    names.check(
        list(experiment.config.tasks),
        list(experiment.kinds),
        [*context, *export_facts.named(of_users, context)],
    )


def _index(experiment: Experiment, model: Any, scorer: Any) -> "Tuned | None":
    """The index of the config over the model's items; None for a model that only ranks."""
    if model.retrieval is None:
        return None
    users = tuning_users(experiment.config, model.met_users)
    return tuned_index(
        experiment.config, scorer.items, scorer.embed(model.features_of({USER_ID: users}))
    )


def tuning_users(config: Config, met_users: np.ndarray) -> np.ndarray:
    """Dense ids, int32, of some of those users [U + 1] that training has met."""
    generator = np.random.default_rng(config.training.seed)
    return generator.permutation(np.flatnonzero(met_users))[:_TUNING_QUERIES].astype(np.int32)


def tuned_index(config: Config, vectors: np.ndarray, queries: np.ndarray) -> "Tuned":
    """The index of a config over item vectors [I, D], tried on queries [Q, D]."""
    if not np.isfinite(vectors).all():
        raise RunError("Item vectors of the model are no finite numbers: its training diverged.")
    with report.working(f"building the index {config.index.name}"):
        tuned = assembly.index(config, vectors, queries)
    if tuned.note:
        report.say(tuned.note)
    return tuned


def alike(vectors: np.ndarray | None, biases: int, tuned: "Tuned | None") -> Any:
    """An index by cosine: that of the model, and what divides by lengths unless they are one.

    biases: how many of the last coordinates of vectors [I, D] are no part of the direction.
    """
    from multitask_recommender.export.vectors import lengths

    if tuned is None:
        return None
    found = lengths(vectors[:, : vectors.shape[1] - biases])
    if np.allclose(found, 1.0, atol=1e-4):
        return tuned.index
    return tuned.index.cosines(found)


def _parts(
    experiment: Experiment,
    model: Any,
    facts: "Facts",
    indexes: tuple[Any, Any],
    seen: histories.Rows,
    aside: pathlib.Path,
) -> "Parts":
    """model: frozen. indexes: that of the model and the one by cosine."""
    from multitask_recommender.export.cascade import Parts
    from multitask_recommender.export.frozen import Frozen, Functions
    from multitask_recommender.export.known import Known
    from multitask_recommender.export.vocabulary import Vocabulary
    from multitask_recommender.index import brute_force
    from multitask_recommender.index.settings.brute_force import Settings as Everything

    train = experiment.learnt_rows
    of_users, context = export_facts.told(experiment, model)
    recent = None if model.recent is None else model.recent.of_all(train.num_users)
    index, by_cosine = indexes
    of_items = export_facts.item_features(experiment, model)
    return Parts(
        model=Frozen(facts.model_copy(update={"item_features": of_items}), Functions(model, facts)),
        index=index,
        alike=by_cosine,
        popular=brute_force.Index(Everything(), model.popularity[:, None]),
        users=Vocabulary(train.users.vocabulary, aside / "users.txt"),
        items=Vocabulary(train.items.vocabulary, aside / "items.txt"),
        known=Known(model.popularity, model.met_users, seen, recent),
        user_features=export_facts.inputs(of_users, "user", aside),
        context=export_facts.inputs(context, "context", aside),
    )


def trial_of(facts: "Facts", settings: Settings, reference: "Reference", ids: "Ids") -> "Trial":
    """Golden requests, and what the model has for them."""
    from multitask_recommender.export import golden
    from multitask_recommender.export.certificate import Trial
    from multitask_recommender.export.signatures import default_weights

    weights, retrieves = default_weights(facts, settings), facts.retrieval is not None
    asked = golden.requests(facts.tasks, retrieves, ids.users, ids.items, settings.golden_requests)
    is_exact = facts.index in (None, _EXACT)
    with report.working("asking the model what its export is to answer"):
        return Trial.of([*asked], reference, ids, weights, settings.exclude_seen, is_exact)


def _reference(experiment: Experiment, model: Any, scorer: Any) -> "Reference":
    from multitask_recommender.export.reference import Reference
    from multitask_recommender.export.vectors import Vectors

    context = experiment.data.train.context
    return Reference(
        scorer=scorer,
        gains={name: task.gain for name, task in model.ranking.items()},
        retrieval=None if model.retrieval is None else model.retrieval.name,
        popularity=model.popularity,
        retrieve=min(experiment.config.export.retrieve, model.num_items),
        missing={name: missing_row(context[name]) for name in model.context_names},
        vectors=None if scorer.items is None else Vectors(scorer.items, model.bias_coordinates),
    )


def missing_row(feature: Feature) -> np.ndarray:
    """One row that holds no value."""
    if feature.is_categorical:
        return np.zeros((1, *feature.values.shape[1:]), np.int32)
    return np.full(1, np.nan, np.float32)


def _seen(experiment: Experiment) -> histories.Rows:
    """What each user of the vocabulary met in training and validation, as splits and members."""
    parts = experiment.data.train, experiment.data.validation
    rows = splits.joined(*map(experiment.rows.pairs, parts))
    chosen = (rows.user_ids <= rows.num_users) & (rows.item_ids <= rows.num_items)
    positives = [experiment.positives(part) for part in parts]
    if positives[0] is not None:
        chosen &= np.concatenate(positives)
    return histories.items_of_users(rows, chosen)
