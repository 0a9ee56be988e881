"""What is printed: warnings said loudly, numbers whole, and nothing that was not computed."""

import dataclasses
import io
import pathlib
import types

import numpy as np
import pytest
from rich.console import Console

from multitask_recommender import config, report
from multitask_recommender.interactions import Source
from multitask_recommender.splits import Settings, split
from multitask_recommender.traps import Trap

METRICS = {
    "test/full/top_100_categorical_accuracy": 0.63456,
    "test/full/recall@20": 0.25,
    "test/full/ndcg@20": 0.3,
    "test/full/coverage@20": 0.1,
    "test/sampled/hit_rate@10": 0.7,
    "test/unfiltered/factorized_top_k/top_100_categorical_accuracy": 0.3333,
    "test/rating/root_mean_squared_error": 0.90512,
    "test/like/auc": 0.8123,
    "test/like/log_loss": 0.5,
    "validation/like/auc": 0.9999,
}
RESULTS = {
    "metrics": METRICS,
    "baselines": {
        "popularity": METRICS | {"test/full/recall@20": 0.0625},
        "random": {"test/full/recall@20": 0.03125},
    },
    "protocol": {
        "full": {"rows": 9, "cutoffs_left_out": [50, 200]},
        "unfiltered": {"rows": 9, "cutoffs_left_out": []},
        "sampled": {"rows": 0, "cutoffs_left_out": [77], "candidates": "the target and 9 others"},
    },
    "dataset": {"name": "synthetic", "warnings": ["This is synthetic data."]},
}


@pytest.fixture(params=[80, 160])
def printed(request, monkeypatch):
    file = io.StringIO()
    monkeypatch.setattr(report, "console", Console(file=file, width=request.param))
    return file.getvalue


def test_the_table_holds_model_and_baselines_with_whole_numbers(printed):
    report.show_results(RESULTS, [pathlib.Path("runs/a")])

    lines = printed().splitlines()
    model = next(line for line in lines if "model" in line)
    for shown in ("0.6346", "0.2500", "0.3000", "0.1000", "0.3333", "0.7000", "0.9051", "0.8123"):
        assert shown in model
    assert "0.9999" not in printed()
    assert "0.0625" in next(line for line in lines if "popularity" in line)


def test_what_was_not_computed_is_a_dash(printed):
    report.show_results(RESULTS, [pathlib.Path("runs/a")])

    random = next(line for line in printed().splitlines() if "random" in line)
    assert random.split()[1:].count("-") == 7
    assert "0.0000" not in printed()


def test_columns_that_no_one_computed_are_left_out(printed):
    results = RESULTS | {"metrics": {"test/like/auc": 0.5}, "baselines": {}}

    report.show_results(results, [pathlib.Path("runs/a")])

    assert "like" in printed()
    assert "recall" not in printed()


def test_every_binary_label_has_a_row_of_its_own(printed):
    names = ("auc", "gauc", "log_loss", "expected_calibration_error")
    metrics = {
        f"test/{label}/{name}": (place + 1) / 10 + len(label) / 1000
        for label in ("click", "like", "share", "follow", "read")
        for place, name in enumerate(names)
    }

    report.show_results(RESULTS | {"metrics": metrics, "baselines": {}}, [])

    lines = [line.split() for line in printed().splitlines()]
    assert ["follow", "0.1060", "0.2060", "-", "0.3060", "-", "0.4060", "-"] in lines
    assert ["like", "0.1040", "0.2040", "-", "0.3040", "-", "0.4040", "-"] in lines


def test_cutoffs_that_were_left_out_are_said(printed):
    report.show_results(RESULTS, [])

    assert "full: nobody has more candidates than 50, 200: not computed" in printed()
    assert "unfiltered: nobody" not in printed()
    assert "77" not in printed()


def test_warnings_and_the_place_of_the_run_are_said(printed):
    report.show_results(RESULTS, [pathlib.Path("runs/[b]a/metrics.json")])

    assert "WARNING This is synthetic data." in printed()
    assert "runs/[b]a/metrics.json" in printed().replace("\n", "")


def test_the_data_is_said_whatever_its_path(tiny, printed):
    """Square brackets are markup to rich: a path with them vanished, or was an error."""
    source = Source("table [/old]/[b]log.csv", warnings=("Label [like] is NaN.",))
    data = split(dataclasses.replace(tiny, source=source), Settings())

    report.show_data(data, config.parse({}))

    text = " ".join(printed().split())
    assert "table [/old]/[b]log.csv: 4 users, 6 items random split: train 7, " in text
    assert "WARNING Label [like] is NaN." in text


def test_what_is_unknown_or_missing_is_said_of_the_inputs(tiny, printed):
    """User 4 is met in test only, user 3 has no job, and nobody lacks an age."""
    parts = np.array([0, 0, 0, 0, 0, 0, 2, 2, 2, 2], np.int8)
    users = dataclasses.replace(tiny.users, num_known=0)
    data = split(dataclasses.replace(tiny, users=users, parts=parts), Settings(name="given"))
    model = {"name": "two_tower", "user": ["id", "age", "job"], "item": ["id", "genres"]}

    report.show_data(data, config.parse({"model": model}))

    text = " ".join(printed().split())
    counts = data.counts()
    assert counts["test"]["unknown_users"] == 1
    assert "unknown or missing, % of rows of train/validation/test: user_id 0/0/25, job " in text
    assert "age" not in text and "item_id" not in text


def test_nothing_is_said_where_all_is_known(tiny, printed):
    data = split(tiny, Settings())

    report.show_data(data, config.parse({"model": {"name": "two_tower"}}))

    assert "unknown" not in printed()


def test_traps_are_said_with_their_names(tiny, printed):
    traps = [
        Trap("same_row_in_train_and_test", "warning", "2 of [3] test rows."),
        Trap("label_without_click", "note", "1 like without a click."),
    ]

    report.show_data(split(tiny, Settings()), config.parse({}), traps)

    text = " ".join(printed().split())
    assert "WARNING same_row_in_train_and_test: 2 of [3] test rows." in text
    assert "note: 1 like without a click." in text


def shown(monkeypatch, is_terminal):
    """What a console is given from here on."""
    file = io.StringIO()
    terminal = Console(file=file, width=80, force_terminal=is_terminal)
    monkeypatch.setattr(report, "console", terminal)
    return file


@pytest.mark.parametrize("is_terminal", [True, False])
def test_work_is_said_in_a_terminal_while_it_lasts(is_terminal, monkeypatch):
    file = shown(monkeypatch, is_terminal)

    with report.working("fitting [ials]"):
        pass

    assert ("fitting [ials]" in file.getvalue()) == is_terminal
    assert is_terminal or not file.getvalue().strip()


@pytest.mark.parametrize("is_terminal", [True, False])
def test_measuring_counts_in_a_terminal_alone(is_terminal, monkeypatch):
    file = shown(monkeypatch, is_terminal)

    with report.measuring("evaluating [ials]", "users", 30) as advance:
        advance(10)
        advance(20)

    assert ("evaluating [ials]" in file.getvalue()) == is_terminal
    assert ("30/30" in file.getvalue()) == is_terminal
    assert is_terminal or not file.getvalue().strip()


@pytest.mark.parametrize(
    ("finished", "remaining", "shown"),
    [
        (False, None, " 61 s"),  # too early to tell
        (False, 3_725.4, "1:02:05 left"),
        (True, 0.0, " 61 s"),
    ],
)
def test_a_phase_tells_how_long_it_still_takes_and_then_how_long_it_took(
    finished, remaining, shown
):
    task = types.SimpleNamespace(finished=finished, time_remaining=remaining, elapsed=61.2)

    assert report._Time().render(task).plain == shown


def test_progress_tells_steps_losses_and_the_best(monkeypatch):
    file = io.StringIO()
    monkeypatch.setattr(report, "console", Console(file=file, width=160, force_terminal=False))
    progress = report.Progress()

    progress.start("search", 3, 4, 3)
    progress.advance(9)
    progress.tell(4, {"like": 0.5, "retrieval": 6.25, "loss": 7.0}, 0.25, "validation/full/ndcg@20")
    progress.finish()

    text = file.getvalue()
    assert "search" in text
    assert "4/4" in text
    assert "like 0.5 retrieval 6.25 ndcg@20 0.2500" in text


def test_a_table_too_wide_for_the_terminal_keeps_its_numbers_whole(monkeypatch):
    screen = Console(width=40, file=io.StringIO())
    monkeypatch.setattr(report, "console", screen)

    report.show_table("t", [f"c{n}" for n in range(9)], {"mine": [f"{n}.2345" for n in range(9)]})

    lines = screen.file.getvalue().splitlines()
    assert any(all(f"{n}.2345" in line for n in range(9)) for line in lines)


@pytest.mark.parametrize("width", [64, 80, 81, 88, 120])
def test_long_names_and_titles_leave_numbers_whole(monkeypatch, width):
    screen = Console(file=io.StringIO(), width=width)
    monkeypatch.setattr(report, "console", screen)
    titles = ["full\nndcg@10", "full\nrecall@20", "unfiltered\nhit rate@20", "unfiltered\nmrr@20"]
    cells = [f"{n}.2345" for n in range(6)]

    report.show_table(
        "t", [*titles, "full\ncoverage@20", "rating\nRMSE"], {"two_tower x linear x alike": cells}
    )

    lines = screen.file.getvalue().splitlines()
    assert next(line for line in lines if "5.23" in line).split()[-6:] == cells
    assert max(map(len, lines)) <= width
