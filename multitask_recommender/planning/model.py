"""The arrays of a config's model: what it learns, its optimizer's state, what its export reads."""

from collections.abc import Callable
from typing import Any

from multitask_recommender import assembly
from multitask_recommender.config import Config
from multitask_recommender.errors import ConfigError
from multitask_recommender.interactions import Interactions
from multitask_recommender.planning import miniature
from multitask_recommender.planning.arrays import Array, at_size
from multitask_recommender.planning.miniature import Axes
from multitask_recommender.planning.shape import DataShape
from multitask_recommender.schema import HISTORY, ITEM_ID

# Trainable weights; what else a checkpoint holds; of the optimizer; what an export's graph reads of
# the model once it is frozen; and what retrieval compares of all items, if anything retrieves.
LEARNT, KEPT, STATE, EXPORTED, VECTORS = "learnt", "kept", "state", "exported", "vectors"


def arrays(config: Config, shape: DataShape) -> dict[str, list[Array]]:
    """By what they are for, at the size of the data: no table is allocated.

    Raises ConfigError where the data lack what the config asks for.
    """

    def make(axes: Axes) -> dict[str, list[Array]]:
        return _made(config, miniature.interactions(shape, axes))

    axes = miniature.axes_of(shape)
    _check(config, miniature.interactions(shape, miniature.small(axes)))
    return at_size(make, axes)


def _made(config: Config, rows: Interactions) -> dict[str, list[Array]]:
    import tensorflow as tf

    from multitask_recommender.training import optimizers

    created: list[Any] = []

    def note(create: Callable[..., Any], **options: Any) -> Any:
        created.append(create(**options))
        return created[-1]

    with tf.variable_creator_scope(note):
        model = assembly.build(config, rows)
        learnt = {id(variable) for variable in model.trainable_variables}
        weights = {id(variable) for variable in model.weights}
        optimizer = optimizers.build(config.training.optimizer, config.training.learning_rate)
        optimizer._create_all_weights(model.trainable_variables)  # as training/loop.py does
        state = {id(variable) for variable in optimizer.variables()}
        read, vectors = _frozen(model, rows)
    kinds = {LEARNT: learnt, KEPT: weights - learnt, STATE: state, EXPORTED: read}
    # In the order of their creation, which is always the same.
    arrays = {
        kind: [_array(variable) for variable in created if id(variable) in chosen]
        for kind, chosen in kinds.items()
    }
    return arrays | {VECTORS: vectors}


def _frozen(model: Any, rows: Interactions) -> tuple[set[int], list[Array]]:
    """Which variables embedding and predicting read, as export/write.py saves them; and VECTORS."""
    import tensorflow as tf

    def traced(function: Callable[[Any], Any], given: Any) -> Any:
        graph = tf.function(function, autograph=False).get_concrete_function(given)
        read.update(id(variable) for variable in graph.variables)
        return graph

    read: set[int] = set()
    first = rows.inputs(slice(0, 1))
    features = model.features_of(first | {HISTORY: first[ITEM_ID][:, None]})
    model.freeze()
    if model.ranking:
        traced(model.predictions, features)
    if model.retrieval is None:
        return read, []
    traced(model.embed_queries, features)
    items = traced(model.embed_items, features[ITEM_ID])
    width = items.structured_outputs.shape[1]
    return read, [Array("item vectors", (rows.num_items, width), tf.float32.size)]


def _array(variable: Any) -> Array:
    shape = tuple(variable.value().shape)  # a variable may leave open how many rows it has
    return Array(variable.name.partition(":")[0], shape, variable.dtype.size)


def _check(config: Config, rows: Interactions) -> None:
    faults = config.model.settings.missing_from(rows, "model")
    for name, task in config.tasks.items():
        faults += task.settings.missing_from(rows, f"tasks.{name}")
    if faults:
        raise ConfigError("\n".join(faults))
