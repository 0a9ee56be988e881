"""Sweeps from the command line: what is trained, written, shown, and gone on with."""

import csv
import json
import pathlib
import statistics
import subprocess
import sys

import pytest

from multitask_recommender import cli, config, report, runs
from multitask_recommender.sweeps import pictures
from multitask_recommender.sweeps import sweep as module

METRIC = "validation/full/ndcg@5"
RATES = "training.learning_rate=0.5,0.25"


@pytest.fixture
def reads(monkeypatch):
    """The datasets and splits that were read."""
    from multitask_recommender.sweeps import trainer

    made = []
    read = trainer.read
    monkeypatch.setattr(trainer, "read", lambda config: made.append(config.split) or read(config))
    return made


@pytest.fixture(autouse=True)
def no_pictures(monkeypatch):
    """They take a third of a second each, and have tests of their own."""
    monkeypatch.setattr(pictures, "draw", lambda *_: [])


def settings(found):
    return [tuple(cell["settings"].values()) for cell in found["cells"]]


def printed(monkeypatch, width=300):
    """The console's text, which is to be looked at when all is done."""
    console = report.Console(width=width, record=True)
    monkeypatch.setattr(report, "console", console)
    return console.export_text


def test_a_grid_of_two_keys_and_two_seeds_is_trained_and_judged_on_validation(sweep, monkeypatch):
    """The one test here that trains: two cells by two seeds, and the run of one of them."""
    text = printed(monkeypatch)

    found = sweep(
        *("model.embedding_dimension=4,8", "training.epochs=1", "tasks.like=null"),
        *("--seeds", "2", "--metric", "full/recall@5"),
    )

    assert sorted(settings(found)) == [(4,), (8,)]
    assert [run["seed"] for run in found["cells"][0]["runs"]] == [42, 43]
    for cell in found["cells"]:
        values = [run["metrics"]["validation/full/recall@5"] for run in cell["runs"]]
        assert [run["value"] for run in cell["runs"]] == values
        assert cell["value"] == pytest.approx(statistics.mean(values))
        assert cell["std"] == pytest.approx(statistics.stdev(values))
    own = next(cell for cell in found["cells"] if cell["is_recipe"])
    assert own["settings"] == {"model.embedding_dimension": 4}
    assert own["parameters"] > 50 * 4  # two tables, of 30 users and 20 items
    lines = [line.split() for line in text().splitlines()]
    assert sum(line[1:2] == ["best"] for line in lines) == 1
    assert sum("recipe" in line[3:] for line in lines if line[:1] == ["1"]) == 1
    assert '"test/' not in pathlib.Path("out", "sweep.json").read_text()
    assert not pathlib.Path("out", "training").exists()

    overrides = ["training.epochs=1", "tasks.like=null", "training.refit=false"]
    runs.train(config.load(pathlib.Path("experiments/tiny.yaml"), overrides), pathlib.Path("run"))
    metrics = json.loads(pathlib.Path("run", "metrics.json").read_text())["metrics"]
    for key, value in own["runs"][0]["metrics"].items():
        assert value == pytest.approx(metrics[key], rel=1e-3), key


def test_cells_stand_the_best_first_with_the_difference_to_the_recipe(sweep, trainings):
    found = sweep(RATES, "--seeds", "2")

    # The stand-in comes to 1 - rate + seed / 1000.
    assert settings(found) == [(0.1,), (0.25,), (0.5,)]
    assert [cell["value"] for cell in found["cells"]] == pytest.approx([0.9425, 0.7925, 0.5425])
    assert [cell["std"] for cell in found["cells"]] == pytest.approx([0.5**0.5 / 1000] * 3)
    assert [cell["difference"] for cell in found["cells"]] == pytest.approx([0, -0.15, -0.4])
    assert [cell["is_recipe"] for cell in found["cells"]] == [True, False, False]
    assert [cell["number"] for cell in found["cells"]] == [1, 3, 2]
    assert (found["best"], found["metric"], found["lower_is_better"]) == (1, METRIC, False)
    assert {training["seed"] for training in trainings} == {42, 43}


def test_where_less_is_better_the_least_is_first(sweep, trainings):
    found = sweep(RATES, "--metric", "loss")

    assert found["lower_is_better"]
    assert settings(found) == [(0.5,), (0.25,), (0.1,)]
    assert found["cells"][0]["difference"] == pytest.approx(-0.4)


def test_one_at_a_time_varies_each_key_from_the_recipe(sweep, trainings):
    found = sweep(RATES, "model.embedding_dimension=8,16", "--one-at-a-time")

    assert sorted(settings(found)) == [(0.1, 4), (0.1, 8), (0.1, 16), (0.25, 4), (0.5, 4)]


def test_the_table_and_the_csv_agree_with_the_json(sweep, trainings, monkeypatch):
    text = printed(monkeypatch)

    found = sweep(RATES, "model.hidden_layers=[],[8,4]", "--seeds", "2")

    with open("out/sweep.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    lines = [line.split() for line in text().split("parameters")[1].splitlines()]
    table = [line for line in lines if line and line[0].isdigit()]
    assert len(rows) == len(table) == len(found["cells"]) == 5  # four, and the recipe as it is
    for row, shown, cell in zip(rows, table, found["cells"], strict=True):
        assert int(row["cell"]) == int(shown[0]) == cell["number"]
        assert json.loads(row["model.hidden_layers"]) == cell["settings"]["model.hidden_layers"]
        assert float(row["training.learning_rate"]) == cell["settings"]["training.learning_rate"]
        assert float(row["value"]) == float(row[METRIC]) == cell["value"]
        assert f"{cell['value']:.4f}" in shown
        assert ("recipe" if cell["is_recipe"] else f"{cell['difference']:+.4f}") in shown
        assert shown[-1] == "17"
        assert row["data"].startswith("synthetic")
    assert table[0][1:3] == ["best", "0.1"]


def test_a_sweep_goes_on_where_it_was_killed(sweep, trainings):
    whole = sweep(RATES, "model.embedding_dimension=4,8", "--seeds", "2")
    path = pathlib.Path("out/cells.jsonl")
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:5]) + lines[5][:20])  # the first line says what it is of
    done = len(trainings)
    assert len(lines) - 1 == done == 10

    resumed = sweep(RATES, "model.embedding_dimension=4,8", "--seeds", "2")

    assert len(trainings) - done == 6
    assert settings(resumed) == settings(whole)
    assert path.read_text().count("\n") == 11
    assert [cell["value"] for cell in resumed["cells"]] == [
        cell["value"] for cell in whole["cells"]
    ]


def test_a_sweep_that_is_done_trains_nothing_and_more_seeds_are_added(sweep, trainings):
    sweep(RATES)
    assert len(trainings) == 3

    sweep(RATES)
    assert len(trainings) == 3

    found = sweep(RATES, "--seeds", "2")
    assert [training["seed"] for training in trainings[3:]] == [43, 43, 43]
    assert [len(cell["runs"]) for cell in found["cells"]] == [2, 2, 2]


@pytest.mark.parametrize(
    ("arguments", "difference"),
    [
        ([RATES + ",0.125"], "varied.training.learning_rate is '0.5,0.25' there and '0.5,0.25,0."),
        ([RATES, "epochs=2"], "config.training.epochs is 4 there and 2 here"),
        ([RATES, "--metric", "loss"], f"metric is '{METRIC}' there and 'validation/loss' here"),
        ([RATES, "--one-at-a-time"], "mode is 'grid' there and 'one at a time' here"),
        ([RATES, "--search", "2"], "mode is 'grid' there and 'search' here"),
    ],
)
def test_another_sweep_in_the_same_folder_is_refused(
    sweep, trainings, arguments, difference, capsys
):
    sweep(RATES)
    capsys.readouterr()

    assert cli.main(["sweep", "tiny", *arguments, "--out", "out"]) == 2

    error = capsys.readouterr().err
    assert error.startswith("error: out/cells.jsonl is of another sweep: ")
    assert difference in error
    assert error.endswith("Choose another --out, or remove the folder and begin anew.\n")
    assert len(trainings) == 3


def test_a_damaged_record_is_refused(sweep, trainings, capsys):
    sweep(RATES)
    path = pathlib.Path("out/cells.jsonl")
    path.write_text(path.read_text().replace('{"settings"', "{settings", 1))

    assert cli.main(["sweep", "tiny", RATES, "--out", "out"]) == 2

    assert "error: out/cells.jsonl, line 2, is damaged: '{settings" in capsys.readouterr().err


def test_a_cell_that_fails_is_recorded_and_the_others_go_on(sweep, trainings, monkeypatch):
    text = printed(monkeypatch)

    found = sweep("training.learning_rate=1,0.5", "tasks.like.weight=0.5,1", "--seeds", "2")

    assert [cell["state"] for cell in found["cells"]] == ["complete"] * 3 + ["failed"] * 2
    failed = found["cells"][-1]
    assert (failed["value"], failed["difference"]) == (None, None)
    assert {run["error"] for run in failed["runs"]} == {"The total loss is nan in epoch 1."}
    assert "(learning_rate=1, weight=1) failed: The total loss is nan in epoch 1." in text()
    with open("out/sweep.csv", newline="") as file:
        last = list(csv.DictReader(file))[-1]
    assert (last["state"], last["value"], last["error"]) == (
        *("failed", ""),
        "The total loss is nan in epoch 1.",
    )
    trained = len(trainings)
    sweep("training.learning_rate=1,0.5", "tasks.like.weight=0.5,1", "--seeds", "2")
    assert len(trainings) == trained


def test_values_that_do_not_fit_each_other_or_the_data_are_failed_cells(sweep, trainings):
    found = sweep(
        "tasks.retrieval.weight=0,1", "tasks.like.weight=0,0.5", "model.user=[id],[id,shoe_size]"
    )

    errors = {
        tuple(map(str, cell["settings"].values())): cell["runs"][0]["error"]
        for cell in found["cells"]
        if cell["state"] == "failed"
    }
    assert len(errors) == 5  # of eight, and the recipe as it is
    assert "The weight of every task is 0" in errors["0", "0", "['id']"]
    assert "shoe_size" in errors["1.0", "0.5", "['id', 'shoe_size']"]


def test_where_every_cell_fails_so_does_the_command(sweep, trainings, capsys):
    sweep("training.learning_rate=1", "model.embedding_dimension=8,16", status=1)

    assert capsys.readouterr().err == (
        "error: Every cell failed, the first with: The total loss is nan in epoch 1.\n"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["model.embeding_dimension=4,8"], "model.embeding_dimension is not a setting. Did you"),
        (["epochs=1,x"], "training.epochs is 'x', expected an integer."),
        ([RATES, "--metric", "full/ndgc@5"], "training.monitor is 'full/ndgc@5', which is no"),
        ([RATES, "split.validation=0"], "A sweep is judged on validation, of which there is no"),
        ([RATES, "model.user=[id,shoe_size]"], "model.user"),
    ],
)
def test_a_wrong_setting_is_status_2_and_nothing_is_written(
    recipe, trainings, arguments, message, capsys
):
    assert cli.main(["sweep", "tiny", *arguments, "--out", "out"]) == 2

    assert capsys.readouterr().err.startswith(f"error: {message}")
    assert [path.name for path in pathlib.Path().iterdir()] == ["experiments"]
    assert trainings == []


def test_a_wrong_setting_is_answered_without_what_takes_seconds_to_import(recipe):
    code = (
        "import sys; from multitask_recommender import cli; "
        "status = cli.main(['sweep', 'tiny', 'epochs=1,x']); "
        "slow = {'tensorflow', 'optuna', 'matplotlib', 'polars', 'scipy'} & sys.modules.keys(); "
        "sys.exit(f'{status} {slow}')"
    )
    root = pathlib.Path(cli.__file__).parents[1]

    done = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": str(root)}, capture_output=True, text=True
    )

    assert done.stderr.splitlines()[-1] == "2 set()"


def test_the_data_is_read_once_for_all_cells_that_share_it(sweep, trainings, reads):
    found = sweep(RATES, "split.seed=1,42", "--seeds", "2")

    assert len(found["cells"]) == 5
    assert [split.seed for split in reads] == [42, 1]
    assert "different validation rows" in found["notes"][0]


def test_losses_by_other_weights_are_said_not_to_compare(sweep, trainings):
    found = sweep("tasks.like.weight=0.5,1", "--metric", "loss")

    assert "whose weights are varied: name another with --metric" in found["notes"][0]


def test_a_baseline_is_fitted_on_train_and_judged_on_validation(sweep, trainings):
    from multitask_recommender.experiment import Experiment

    found = sweep("evaluation.baselines.item_knn.neighbours=1,2,200")

    assert trainings == []
    cells = {
        cell["settings"]["evaluation.baselines.item_knn.neighbours"]: cell
        for cell in found["cells"]
    }
    assert cells.keys() == {100, 1, 2, 200}
    assert cells[100]["is_recipe"]  # the default, as the recipe does not have it
    assert cells[100]["value"] == cells[200]["value"] != cells[1]["value"]  # of 20 items
    assert cells[1]["parameters"] is None
    of_two = ["evaluation.baselines.item_knn.neighbours=2", "training.refit=false"]
    experiment = Experiment(config.load(pathlib.Path("experiments/tiny.yaml"), of_two))
    scorer = experiment.baseline("item_knn")  # without a refit, of train alone
    assert cells[2]["metrics"] == experiment._validator(scorer, experiment.kinds).metrics
    assert '"test/' not in pathlib.Path("out", "sweep.json").read_text()


def test_a_baseline_without_the_metric_is_told_how_to_name_one(sweep, capsys):
    arguments = ["tasks.rating={weight: 1}", "evaluation.baselines.biased_mf.dimension=2,4"]

    sweep(*arguments, status=1)
    error = capsys.readouterr().err
    assert f"{METRIC}, by which the settings are judged, was not computed." in error
    assert "validation/rating/root_mean_squared_error" in error

    found = sweep(*arguments, "--metric", "rating/root_mean_squared_error", out="other")
    assert found["best"] is not None


def test_two_sweeps_in_one_folder_at_a_time(sweep, trainings, capsys):
    from multitask_recommender import run_folder

    pathlib.Path("out").mkdir()
    with run_folder.locked(pathlib.Path("out")):
        assert cli.main(["sweep", "tiny", RATES, "--out", "out"]) == 1

    assert capsys.readouterr().err == "error: Another training is at work in out.\n"


def test_a_fresh_folder_under_runs_is_the_default(recipe, trainings):
    assert cli.main(["sweep", "tiny", RATES]) == 0

    (folder,) = pathlib.Path("runs").iterdir()
    assert "sweep-tiny" in folder.name
    assert {path.name for path in folder.iterdir()} >= {module.JSON, module.CSV, module.RECORDS}
