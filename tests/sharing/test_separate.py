"""Layers of each task's own."""

import numpy as np
import tensorflow as tf

from multitask_recommender.layers.heads import PairShape
from multitask_recommender.sharing.separate import Sharing
from multitask_recommender.sharing.settings.separate import Settings


def test_no_task_reads_the_layers_of_another(tasks):
    ranking = tasks({"like": 0.0, "rating": 3.0})
    sharing = Sharing(Settings(hidden_layers=[4]), PairShape(2, 0), ranking)
    pair = tf.ones([1, 6])
    before = sharing(pair)
    kernels = [v for v in sharing.trainable_variables if v.shape == (6, 4)]

    (kernel,) = (v for v in kernels if "tower_like" in v.name)
    kernel.assign(tf.fill([6, 4], 0.5))
    after = sharing(pair)

    assert len(kernels) == 2
    assert float(after["like"][0]) != float(before["like"][0])
    np.testing.assert_array_equal(after["rating"], before["rating"])
