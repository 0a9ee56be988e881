"""Bad data at the command line: one line that names file, line and value, and nothing written."""

import json
import re

import numpy as np
import polars as pl
import pytest

from multitask_recommender import cli

HEADER = "user,item,liked,stars\n"
ROWS = [f"u{n % 6},i{n % 5},{n % 2},{n % 5 + 1}\n" for n in range(30)]


def config_text(path, **more):
    columns = "{user: user, item: item, labels: {like: liked, rating: stars}}"
    sections = {
        "dataset": f"{{name: table, path: {path}, columns: {columns}}}",
        "model": "{name: two_tower, embedding_dimension: 4}",
        "training": "{epochs: 1, batch_size: 64, refit: false}",
        **more,
    }
    return "\n".join(f"{key}: {value}" for key, value in sections.items())


@pytest.fixture
def train(tmp_path, monkeypatch, capsys):
    """Runs `python train.py` on a log: exit status, the lines of errors, and the run's metrics."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MTR_DATA", raising=False)

    def train(log=None, path="log.csv", **more):
        if log is not None:
            (tmp_path / path).write_text(log)
        (tmp_path / "config.yaml").write_text(config_text(path, **more))
        before = sorted(tmp_path.rglob("*"))
        status = cli.run("train", ["--run-dir", "run"], "python train.py")
        errors = capsys.readouterr().err
        if status == 0:
            metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())["metrics"]
            return status, errors, metrics
        assert sorted(tmp_path.rglob("*")) == before
        return status, errors, None

    return train


@pytest.mark.parametrize(
    ("log", "message"),
    [
        ("", "log.csv is empty"),
        (HEADER, "log.csv is empty: it has columns, but no rows"),
        (HEADER + "".join(ROWS) + "u1,i1", "log.csv line 32: 2 columns, expected 4: 'u1,i1'"),
        (HEADER + ROWS[0] + "u1,i1,1,2,9\n", "log.csv line 3: 5 columns, expected 4"),
        (HEADER + ROWS[0] + "u1,i1,1,good\n", "log.csv line 3: label rating .* 'good', expected"),
        (HEADER + ROWS[0] + "u1,i1,3,4\n", "log.csv line 3: label like .* is '3', expected 0, 1"),
        (HEADER + ROWS[0] + ",i1,1,4\n", "log.csv line 3: user is empty"),
        ("user,thing,liked,stars\nu,i,1,2\n", "dataset.columns.item is 'item', but .*log.csv"),
    ],
)
def test_a_faulty_file_is_one_line_and_nothing_is_written(train, log, message):
    status, errors, _ = train(log)

    assert status == 1
    assert re.match(f"error: .*{message}", errors)
    assert errors.count("\n") == 1


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (
            {"tasks": "{retrieval: {}, again: {kind: retrieval}}"},
            "tasks retrieval and again both retrieve: at the most one task can",
        ),
        (
            {"tasks": "{retrieval: {positive: rating}}"},
            "tasks.retrieval.positive needs a label of 0 and 1, but 'rating' of .* has the value",
        ),
        ({"tasks": "{rating: {kind: binary}}"}, "tasks.rating needs a label of 0 and 1, but"),
        (
            {"tasks": "{like: {weight: .inf}}"},
            "tasks.like.weight is Infinity, expected a finite number",
        ),
        ({"model": "{name: two_tower, hidden_layers: [0]}"}, "model.hidden_layers.*0"),
        ({"sharing": "{name: separate, hidden_layers: [-3]}"}, "sharing.hidden_layers.*-3"),
        ({"model": "{name: two_tower, user: [id, id]}"}, "model.* names an input twice: id, id"),
        ({"model": "os.path"}, "The module os.path has no Model"),
        ({"tasks": "{click: {}}"}, "tasks.click needs the label 'click', which .* does not have"),
    ],
)
def test_what_makes_no_sense_is_one_line_and_nothing_is_written(train, more, message):
    status, errors, _ = train(HEADER + "".join(ROWS), **more)

    assert status == 2
    assert re.match(f"error: .*{message}", errors)
    assert errors.count("\n") == 1


def test_a_missing_file_is_one_line(train):
    status, errors, _ = train(path="nowhere.csv")

    assert (status, errors) == (1, "error: dataset.path is nowhere.csv: no such file or folder.\n")


def test_a_missing_folder_of_movielens_is_one_line(train, tmp_path, capsys):
    (tmp_path / "config.yaml").write_text("dataset: {name: movielens, path: nowhere}\n")

    status = cli.run("train", ["--run-dir", "run"], "python train.py")

    errors = capsys.readouterr().err
    assert status == 1
    assert "nowhere" in errors
    assert errors.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["config.yaml"]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"tasks": "{click: {}}"}, "tasks.click needs the label 'click', which .* does not have"),
        (
            {"tasks": "{retrieval: {positive: lik}}"},
            "tasks.retrieval.positive needs the label 'lik'",
        ),
        ({"tasks": "{retrieval: {}, lik: {kind: binary}}"}, "tasks.lik .* Did you mean 'like'?"),
    ],
)
def test_a_config_that_the_data_does_not_fit_is_status_2(train, more, message):
    status, errors, _ = train(HEADER + "".join(ROWS), **more)

    assert status == 2
    assert re.match(f"error: {message}", errors)
    assert errors.count("\n") == 1


def test_too_few_rows_to_split_are_one_line(train):
    status, errors, _ = train(HEADER + ROWS[0], split="{test: 0.9}")

    assert status == 1
    assert errors == (
        "error: No row of 1 is left to train on: split.name is random, test 0.9, validation 0.1.\n"
    )


def test_odd_data_that_is_right_trains(train):
    """Ids beyond int32, a scale of -10 to 1000, labels that are NaN, one item, and a last line."""
    rng = np.random.default_rng(0)
    rows = [
        f"{2**40 + n},{2**62},{['', '1', '0', 'NaN'][n % 4]},{rng.uniform(-10, 1000):.2f}"
        for n in range(40)
    ]

    status, errors, metrics = train(HEADER + "\n".join(rows))

    assert (status, errors) == (0, "")
    assert not any("full" in name for name in metrics)  # of one item there is no choice
    assert 0 < metrics["test/rating/mean_absolute_error"] < 1010


def test_one_user_trains(train, tmp_path):
    rows = [f"ann,i{n},{n % 2},{n % 5 + 1}\n" for n in range(40)]

    status, errors, metrics = train(HEADER + "".join(rows), split="{validation: 0}")

    assert (status, errors) == (0, "")
    # Items of the test part were met by nobody in training: they can only be missed.
    assert metrics["test/unfiltered/factorized_top_k/top_10_categorical_accuracy"] == 0
    assert "test/full/recall@20" not in metrics  # nor is there an item that she has not seen
    assert len(pl.read_parquet(tmp_path / "run" / "test.parquet")) == 8
    assert all(np.isfinite(value) for value in metrics.values())


def test_held_out_items_that_nobody_knew_cost_no_nan(train):
    """In-batch negatives, and a last batch of the test part whose items are all unknown."""
    rows = [f"u{n % 7},i{n},1,{n % 5 + 1}\n" for n in range(50)]

    status, errors, metrics = train(
        HEADER + "".join(rows), tasks="{retrieval: {negatives: in_batch}}", split="{validation: 0}"
    )

    assert (status, errors) == (0, "")
    assert "test/retrieval/loss" not in metrics  # over no row


def test_nothing_held_out_trains(train):
    status, errors, metrics = train(HEADER + "".join(ROWS), split="{test: 0, validation: 0}")

    assert (status, errors, metrics) == (0, "", {})


CLICKS = "{name: table, path: log.csv, columns: {user: user, item: item, labels: {click: liked}}}"


def test_a_click_that_is_always_one_is_refused_as_constant(train):
    rows = [f"u{n % 6},i{n % 5},1,{n % 5 + 1}\n" for n in range(30)]

    status, errors, _ = train(HEADER + "".join(rows), dataset=CLICKS, tasks="{click: {}}")

    assert status == 2
    assert errors == (
        "error: constant_label: tasks.click: all 22 training rows that hold 'click' have the value "
        "1, so nothing can be learnt: take the task out (tasks.click=null). If it is meant: "
        "traps.allow=[constant_label].\n"
    )


def test_a_trap_that_is_allowed_trains_and_is_recorded(train, tmp_path, capsys):
    rows = [f"u{n % 6},i{n % 5},1,{n % 5 + 1}\n" for n in range(30)]

    status, errors, _ = train(
        HEADER + "".join(rows),
        dataset=CLICKS,
        tasks="{click: {}}",
        traps="{allow: [constant_label]}",
    )

    assert (status, errors) == (0, "")
    (trap,) = json.loads((tmp_path / "run" / "metrics.json").read_text())["traps"]
    assert (trap["name"], trap["severity"]) == ("constant_label", "warning")
    assert trap["sentence"].startswith("tasks.click: all 22 training rows")


def test_a_label_that_is_a_feature_of_items_too_is_refused(train):
    rng = np.random.default_rng(0)
    rows = [f"u{n % 40},i{n % 300},{rng.integers(2)},3\n" for n in range(600)]
    columns = "{user: user, item: item, item_features: [liked], labels: {click: liked}}"

    status, errors, _ = train(
        HEADER + "".join(rows),
        dataset=f"{{name: table, path: log.csv, columns: {columns}}}",
        model="{name: two_tower, item: [id, liked]}",
        tasks="{click: {}}",
    )

    assert status == 2
    assert errors.startswith(
        "error: label_in_feature: The item feature 'liked' alone tells the label 'click' (AUC 1.00"
    )
    assert errors.count("\n") == 1


TRAINED = np.random.default_rng(42).permutation(30)[0]  # a row of train
UNKNOWN = "which is no metric of this validation part"


@pytest.mark.parametrize(
    ("monitor", "message"),
    [
        ("full/ndgc@1", f"{UNKNOWN}. Did you mean 'full/ndcg@1'?"),
        ("full/ndcg@5", f"{UNKNOWN}. Did you mean 'full/ndcg@1'?"),  # there are but five items
        ("like/auc", UNKNOWN),  # all likes are 1
        ("rating/loss", UNKNOWN),  # the only rating is a training row's
        ("full/gini@1", "of which neither more nor less is better"),
    ],
)
def test_a_monitor_that_can_choose_no_epoch_is_one_line(train, monitor, message):
    rows = [f"u{n % 6},i{n % 5},1,{5 if n == TRAINED else ''}\n" for n in range(30)]
    more = {
        "training": f"{{epochs: 1, batch_size: 64, monitor: {monitor}}}",
        "traps": "{allow: [constant_label]}",
    }

    status, errors, _ = train(HEADER + "".join(rows), **more)

    assert status == 2
    assert errors.startswith(f"error: training.monitor is '{monitor}', {message}")
    assert errors.count("\n") == 1


@pytest.mark.parametrize("label", ["add to cart", "é?"])
def test_a_label_may_have_any_name(train, label):
    name = json.dumps(label)
    columns = f"{{user: user, item: item, labels: {{{name}: liked}}}}"
    dataset = f"{{name: table, path: log.csv, columns: {columns}}}"

    status, errors, metrics = train(
        HEADER + "".join(ROWS), tasks=f"{{{name}: {{kind: binary}}}}", dataset=dataset
    )

    assert (status, errors) == (0, "")
    assert f"test/{label}/log_loss" in metrics
