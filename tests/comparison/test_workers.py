"""Cells as processes: the one test here that trains, and what becomes of those that fail."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest

from multitask_recommender import cli
from multitask_recommender.experiment import Experiment

GRID = """
base:
  dataset: {name: synthetic, users: 30, items: 20, rows: 300}
  split: {validation: 0.2}
  model: {name: two_tower, embedding_dimension: 4}
  tasks: {retrieval: {}, rating: {}}
  training: {epochs: 1, batch_size: 300, learning_rate: 0.1, refit: false, strategy: none}
  evaluation: {protocols: [full], cutoffs: [5]}
axes:
  model: {two_tower: {}, diverges: {model: {name: two_tower}, training: {learning_rate: 1.0e30}}}
twins: false
baselines: [ease]
"""


@pytest.fixture
def grid(elsewhere):
    path = pathlib.Path("grid.yaml")
    path.write_text(GRID)
    return path


@pytest.fixture
def judged(monkeypatch):
    """The names of what this process evaluates."""
    names, judge = [], Experiment.judge

    def recorded(self, scorer, name):
        names.append(name)
        return judge(self, scorer, name)

    monkeypatch.setattr(Experiment, "judge", recorded)
    return names


def test_a_cell_that_fails_is_told_and_the_others_are_runs_that_are_not_made_again(
    grid, judged, capsys
):
    assert cli.main(["compare", str(grid), "--out", "out", "--workers", "2"]) == 1

    assert sorted(judged) == ["ease", "oracle", "popularity", "random"]  # for all cells, each once
    board = json.loads(pathlib.Path("out/leaderboard.json").read_text())
    assert list(board["failed"]) == ["diverges-s42"]
    assert "diverges-s42 failed" in " ".join(capsys.readouterr().out.split())
    (group,) = board["groups"]
    assert [entry["name"] for entry in group["entries"]] == ["two_tower"]
    assert set(group["baselines"]) >= {"popularity", "random", "ease"}
    assert group["entries"][0]["cost"]["parameters"] > 50 * 4
    assert cli.main(["evaluate", "out/runs/two_tower-s42", "--json", "again.json"]) == 0
    again = json.loads(pathlib.Path("again.json").read_text())["metrics"]
    key = "test/full/ndcg@5"
    told = group["entries"][0]["metrics"][key]["mean"]
    assert told == pytest.approx(again[key], rel=1e-5)
    written = pathlib.Path("out/runs/two_tower-s42/metrics.json").stat().st_mtime_ns

    grid.write_text(GRID.replace("1.0e30", "0.05"))  # the other cell is as it was
    assert cli.main(["compare", str(grid), "--out", "out"]) == 1

    told = " ".join(capsys.readouterr().out.split())
    assert "2 runs, 1 of them done" in told and "[1/1] diverges-s42 FAILED" in told
    assert "was begun with another config" in told
    assert pathlib.Path("out/runs/two_tower-s42/metrics.json").stat().st_mtime_ns == written


def test_a_grid_whose_cells_have_changed_does_not_go_on_with_runs_of_before(grid, make_run, capsys):
    make_run("a").rename(pathlib.Path("run"))
    pathlib.Path("out/runs").mkdir(parents=True)
    pathlib.Path("run").rename("out/runs/two_tower-s42")

    assert cli.main(["compare", str(grid), "--out", "out"]) == 1
    assert "was trained by another config, which differs in dataset" in capsys.readouterr().err


@pytest.mark.slow
def test_a_comparison_that_is_killed_leaves_no_process_and_goes_on(grid):
    grid.write_text(GRID.replace("epochs: 1", "epochs: 300").replace("diverges", "other"))
    grid.write_text(grid.read_text().replace("1.0e30", "0.05"))
    root = pathlib.Path(__file__).parents[2]
    command = [sys.executable, "-m", "multitask_recommender", "compare", "grid.yaml"]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    process = subprocess.Popen([*command, "--out", "out", "--workers", "1"], env=environment)
    history = pathlib.Path("out/runs/two_tower-s42.partial/history.csv")
    while not history.exists():
        time.sleep(0.2)
    process.send_signal(signal.SIGKILL)
    process.wait()
    lock = history.parent / ".lock"
    worker = int(lock.read_text())
    for _ in range(600):
        if not pathlib.Path(f"/proc/{worker}").exists():
            break
        time.sleep(0.2)
    assert not pathlib.Path(f"/proc/{worker}").exists()
    epochs = len(history.read_text().splitlines()) - 1
    assert epochs < 300

    subprocess.run([*command, "--out", "out"], env=environment, check=True)

    board = json.loads(pathlib.Path("out/leaderboard.json").read_text())
    assert len(board["groups"][0]["entries"]) == 2


@pytest.mark.slow
def test_every_cell_exports_the_same_signatures_and_answers_as_its_model(grid):
    grid.write_text(GRID.replace("diverges", "other").replace("1.0e30", "0.05"))

    assert cli.main(["compare", str(grid), "--out", "out", "--export"]) == 0

    (group,) = json.loads(pathlib.Path("out/leaderboard.json").read_text())["groups"]
    exports = [export for entry in group["entries"] for export in entry["exports"].values()]
    assert len(exports) == 2
    assert exports[0]["signatures"] == exports[1]["signatures"]
    for export in exports:
        assert max(export["parity"]["scores"], export["parity"]["predictions"]) <= 1e-5
    assert (
        "2 runs are exported, with the same signatures"
        in pathlib.Path("out/report.html").read_text()
    )
