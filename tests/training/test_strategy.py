"""Several devices learn what one learns: each case of replica_exactness.py, in another process."""

import json
import pathlib
import subprocess
import sys

import pytest

from multitask_recommender.errors import ConfigError
from multitask_recommender.training import strategy
from multitask_recommender.training.settings import Settings

ROOT = pathlib.Path(__file__).parents[2]
SCRIPT = pathlib.Path(__file__).with_name("replica_exactness.py")
FEW = [  # of every kind of model, retrieval and weighting one
    "model/two_tower/pcgrad",
    "model/gru4rec/pcgrad",
    "model/dcn/fixed",
    "retrieval/sampled_of_clicks",
    "retrieval/bpr_of_clicks",
    "sharing/ple/uncertainty",
]


def differences(names):
    environment = {"PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        [sys.executable, str(SCRIPT), *names], capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


def assert_exact(found):
    """Losses are about 3 and gradients about 0.3: what is left is rounding."""
    apart = [each for each in found if max(each[2:]) > 1e-5]
    assert not apart


def test_two_and_four_devices_learn_what_one_learns():
    found = differences(FEW)

    assert {tuple(each[:2]) for each in found} == {(name, n) for name in FEW for n in (2, 4)}
    assert_exact(found)


@pytest.mark.slow
def test_in_every_model_retrieval_sharing_and_weighting():
    found = differences([])

    assert len(found) > 80
    assert_exact(found)


def test_one_device_is_the_default_where_there_is_no_more_than_one_gpu():
    for kind in ("auto", "none"):
        replicas = strategy.replicas(Settings(strategy=kind))
        assert (replicas.number, replicas.num_workers, replicas.is_chief) == (1, 1, True)


def test_a_cpu_that_is_in_use_cannot_be_divided_any_more():
    import tensorflow as tf

    _ = tf.zeros([1]) + 1.0
    with pytest.raises(ConfigError, match=r"training\.replicas is 3, but .* divided its CPU in 1 "):
        strategy.replicas(Settings(strategy="mirrored", replicas=3))


def test_several_workers_need_a_cluster(monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    with pytest.raises(ConfigError, match="multi_worker, but TF_CONFIG is not set"):
        strategy.replicas(Settings(strategy="multi_worker"))
