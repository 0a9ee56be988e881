"""What models read."""

from collections.abc import Callable

import pytest
import tensorflow as tf

from multitask_recommender.batches import STEP_SEED, ordered_batches
from multitask_recommender.interactions import Interactions

Features = dict[str, tf.Tensor]


@pytest.fixture
def batch_of() -> Callable[..., Features]:
    """The rows of some events as one batch."""

    def batch_of(interactions: Interactions, rows: slice = slice(None)) -> Features:
        (whole,) = ordered_batches(interactions, len(interactions))
        batch = {name: whole[name][rows] for name in whole.keys() - {STEP_SEED}}
        return batch | {STEP_SEED: tf.constant([1, 2])}

    return batch_of
