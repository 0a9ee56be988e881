"""Weight decay that is paid where rows are used."""

import numpy as np
import pytest
import tensorflow as tf

from multitask_recommender import histories
from multitask_recommender.batches import TrainingBatches
from multitask_recommender.layers.weight_decay import WeightDecay


@pytest.mark.parametrize("power", [0.0, 0.5, 1.0])
def test_over_an_epoch_each_row_pays_by_its_count_to_the_power(tiny, power):
    table = np.random.default_rng(0).normal(size=(7, 2)).astype(np.float32)
    counts = histories.counts(tiny.item_ids, 6)
    decay = WeightDecay(counts, power)
    batches = TrainingBatches(tiny, batch_size=4, seed=1)  # 4, 4 and 2 rows

    charged = sum(
        float(decay(tf.constant(table), batch["item_id"])) * len(batch["item_id"]) / len(tiny)
        for batch in batches.dataset().take(3)
    )

    used = counts > 0
    expected = (counts[used] ** power * np.square(table[used]).sum(axis=1)).sum() / len(tiny)
    assert charged == pytest.approx(expected, rel=1e-5)


def test_the_projected_vectors_are_charged():
    table, projection = tf.constant([[9.0, 9], [1, 2], [3, -1]]), tf.constant([[1.0], [-2.0]])
    decay = WeightDecay(np.array([0, 4, 1]), 0.5)

    charged = decay(table, tf.constant([2, 1]), projection)

    assert float(charged) == pytest.approx(((-3) ** 2 / 2 + 5**2) / 2)


def test_the_gradient_is_of_the_rows_of_the_batch_alone():
    table = tf.Variable(tf.ones([5, 2]))
    decay = WeightDecay(np.array([0, 1, 2, 3, 4]), 0.5)

    with tf.GradientTape() as tape:
        charged = decay(table, tf.constant([3, 1, 3]))
    gradient = tape.gradient(charged, table)

    assert sorted(gradient.indices.numpy()) == [1, 3]


def test_a_row_that_training_never_met_is_charged_as_if_once():
    decay = WeightDecay(np.array([0.0, 0.0]), 0.0)

    assert float(decay(tf.constant([[0.0], [2.0]]), tf.constant([1]))) == 4
