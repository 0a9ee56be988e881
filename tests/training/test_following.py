"""Workers of a cluster on this machine, through the command that a user gives each of them."""

import json
import os
import pathlib
import socket
import subprocess
import sys

import polars as pl
import pytest

ROOT = pathlib.Path(__file__).parents[2]
CONFIG = """
dataset: {name: synthetic, users: 60, items: 50, rows: 3000}
model: {name: two_tower, embedding_dimension: 8, dropout: 0.3, user: [id, history], item: [id]}
sharing: {name: shared_bottom, hidden_layers: [8], dropout: 0.2}
tasks: {retrieval: {}, like: {}, rating: {}}
training: {epochs: 3, batch_size: 500, optimizer: lazy_adam, learning_rate: 0.01}
"""


def train(folder, overrides, task=None, addresses=()):
    """A process of `train.py`, in a folder with config.yaml; task is its index in the cluster."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
    if task is not None:
        cluster = {
            "cluster": {"worker": list(addresses)},
            "task": {"type": "worker", "index": task},
        }
        environment["TF_CONFIG"] = json.dumps(cluster)
    return subprocess.Popen(
        [sys.executable, str(ROOT / "train.py"), *overrides],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def cluster(folder, number, overrides):
    """Exit statuses and outputs of as many workers."""
    addresses = []
    for _ in range(number):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            addresses.append(f"127.0.0.1:{free.getsockname()[1]}")
    workers = [
        train(folder, ["training.strategy=multi_worker", *overrides], task, addresses)
        for task in range(number)
    ]
    outputs = [worker.communicate(timeout=900)[0] for worker in workers]
    return [worker.returncode for worker in workers], outputs


def losses(run):
    history = pl.read_csv(run / "history.csv")
    return history.select(pl.col("^loss.*$")).to_numpy()


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "config.yaml").write_text(CONFIG)
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize("number", [2, 4])
def test_workers_learn_what_one_process_learns_and_only_the_chief_writes(folder, number):
    alone = train(folder, ["--run-dir", "alone"])
    assert alone.wait(timeout=600) == 0

    statuses, outputs = cluster(folder, number, ["--run-dir", "together"])

    assert statuses == [0] * number
    assert f"{number} devices: batches of 500 rows" in outputs[0]
    assert all("devices:" not in each and "Written" not in each for each in outputs[1:])
    assert {each.name for each in folder.iterdir()} == {"config.yaml", "alone", "together"}
    one, other = (losses(folder / name) for name in ("alone", "together"))
    assert one.shape == other.shape
    assert abs(one - other).max() < 1e-4


@pytest.mark.slow
def test_workers_end_as_the_chief_does(folder):
    (folder / "together").mkdir()  # a run is never written over

    statuses, outputs = cluster(folder, 2, ["--run-dir", "together"])

    assert statuses == [2, 2]
    assert "together exists: choose another --run-dir" in outputs[0]
    assert "The chief has ended with status 2" in outputs[1]


def test_a_worker_without_a_cluster_is_told_so_at_once(folder):
    process = train(folder, ["training.strategy=multi_worker", "--run-dir", "run"])

    output = process.communicate(timeout=120)[0]

    assert process.returncode == 2
    assert "TF_CONFIG is not set" in output
    assert not (folder / "run.partial").exists()
