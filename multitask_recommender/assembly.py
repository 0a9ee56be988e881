"""What a config names, made: its data, cut in parts, and its model.

TensorFlow is imported only when a model is made.
"""

import pathlib
from typing import TYPE_CHECKING, Any

import numpy as np

from multitask_recommender import differences, registry, run_folder, splits
from multitask_recommender.config import Config, load
from multitask_recommender.errors import ConfigError
from multitask_recommender.interactions import Interactions

if TYPE_CHECKING:
    from multitask_recommender.index.tuning.tune import Tuned

_OF_TRAINING = ("dropout", "l2")  # settings of layers that change no meaning of a weight


def read(config: Config, for_others: bool = True) -> splits.Splits:
    """The rows of a config's dataset, cut by its split.

    for_others: for models of other configs too. Else they have no context features but those that
    the model of this one says it reads: rows that are cut are copies, and take memory.
    """
    dataset = registry.load("datasets", config.dataset.name)
    interactions = dataset.read(config.dataset.settings, config.split.fold)
    told = config.model.settings.inputs_read().get("context")
    # One that is missing is told of beside all that there are.
    if not for_others and told is not None and interactions.context.keys() >= set(told):
        interactions = interactions.narrowed(interactions.labels, told)
    return splits.split(interactions, config.split)


def index(config: Config, vectors: np.ndarray, queries: np.ndarray) -> "Tuned":
    """The index of a config's export over item vectors [I, D], tried on queries [Q, D].

    Raises RunError where it finds less than `export.recall`.
    """
    from multitask_recommender.index.tuning.tune import tune

    return tune(
        index_class(config.index.name),
        config.index.settings,
        vectors,
        queries,
        config.export.recall,
    )


def index_class(name: str) -> Any:
    """The class `Index` of a file of index/."""
    return registry.load("index", name).Index


def begin(config: Config, train: Interactions) -> Any:
    """The model of a config as its training begins: untrained, or with weights of another run."""
    from multitask_recommender.training import warm_start

    model = build(config, train)
    if config.training.warm_start is not None:
        warm_start.begin(model, train, pathlib.Path(config.training.warm_start))
    return model


def warm_start(config: Config, train: Interactions) -> dict[str, Any] | None:
    """What a config's training begins with, for people and metrics.json; None for no other run.

    Raises ConfigError where the other run is none, or is of a config whose weights do not fit.
    """
    from multitask_recommender.training import vocabulary

    if config.training.warm_start is None:
        return None
    origin = pathlib.Path(config.training.warm_start)
    run_folder.check_complete(origin)
    told = differences.told(_structure(load(origin / run_folder.CONFIG)), _structure(config))
    if told:
        raise ConfigError(f"No training can begin with the weights of {origin}: {told}.")
    return {"run": str(origin), **vocabulary.compared(train, origin / run_folder.CHECKPOINTS)}


def _structure(config: Config) -> dict[str, Any]:
    """The settings of a config that say what weights there are, and what they mean."""
    values = config.to_dict()
    chosen = {axis: values[axis] for axis in ("model", "sharing", "weighting")}
    chosen["tasks"] = {name: task.name for name, task in config.tasks.items()}
    settings = differences.flat(chosen)
    return {
        key: value
        for key, value in settings.items()
        if not any(word in key.rpartition(".")[2] for word in _OF_TRAINING)
    }


def build(config: Config, train: Interactions) -> Any:
    """The model of a config, untrained, for these training interactions."""
    import tensorflow as tf

    if config.training.strategy == "none":
        tf.config.set_visible_devices([], "GPU")
    tf.keras.utils.set_random_seed(config.training.seed)
    tasks = [
        registry.load("tasks", choice.name).Task(name, choice.settings, train)
        for name, choice in config.tasks.items()
    ]
    ranking = {task.name: task for task in tasks if task.predicts_label}
    sharing = registry.load("sharing", config.sharing.name)
    weighting = registry.load("weighting", config.weighting.name)
    model = registry.load("models", config.model.name).Model(
        config.model.settings,
        train,
        tasks=tasks,
        make_sharing=lambda shape: sharing.Sharing(config.sharing.settings, shape, ranking),
        weighting=weighting.Weighting(config.weighting.settings, tasks),
    )
    # In a graph that nobody runs: once rows of a table were read, TensorFlow copies whatever is
    # assigned to it, such as weights that are loaded.
    tf.function(lambda: model.make_weights(train), autograph=False).get_concrete_function()
    return model
