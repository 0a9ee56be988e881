"""The signatures of an export: inputs, what stands for those left out, and functions."""

import inspect
from collections.abc import Callable, Mapping

import numpy as np
import tensorflow as tf

from multitask_recommender.export.cascade import Cascade, FeatureInput, Parts, Tensors
from multitask_recommender.export.checks import batch_size
from multitask_recommender.export.frozen import Facts
from multitask_recommender.export.settings import Settings

# An input's spec, and the value of one row that stands for it; None where it must be given.
Inputs = dict[str, tuple[tf.TensorSpec, np.ndarray | None]]
DEFAULT = "serving_default"


def signatures(parts: Parts, cascade: Cascade, settings: Settings) -> dict[str, Callable]:
    """tf.functions by the name of the signature."""
    query = _query(parts) | _features(parts.user_features)
    cut, weights = _cut(parts, settings), _weights(parts, settings)
    context = _features(parts.context)
    ids, item = (tf.TensorSpec(shape, parts.items.dtype) for shape in ([None, None], [None]))
    inputs: dict[str, Inputs] = {
        "recommend": query | cut | context | weights,
        "rank": {"item_ids": (ids, None)} | query | context | weights,
    }
    if cascade.retrieves:
        alike = {name: cut[name] for name in ("k", "exclude_ids")}
        inputs["retrieve"] = query | cut
        inputs["embed_query"] = query
        inputs["similar_items"] = {"item_id": (item, None)} | alike
    functions = {name: _function(getattr(cascade, name), wanted) for name, wanted in inputs.items()}
    return functions | {DEFAULT: functions["recommend"]}


def default_weights(facts: Facts, settings: Settings) -> dict[str, float]:
    """How much each task counts where a request does not say it."""
    retrieves = facts.retrieval is not None
    own = dict.fromkeys(facts.labels, 0.0 if retrieves else 1.0)
    return own | ({facts.retrieval: 1.0} if retrieves else {}) | settings.weights


def _query(parts: Parts) -> Inputs:
    # No list is empty where it is left out: servers that join requests cannot pad nothing.
    user, item = parts.users, parts.items
    return {
        "user_id": (tf.TensorSpec([None], user.dtype), np.array([user.nobody])),
        "history": (tf.TensorSpec([None, None], item.dtype), np.array([[item.nobody]])),
        "history_length": (tf.TensorSpec([None], tf.int32), np.array([-1])),
    }


def _cut(parts: Parts, settings: Settings) -> Inputs:
    k, nobody = min(settings.k, parts.model.facts.num_items), np.array([[parts.items.nobody]])
    return {
        "k": (tf.TensorSpec([None], tf.int32), np.array([k])),
        "exclude_ids": (tf.TensorSpec([None, None], parts.items.dtype), nobody),
        "exclude_seen": (tf.TensorSpec([None], tf.bool), np.array([settings.exclude_seen])),
    }


def _features(features: Mapping[str, FeatureInput]) -> Inputs:
    """Of words, "" is one that is missing; of numbers, NaN."""
    inputs: Inputs = {}
    for name, feature in features.items():
        if feature.words is None:
            inputs[name] = tf.TensorSpec([None], tf.float32), np.array([np.nan])
        elif feature.has_several:
            inputs[name] = tf.TensorSpec([None, None], tf.string), np.array([[""]])
        else:
            inputs[name] = tf.TensorSpec([None], tf.string), np.array([feature.words.nobody])
    return inputs


def _weights(parts: Parts, settings: Settings) -> Inputs:
    return {
        f"weight_{name}": (tf.TensorSpec([None], tf.float32), np.array([weight]))
        for name, weight in default_weights(parts.model.facts, settings).items()
    }


def _function(compute: Callable[[Tensors], Tensors], inputs: Inputs) -> Callable:
    """A tf.function whose Python arguments are the inputs: TensorFlow makes of their defaults those
    of the signature.
    """
    specs = {
        name: tf.TensorSpec(spec.shape, spec.dtype, name) for name, (spec, _) in inputs.items()
    }

    def call(*values: tf.Tensor) -> Tensors:
        given: Mapping[str, tf.Tensor] = dict(zip(specs, values, strict=True))
        size = batch_size(given)
        rows = {
            name: tf.broadcast_to(value, tf.concat([[size], tf.shape(value)[1:]], axis=0))
            for name, value in given.items()
        }
        return compute(rows)

    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    call.__signature__ = inspect.Signature(
        [
            inspect.Parameter(name, kind)
            if default is None
            else inspect.Parameter(name, kind, default=_constant(default, spec.dtype))
            for name, (spec, default) in inputs.items()
        ]
    )
    return tf.function(call, input_signature=list(specs.values()), autograph=False)


def _constant(value: np.ndarray, kind: tf.DType) -> tf.Tensor:
    return tf.constant(value.tolist(), kind, shape=value.shape)
