"""Which devices training.strategy makes, and what it refuses."""

import pytest
import tensorflow as tf

from multitask_recommender.errors import ConfigError
from multitask_recommender.training import strategy
from multitask_recommender.training.settings import Settings


def test_one_device_is_the_default_where_there_is_no_more_than_one_gpu():
    for kind in ("auto", "none"):
        replicas = strategy.replicas(Settings(strategy=kind))
        assert (replicas.number, replicas.num_workers, replicas.is_chief) == (1, 1, True)


def test_operations_run_one_at_a_time_unless_the_environment_says_otherwise(monkeypatch):
    asked = []
    monkeypatch.setattr(tf.config.threading, "set_inter_op_parallelism_threads", asked.append)
    make = strategy._replicas.__wrapped__  # what is made once in a process, made again

    monkeypatch.setenv("TF_NUM_INTEROP_THREADS", "4")
    make("none", None)
    assert asked == []
    monkeypatch.delenv("TF_NUM_INTEROP_THREADS")
    make("none", None)
    assert asked == [1]


def test_a_cpu_that_is_in_use_cannot_be_divided_any_more():
    _ = tf.zeros([1]) + 1.0
    with pytest.raises(ConfigError, match=r"training\.replicas is 3, but .* divided its CPU in 1 "):
        strategy.replicas(Settings(strategy="mirrored", replicas=3))


def test_several_workers_need_a_cluster(monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    with pytest.raises(ConfigError, match="multi_worker, but TF_CONFIG is not set"):
        strategy.replicas(Settings(strategy="multi_worker"))
