"""Several devices learn what one learns: each case of replica_exactness.py, in another process."""

import itertools
import json
import pathlib
import subprocess
import sys
import types

import numpy as np
import pytest
from pydantic import ValidationError

from multitask_recommender import config, registry
from multitask_recommender.tasks.settings import retrieval
from multitask_recommender.training.replicas import Replicas
from tests.training import replica_exactness

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


def lines_of(script, *names):
    environment = {"PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        [sys.executable, str(script), *names], capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_how_a_batch_is_divided_is_said_of_several_devices_alone():
    three = Replicas(types.SimpleNamespace(num_replicas_in_sync=3))

    assert three.division(900) == "3 devices: batches of 900 rows, about 300 on each"
    assert Replicas().division(900) is None


def differences(names):
    return lines_of(SCRIPT, *names)


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

    assert len(found) == 2 * len(replica_exactness.cases())
    assert_exact(found)


def test_what_is_added_to_a_folder_is_among_the_cases():
    """All models, sharings and tasks, each by every weighting; all losses with their negatives."""
    cases = [config.parse(values) for values in replica_exactness.cases().values()]
    by_model = {(case.model.name, case.weighting.name) for case in cases}
    by_sharing = {(case.sharing.name, case.weighting.name) for case in cases}
    weightings = registry.names("weighting")
    tasks = [task for case in cases for task in case.tasks.values()]

    assert by_model == set(itertools.product(registry.names("models"), weightings))
    assert by_sharing == set(itertools.product(registry.names("sharing"), weightings))
    assert {task.name for task in tasks} == set(registry.names("tasks"))
    alone = {next(iter(case.tasks.values())).name for case in cases if len(case.tasks) == 1}
    assert alone == set(registry.names("tasks"))
    compared = {
        (task.settings.loss, task.settings.negatives) for task in tasks if task.name == "retrieval"
    }
    assert compared >= set(accepted_losses())


def accepted_losses():
    """The losses of retrieval, each with every kind of negatives that it takes."""
    fields = retrieval.Settings.model_fields
    options = (fields[name].annotation.__args__ for name in ("loss", "negatives"))
    for loss, negatives in itertools.product(*options):
        try:
            retrieval.Settings(loss=loss, negatives=negatives)
        except ValidationError:
            continue
        if negatives != "auto":
            yield loss, negatives


@pytest.mark.slow  # ten seconds of a processor
def test_float16_on_two_devices_and_batches_that_are_copied_ahead():
    """Both devices leave out the same steps, and learn what one learns."""
    one, two, copied = lines_of(SCRIPT.with_name("logical_devices.py"))

    assert one["step"] == two["step"] == 8
    assert one["scale"] == two["scale"] < 2.0**22  # steps were left out
    assert one["learnt"] > 0.01  # and others not
    np.testing.assert_allclose(two["weights"], one["weights"], atol=2e-3)
    assert copied == {"devices": ["CPU:1"], "same": True}
