"""One bottom for all tasks."""

import tensorflow as tf

from multitask_recommender.layers.heads import PairShape
from multitask_recommender.sharing.settings.shared_bottom import Settings
from multitask_recommender.sharing.shared_bottom import Sharing


def test_all_tasks_read_one_bottom(tasks):
    ranking = tasks({"like": 0.0, "rating": 3.0})
    sharing = Sharing(Settings(hidden_layers=[4]), PairShape(2, 0), ranking)
    pair = tf.ones([1, 6])
    before = {name: float(output[0]) for name, output in sharing(pair).items()}
    kernels = [v for v in sharing.trainable_variables if v.shape == (6, 4)]

    kernels[0].assign(tf.fill([6, 4], 0.5))
    after = sharing(pair)

    assert len(kernels) == 1
    assert all(float(after[name][0]) != before[name] for name in before)


def test_each_task_may_have_a_tower_on_it(tasks):
    settings = Settings(hidden_layers=[4], tower_layers=[3])
    sharing = Sharing(settings, PairShape(2, 0), tasks({"like": 0.0, "rating": 3.0}))
    sharing(tf.ones([1, 6]))

    shapes = [tuple(v.shape) for v in sharing.trainable_variables]

    assert shapes.count((6, 4)) == 1
    assert shapes.count((4, 3)) == 2
