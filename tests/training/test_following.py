"""Workers of a cluster on this machine, through the command that a user gives each of them."""

import json
import signal
import socket
import time

import numpy as np
import polars as pl
import pytest

from benchmarks import _cluster, kills
from tests.training import processes

CONFIG = """
dataset: {name: synthetic, users: 60, items: 50, rows: 3000}
model: {name: two_tower, embedding_dimension: 8, dropout: 0.3, user: [id, history], item: [id]}
sharing: {name: shared_bottom, hidden_layers: [8], dropout: 0.2}
tasks: {retrieval: {}, like: {}, rating: {}}
training: {epochs: 3, batch_size: 500, optimizer: lazy_adam, learning_rate: 0.01}
"""


def command(folder, arguments, task=None, addresses=None):
    """A process of this package, in a folder with config.yaml; task: its index in the cluster."""
    return processes.start(folder, arguments, addresses, "worker", task)


def workers(folder, number, overrides):
    """Processes of as many workers, the chief first."""
    addresses = _cluster.addresses(worker=number)
    arguments = ["train", "training.strategy=multi_worker", *overrides]
    return [command(folder, arguments, task, addresses) for task in range(number)]


def ended(started):
    """Their exit statuses and outputs."""
    outputs = [process.communicate(timeout=900)[0] for process in started]
    return [process.returncode for process in started], outputs


def assert_ends(*started):
    statuses, outputs = ended(started)
    assert statuses == [0] * len(started), outputs


def losses(run):
    history = pl.read_csv(run / "history.csv")
    return history.select(pl.col("^loss.*$")).to_numpy()


def assert_as_learnt_alone(run, alone):
    np.testing.assert_allclose(losses(run), losses(alone), rtol=0, atol=1e-5)
    weights, others = kills.weights_of(run), kills.weights_of(alone)
    assert weights.keys() == others.keys()
    for name, values in weights.items():  # the running sums of losses among them are thousands
        np.testing.assert_allclose(values, others[name], rtol=1e-6, atol=1e-5, err_msg=name)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "config.yaml").write_text(CONFIG)
    return tmp_path


@pytest.mark.parametrize(
    "strategy, kind, numbers",
    [
        ("multi_worker", "worker", {"worker": 2}),
        ("parameter_server", "chief", {"chief": 1, "worker": 1, "ps": 1}),
    ],
)
def test_who_waits_for_others_says_so(folder, strategy, kind, numbers):
    addresses = _cluster.addresses(**numbers)
    arguments = ["train", f"training.strategy={strategy}"]
    process = processes.start(folder, arguments, addresses, kind)

    said = process.stdout.readline()

    process.kill()
    process.communicate()
    address = addresses[kind][0]
    assert said == f"{kind} 0 at {address} begins when all of the cluster have come.\n"


@pytest.mark.parametrize(
    "strategy, kind, numbers",
    [
        ("parameter_server", "ps", {"chief": 1, "worker": 1, "ps": 1}),
        pytest.param(
            "parameter_server",
            "chief",
            {"chief": 1, "worker": 1, "ps": 1},
            marks=pytest.mark.slow,
        ),
        pytest.param("multi_worker", "worker", {"worker": 2}, marks=pytest.mark.slow),
    ],
)
def test_a_port_that_is_taken_is_told(folder, strategy, kind, numbers):
    addresses = _cluster.addresses(**numbers)
    host, port = addresses[kind][0].split(":")
    with socket.create_server((host, int(port))):
        process = processes.start(
            folder, ["train", f"training.strategy={strategy}"], addresses, kind
        )
        output = process.communicate(timeout=300)[0]

    assert process.returncode == 1
    assert f"error: {kind} 0 cannot serve at {host}:{port}: Could not start gRPC" in " ".join(
        output.split()
    )
    assert "Traceback" not in output


@pytest.mark.slow
@pytest.mark.parametrize("number", [2, 4])
def test_workers_learn_what_one_process_learns_and_only_the_chief_writes(folder, number):
    assert_ends(command(folder, ["train", "--run-dir", "alone"]))

    statuses, outputs = ended(workers(folder, number, ["--run-dir", "together"]))

    assert statuses == [0] * number
    assert f"{number} devices: batches of 500 rows" in outputs[0]
    assert all("devices:" not in each and "Written" not in each for each in outputs[1:])
    assert {each.name for each in folder.iterdir()} == {"config.yaml", "alone", "together"}
    assert_as_learnt_alone(folder / "together", folder / "alone")


@pytest.mark.slow
def test_when_a_worker_is_killed_the_others_end_and_all_go_on_when_started_again(folder):
    """To the last bit; and what they have learnt is exported and begun with as any run is."""
    long = ["training.epochs=40", "training.checkpoint_seconds=0", "--run-dir"]
    assert_ends(*workers(folder, 3, [*long, "whole"]))

    killed = workers(folder, 3, [*long, "killed"])
    wait_for(folder / "killed.partial" / "checkpoints" / "search")
    killed[2].send_signal(signal.SIGKILL)
    started = time.monotonic()
    statuses, outputs = ended(killed)

    assert time.monotonic() - started < 120
    assert statuses == [1, 1, -signal.SIGKILL]
    for output in outputs[:2]:
        assert "The cluster has stopped: " in output
        assert "Give all processes the same command again" in output
        assert "Traceback" not in output
    assert not (folder / "killed").exists()

    assert_ends(*workers(folder, 3, [*long, "killed"]))
    assert kills.differences(folder / "killed", folder / "whole") == []
    assert_ends(command(folder, ["export", "killed"]))
    warm = ["training.epochs=1", "--warm-start", "killed", "--run-dir", "warm"]
    assert_ends(*workers(folder, 2, warm))
    origin = json.loads((folder / "warm" / "metrics.json").read_text())["training"]["warm_start"]
    assert origin["items"]["kept"] > 40
    assert origin["items"]["new"] == origin["items"]["gone"] == 0


def wait_for(folder, seconds=300):
    """Until there is a whole checkpoint in a folder."""
    end = time.monotonic() + seconds
    while not list(folder.glob("*[0-9]")):
        assert time.monotonic() < end, f"no checkpoint in {folder} after {seconds} s"
        time.sleep(0.05)


@pytest.mark.slow
def test_workers_end_as_the_chief_does(folder):
    (folder / "together").mkdir()  # a run is never written over

    statuses, outputs = ended(workers(folder, 2, ["--run-dir", "together"]))

    assert statuses == [2, 2]
    assert "together exists: choose another --run-dir" in outputs[0]
    assert "The chief has ended with status 2" in outputs[1]


def test_a_worker_without_a_cluster_is_told_so_at_once(folder):
    process = command(folder, ["train", "training.strategy=multi_worker", "--run-dir", "run"])

    (status,), (output,) = ended([process])

    assert status == 2
    assert "TF_CONFIG is not set" in output
    assert not (folder / "run.partial").exists()
