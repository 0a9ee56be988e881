"""What a config names, made: its data, cut in parts, and its model.

TensorFlow is imported only when a model is made.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from multitask_recommender import registry, splits
from multitask_recommender.config import Config
from multitask_recommender.interactions import Interactions

if TYPE_CHECKING:
    from multitask_recommender.index.tuning.tune import Tuned


def read(config: Config) -> splits.Splits:
    """The rows of a config's dataset, cut by its split."""
    dataset = registry.load("datasets", config.dataset.name)
    interactions = dataset.read(config.dataset.settings, config.split.fold)
    return splits.split(interactions, config.split)


def index(config: Config, vectors: np.ndarray, queries: np.ndarray) -> "Tuned":
    """The index of a config's export over item vectors [I, D], tried on queries [Q, D].

    Raises RunError where it finds less than `export.recall`.
    """
    from multitask_recommender.index.tuning.tune import tune

    kind = registry.load("index", config.index.name).Index
    return tune(kind, config.index.settings, vectors, queries, config.export.recall)


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
    model.make_weights(train)
    return model
