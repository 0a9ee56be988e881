"""A finished run as an export: what it is made of, and where it is written."""

import pathlib
import tempfile
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from multitask_recommender import assembly, histories, record, report, run_folder, splits
from multitask_recommender.experiment import Experiment
from multitask_recommender.export import folder as export_folder
from multitask_recommender.interactions import Feature
from multitask_recommender.schema import USER_ID

if TYPE_CHECKING:
    from multitask_recommender.export.cascade import FeatureInput, Parts
    from multitask_recommender.export.certificate import Ids
    from multitask_recommender.export.reference import Reference
    from multitask_recommender.export.scorer import ExportScorer
    from multitask_recommender.index.tuning.tune import Tuned

_TUNING_QUERIES = 1024  # of users, by which an index is tried
_EXACT = "brute_force"


def export(
    experiment: Experiment, model: Any, base: pathlib.Path, metrics: dict[str, Any]
) -> pathlib.Path:
    """Writes the next version under the base path, and returns its folder.

    The model is frozen by it. metrics: of the run, for the card. Raises RunError where an index
    finds less than `export.recall`, or where the export does not answer as the model does: then
    nothing is written.
    """
    from multitask_recommender.export import card
    from multitask_recommender.export.write import write

    settings = experiment.config.export.resolved(experiment.config.evaluation.protocols)
    with (
        export_folder.new_version(base) as (version, folder),
        tempfile.TemporaryDirectory() as aside,
    ):
        tuned, reference = _index(experiment, model), _reference(experiment, model)
        model.freeze()
        parts = _parts(experiment, model, tuned, pathlib.Path(aside))
        about = {"model": export_folder.name_of(base), "version": version}
        is_exact = tuned is None or tuned.name == _EXACT
        with report.working("writing the export, and comparing it with the model"):
            written = write(
                folder, about, parts, settings, reference, _ids(experiment), is_exact=is_exact
            )
        run = {
            "config": experiment.config.to_dict(),
            "dataset": record.dataset(experiment.data, experiment.config),
            "versions": record.versions(),
            **metrics,
        }
        card.write(folder, about, run, tuned, written)
        text = record.config_text(experiment.config, experiment.data.train.source)
        run_folder.write_text(folder / export_folder.EXTRA / run_folder.CONFIG, text)
    return base / str(version)


def scorer(experiment: Experiment, version: pathlib.Path) -> "ExportScorer":
    """An export of the experiment's run, for its evaluation."""
    from multitask_recommender.export.scorer import ExportScorer

    train = experiment.data.train
    return ExportScorer(version, train.users, train.items, train.context)


def _index(experiment: Experiment, model: Any) -> "Tuned | None":
    """The index of the config over the model's items; None for a model that only ranks."""
    if model.retrieval is None:
        return None
    generator = np.random.default_rng(experiment.config.training.seed)
    users = generator.permutation(np.flatnonzero(model.met_users))[:_TUNING_QUERIES]
    scorer = model.scorer()
    with report.working(f"building the index {experiment.config.index.name}"):
        queries = scorer.embed(model.features_of({USER_ID: users.astype(np.int32)}))
        tuned = assembly.index(experiment.config, scorer.items, queries)
    if tuned.note:
        report.say(tuned.note)
    return tuned


def _parts(
    experiment: Experiment, model: Any, tuned: "Tuned | None", aside: pathlib.Path
) -> "Parts":
    from multitask_recommender.export.cascade import Parts
    from multitask_recommender.export.vocabulary import Vocabulary
    from multitask_recommender.index import brute_force
    from multitask_recommender.index.settings.brute_force import Settings

    train = experiment.data.train
    context = {name: (name, train.context[name]) for name in model.context_names}
    of_users = {
        # What an event has by the same name has the name for itself.
        f"user_{name}" if name in context else name: (name, train.users.features[name])
        for name in model.user_features
    }
    return Parts(
        model=model,
        index=None if tuned is None else tuned.index,
        popular=brute_force.Index(Settings(), model.popularity[:, None]),
        users=Vocabulary(train.users.vocabulary, aside / "users.txt"),
        items=Vocabulary(train.items.vocabulary, aside / "items.txt"),
        seen=_seen(experiment),
        user_features=_inputs(of_users, "user", aside),
        context=_inputs(context, "context", aside),
    )


def _inputs(
    features: Mapping[str, tuple[str, Feature]], kind: str, aside: pathlib.Path
) -> "dict[str, FeatureInput]":
    """Features, with their names, by the inputs that tell them; and files of their words."""
    from multitask_recommender.export.cascade import FeatureInput
    from multitask_recommender.export.vocabulary import Vocabulary

    inputs = {}
    for place, (key, (name, feature)) in enumerate(features.items()):
        words = None
        if feature.is_categorical:
            # Not every name of a feature is one for a file.
            words = Vocabulary(np.array(feature.vocabulary, object), aside / f"{kind}_{place}.txt")
        inputs[key] = FeatureInput(name, words, has_several=feature.values.ndim == 2)
    return inputs


def _reference(experiment: Experiment, model: Any) -> "Reference":
    from multitask_recommender.export.reference import Reference

    context = experiment.data.train.context
    return Reference(
        scorer=model.scorer(),
        gains={name: task.gain for name, task in model.ranking.items()},
        retrieval=None if model.retrieval is None else model.retrieval.name,
        popularity=model.popularity,
        retrieve=min(experiment.config.export.retrieve, model.num_items),
        missing={name: _missing(context[name]) for name in model.context_names},
    )


def _missing(feature: Feature) -> np.ndarray:
    """One row that holds no value."""
    if feature.is_categorical:
        return np.zeros((1, *feature.values.shape[1:]), np.int32)
    return np.full(1, np.nan, np.float32)


def _ids(experiment: Experiment) -> "Ids":
    from multitask_recommender.export.certificate import Ids
    from multitask_recommender.export.raw_ids import RawIds

    train = experiment.data.train
    users, items = (RawIds(each.vocabulary) for each in (train.users, train.items))
    return Ids(users, items, _seen(experiment))


def _seen(experiment: Experiment) -> histories.Rows:
    """What each user of the vocabulary met in training and validation, as splits and members."""
    rows = splits.joined(*experiment.seen)
    is_known = (rows.user_ids <= rows.num_users) & (rows.item_ids <= rows.num_items)
    return histories.items_of_users(rows, is_known)
