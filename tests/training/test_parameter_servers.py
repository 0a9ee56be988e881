"""Parameter servers: every model on them in one process, and real processes that are killed."""

import json
import pathlib
import signal
import socket
import subprocess
import sys
import threading
import time

import polars as pl
import pytest

from benchmarks import _cluster
from multitask_recommender import config
from multitask_recommender.errors import ConfigError
from multitask_recommender.training import parameter_servers
from multitask_recommender.training.cluster import Cluster
from tests.training import processes, replica_exactness

SCRIPT = pathlib.Path(__file__).with_name("parameter_server_zoo.py")
CONFIG = """
dataset: {name: synthetic, users: 3000, items: 2500, rows: 20000}
model: {name: two_tower, embedding_dimension: 64, user: [id, history], item: [id]}
sharing: {name: shared_bottom, hidden_layers: [8]}
tasks: {retrieval: {negatives: in_batch}, like: {}, rating: {}}
training:
  strategy: parameter_server
  epochs: 2
  batch_size: 200
  optimizer: lazy_adam
  learning_rate: 0.01
  checkpoint_seconds: 0.2
"""
JOBS = {"chief": 1, "worker": 2, "ps": 2}


def outcomes(names):
    environment = {"PYTHONPATH": str(processes.ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        [sys.executable, str(SCRIPT), *names], capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return dict(json.loads(line) for line in done.stdout.splitlines())


def assert_learns(found):
    assert found["losses"][-1] < found["losses"][0]
    assert found["shards"].count(2) >= 2  # a table of users and one of items
    assert [device.split("/")[3] for device in found["on_servers"]] == ["task:0", "task:1"]
    assert found["apart"] == 0.0  # what one process says with the weights that were written
    assert found["steps"] == [20, 20]  # 4 epochs of 90 rows in batches of 20
    assert found["resumed"] == 0.0


def test_tables_in_shards_learn_resume_and_are_read_by_one_process():
    found = outcomes(["model/two_tower, recent/pcgrad"])

    assert len(found) == 1
    assert_learns(found["model/two_tower, recent/pcgrad"])


@pytest.mark.slow
def test_every_model_learns_or_refuses():
    names = [f"model/{name}/pcgrad" for name in replica_exactness.MODELS]
    names += [f"sharing/{name}/uncertainty" for name in replica_exactness.SHARINGS]

    found = outcomes(names)

    assert list(found) == names
    refusing = {name for name, outcome in found.items() if "refused" in outcome}
    assert refusing == {"model/lightgcn/pcgrad", "model/ngcf/pcgrad"}
    for name in found.keys() - refusing:
        assert_learns(found[name])


@pytest.mark.parametrize("name", ["lightgcn", "ngcf"])
def test_models_that_propagate_every_table_are_refused(name):
    with pytest.raises(ConfigError, match=f"parameter_server is not for model {name}: .* fetch"):
        config.parse({"model": name, "training": {"strategy": "parameter_server"}})


def test_float16_is_refused():
    with pytest.raises(ConfigError, match="float16 is not for training.strategy parameter_server"):
        config.parse({"training": {"strategy": "parameter_server", "precision": "float16"}})


def test_who_serves_ends_when_the_chief_has_come_and_gone(monkeypatch):
    monkeypatch.setattr(parameter_servers, "start", lambda group: None)
    monkeypatch.setattr(parameter_servers, "_SECONDS_BETWEEN_LOOKS", 0.05)
    addresses = _cluster.addresses(chief=1, worker=1, ps=1)
    serving = threading.Thread(
        target=parameter_servers.serve, args=[Cluster(addresses, "ps", 0)], daemon=True
    )
    serving.start()
    time.sleep(0.5)
    assert serving.is_alive()  # no chief yet: it waits

    host, port = addresses["chief"][0].split(":")
    with socket.create_server((host, int(port))):
        time.sleep(0.5)
        assert serving.is_alive()

    serving.join(timeout=10)
    assert not serving.is_alive()


class Job:
    """A cluster in a folder with CONFIG; what is left of it at the end of the block is killed."""

    def __init__(self, folder, *overrides):
        (folder / "config.yaml").write_text(CONFIG)
        self._folder, self._overrides = folder, ["train", "--run-dir", "run", *overrides]
        self._addresses = _cluster.addresses(**JOBS)
        self.partial = folder / "run.partial"
        self.processes = {}

    def __enter__(self):
        for kind, number in JOBS.items():
            for index in range(number):
                self.start(kind, index)
        return self

    def start(self, kind, index):
        self.processes[kind, index] = processes.start(
            self._folder, self._overrides, self._addresses, kind, index
        )

    def __exit__(self, *_):
        for process in self.processes.values():
            process.kill()

    def wait_for(self, pattern):
        """Until the chief has written such a file, of the run as long as it is unfinished."""
        while not list(self.partial.glob(pattern)):
            assert self.processes["chief", 0].poll() is None, self.output("chief", 0)
            time.sleep(0.05)

    def output(self, kind, index):
        return self.processes[kind, index].communicate(timeout=600)[0]

    def statuses(self):
        return {key: process.wait(timeout=600) for key, process in self.processes.items()}


@pytest.fixture
def alone(tmp_path):
    """Evaluates the run of a folder in a process of its own: its metrics."""

    def alone():
        path = tmp_path / "alone.json"
        command = [str(processes.ROOT / "evaluate.py"), "run", "--json", str(path)]
        environment = {"PYTHONPATH": str(processes.ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
        subprocess.run([sys.executable, *command], cwd=tmp_path, env=environment, check=True)
        return json.loads(path.read_text())["metrics"]

    return alone


def epochs(folder):
    return pl.read_csv(folder / "run/history.csv").select("phase", "epoch").rows()


WHOLE = [(phase, epoch) for phase in ("search", "refit") for epoch in (1, 2)]


@pytest.mark.slow
@pytest.mark.parametrize("comes_back", [False, True])
def test_a_worker_that_is_killed_does_not_stop_it(comes_back, tmp_path, alone):
    with Job(tmp_path) as job:
        job.wait_for("checkpoints/search/*[0-9]")
        killed = job.processes["worker", 1]
        killed.kill()
        assert killed.wait(timeout=60) == -signal.SIGKILL
        if comes_back:
            job.start("worker", 1)
        output = job.output("chief", 0)
        statuses = job.statuses()

    if not comes_back:
        del statuses["worker", 1]
    assert set(statuses.values()) == {0}
    assert "2 workers and 2 parameter servers: batches of 200 rows" in output
    assert epochs(tmp_path) == WHOLE
    written = json.loads((tmp_path / "run/metrics.json").read_text())["metrics"]
    found = alone()
    assert found
    assert {key: written[key] for key in found} == pytest.approx(found, rel=1e-5)


@pytest.mark.slow
def test_a_server_that_is_killed_ends_it_and_the_same_again_goes_on(tmp_path):
    with Job(tmp_path) as job:
        job.wait_for("checkpoints/search/*[0-9]")
        job.processes["ps", 1].kill()
        output = job.output("chief", 0)
        statuses = job.statuses()

    assert statuses.pop(("ps", 1)) == -signal.SIGKILL
    assert statuses.pop(("chief", 0)) == 1
    assert set(statuses.values()) == {0}
    assert "The cluster has stopped: " in output
    assert "Give all processes the same command again" in output
    with Job(tmp_path) as job:
        output = job.output("chief", 0)
        assert set(job.statuses().values()) == {0}, output
    assert epochs(tmp_path) == WHOLE


@pytest.mark.slow
def test_a_chief_that_is_stopped_saves_and_the_others_end(tmp_path):
    with Job(tmp_path) as job:
        job.wait_for("checkpoints/search/*[0-9]")
        job.processes["chief", 0].send_signal(signal.SIGTERM)
        statuses = job.statuses()

    assert statuses.pop(("chief", 0)) == 143
    assert set(statuses.values()) == {0}
    with Job(tmp_path) as job:
        assert set(job.statuses().values()) == {0}
    assert epochs(tmp_path) == WHOLE
