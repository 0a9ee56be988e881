"""What an export of a run must know of its model, and what requests may tell it of features."""

import pathlib
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from multitask_recommender.experiment import Experiment
from multitask_recommender.interactions import Feature

if TYPE_CHECKING:
    from multitask_recommender.export.frozen import Facts, ItemFeatureFacts
    from multitask_recommender.export.query import FeatureInput
    from multitask_recommender.index.tuning.tune import Tuned


def facts(experiment: Experiment, model: Any, tuned: "Tuned | None") -> "Facts":
    """Of a model that is not frozen yet, and without its features of items."""
    from multitask_recommender.export.frozen import Facts, InputFacts

    def inputs(features: Mapping[str, tuple[str, Feature]]) -> dict[str, InputFacts]:
        return {
            key: InputFacts(
                name=name, has_words=each.is_categorical, has_several=each.values.ndim == 2
            )
            for key, (name, each) in features.items()
        }

    of_users, context = told(experiment, model)
    return Facts(
        num_items=model.num_items,
        retrieval=None if model.retrieval is None else model.retrieval.name,
        labels=list(model.ranking),
        bias_coordinates=model.bias_coordinates,
        recent_length=None if model.recent is None else model.recent.length,
        reads_told_history=model.reads_told_history,
        orders_by_history=model.orders_by_history,
        unmet=float(model.unmet),
        user_features=inputs(of_users),
        context=inputs(context),
        item_features={},
        index=None if tuned is None else tuned.name,
    )


def item_features(experiment: Experiment, model: Any) -> "dict[str, ItemFeatureFacts]":
    """Those that a frozen model holds tables of."""
    from multitask_recommender.export.frozen import ItemFeatureFacts
    from multitask_recommender.layers.item_table import feature_of

    of_items = experiment.learnt_rows.items.features
    names = {feature_of(table.start) for table in model.item_tables}
    return {
        name: ItemFeatureFacts(
            vocabulary=list(feature.vocabulary) if feature.is_categorical else None,
            has_several=feature.values.ndim == 2,
        )
        for name, feature in of_items.items()
        if name in names
    }


def named(of_users: Sequence[str], context: Collection[str]) -> dict[str, str]:
    """Features of users by the names of their inputs: what an event has by the same name has the
    name for itself.
    """
    return {f"user_{name}" if name in context else name: name for name in of_users}


def told(
    experiment: Experiment, model: Any
) -> "tuple[dict[str, tuple[str, Feature]], dict[str, tuple[str, Feature]]]":
    """Features of users and of events that requests tell: names and values by their inputs."""
    train = experiment.learnt_rows
    context = {name: (name, train.context[name]) for name in model.context_names}
    of_users = {
        key: (name, train.users.features[name].take(slice(0, train.num_users + 1)))
        for key, name in named(model.user_features, context).items()
    }
    return of_users, context


def inputs(
    features: Mapping[str, tuple[str, Feature]], kind: str, aside: pathlib.Path
) -> "dict[str, FeatureInput]":
    """Features, with their names, by the inputs that tell them; and files of their words.

    Of the words that were there to learn from: others are read as missing, and stay behind.
    """
    from multitask_recommender.export.query import FeatureInput
    from multitask_recommender.export.vocabulary import Vocabulary

    inputs = {}
    for place, (key, (name, feature)) in enumerate(features.items()):
        words = codes = None
        if feature.is_categorical:
            codes = np.union1d([0], feature.values)
            known = np.array([feature.vocabulary[code - 1] for code in codes[1:]], object)
            # Not every name of a feature is one for a file.
            words = Vocabulary(known, aside / f"{kind}_{place}.txt")
        inputs[key] = FeatureInput(name, words, codes, has_several=feature.values.ndim == 2)
    return inputs
