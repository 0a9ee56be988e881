"""What stands in a leaderboard, from finished runs to its bytes; and what is found if changed."""

import json
import pathlib

import pytest

from multitask_recommender import cli, run_folder
from multitask_recommender.comparison import (
    differences,
    entries,
    finished,
    groups,
    leaderboard,
    page,
)
from multitask_recommender.errors import RunError

SEEDS = (1, 2, 3)


@pytest.fixture
def runs(make_run):
    """A joint model that ranks much better than its twin, and knows likes as well."""
    made = [make_run(f"joint-{seed}", seed=seed, gain=0.2) for seed in SEEDS]
    for task in ("retrieval", "like", "rating"):
        made += [
            make_run(f"{task}-{seed}", [task], seed=seed, gain=0.0 if task == "retrieval" else 0.2)
            for seed in SEEDS
        ]
    return made


@pytest.fixture
def compare(elsewhere):
    """Compares finished runs into `out`; returns the board."""

    def compare(*folders: pathlib.Path, status: int = 0) -> dict:
        arguments = ["compare", *map(str, folders), "--out", "out"]
        assert cli.main(arguments) == status
        return json.loads(pathlib.Path("out/leaderboard.json").read_text())

    return compare


def test_runs_of_one_setting_are_an_entry_and_each_task_is_held_against_its_twin(runs, compare):
    board = compare(*runs)

    (group,) = board["groups"]
    assert [entry["name"] for entry in group["entries"]] == [
        *("joint-1", "retrieval-1", "like-1", "rating-1")
    ]
    joint = group["entries"][0]
    assert joint["seeds"] == [1, 2, 3]
    assert joint["metrics"]["test/full/ndcg@10"]["mean"] == pytest.approx(0.5, abs=0.02)
    assert joint["cost"]["peak_memory_bytes"] == pytest.approx(2**28)
    found = {each["metric"]: each for each in group["differences"]}
    assert set(found) == {
        *("full/ndcg@10", "like/auc", "like/log_loss", "rating/root_mean_squared_error")
    }
    ranked = found["full/ndcg@10"]
    assert (ranked["verdict"], ranked["minus"], ranked["is_twin"]) == (
        "better",
        "retrieval-1",
        True,
    )
    assert ranked["low"] < 0.2 < ranked["high"] or ranked["low"] > 0.15
    assert found["like/auc"]["verdict"] == "no difference found"
    assert found["like/auc"]["low"] < 0 < found["like/auc"]["high"]


def test_an_entry_of_several_seeds_is_not_called_by_one_of_them(make_run, compare):
    runs = [
        make_run(f"{name}-s{seed}", seed=seed, model={"name": model})
        for name, model in (("a", "two_tower"), ("b", "mf_ncf"))
        for seed in (1, 2)
    ]

    (group,) = compare(*runs, make_run("c-s3", seed=3, model={"name": "fm"}, tasks=["rating"]))[
        "groups"
    ]

    assert {entry["name"] for entry in group["entries"]} == {"a", "b", "c-s3"}


def test_without_a_twin_a_run_is_held_against_the_first(make_run, compare):
    board = compare(make_run("a"), make_run("b", gain=0.3, model={"name": "mf_ncf"}))

    (group,) = board["groups"]
    told = {(each["name"], each["minus"], each["metric"]) for each in group["differences"]}
    assert ("b", "a", "full/ndcg@10") in told
    assert not any(each["is_twin"] for each in group["differences"])
    assert [entry["name"] for entry in group["entries"]] == ["b", "a"]  # the best first


def test_one_seed_is_not_called_a_mean(runs, make_run, compare, capsys):
    compare(make_run("a"))

    assert "one seed" in capsys.readouterr().out
    assert "means over" not in pathlib.Path("out/report.html").read_text().partition("How this")[0]

    compare(*runs)

    assert f"means over {len(SEEDS)} seeds" in capsys.readouterr().out


def test_how_many_seeds_a_line_has_is_told_where_lines_differ(make_run, compare, capsys):
    of_two = [make_run("a"), make_run("b", seed=7)]
    compare(*of_two, make_run("c", model={"name": "mf_ncf"}))

    assert "means over 1 to 2 seeds" in capsys.readouterr().out


def test_a_run_that_learns_one_task_too_is_no_twin(make_run, compare):
    runs = [make_run("a", ["rating"]), make_run("b", ["rating"], model={"name": "mf_ncf"})]

    (group,) = compare(*runs)["groups"]

    assert [each["is_twin"] for each in group["differences"]] == [False]


def test_other_splits_are_never_ranked_together(make_run, compare, capsys):
    board = compare(make_run("a"), make_run("b", split={"seed": 7}))

    assert [[entry["name"] for entry in group["entries"]] for group in board["groups"]] == [
        ["a"],
        ["b"],
    ]
    assert [group["differences"] for group in board["groups"]] == [[], []]
    assert "Group 1 of 2: data, split or protocol differ" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        ("dataset", "md5", {"/some/where": "other"}),
        ("protocol", "trained_on", "train and validation"),
        ("protocol", "full", {"candidates": "a few"}),
        ("protocol", "labels", {"like": {"rows": 7}, "rating": {"rows": 120}}),
    ],
)
def test_what_makes_figures_incomparable_makes_a_group(make_run, section, key, value):
    one, two = (finished.read(name, make_run(name)) for name in ("a", "b"))
    two.results[section][key] = value

    assert len(groups.group([one, two])) == 2


def test_a_twin_that_ranks_nothing_stands_with_those_that_agree_in_the_rest(make_run):
    joint = finished.read("a", make_run("a"))
    twin = finished.read("b", make_run("b", ["rating"], seed=4))

    (group,) = groups.group([twin, joint])

    assert [run.name for run in group.runs] == ["b", "a"]


def test_what_is_said_of_a_label_of_some_is_no_other_data(make_run):
    joint, twin = (finished.read(name, make_run(name)) for name in ("a", "b"))
    joint.results["dataset"]["warnings"] = ["synthetic", "2 likes count as none"]
    twin.results["dataset"]["warnings"] = ["synthetic"]

    (group,) = groups.group([joint, twin])

    assert list(group.warnings) == ["synthetic", "2 likes count as none"]


def test_the_same_lists_for_all_are_flagged(make_run, compare, capsys):
    board = compare(make_run("same", overlap=0.46), make_run("other", overlap=0.44, gain=0.1))

    flags = {e["name"]: e["flags"] for group in board["groups"] for e in group["entries"]}
    assert flags["other"] == []
    assert "two users have 46% of a list in common, with popularity 50%" in flags["same"][0]
    assert "same recommends nearly the same list to everyone" in capsys.readouterr().out


def test_the_same_files_give_the_same_bytes(runs, compare):
    compare(*runs)
    paths = [pathlib.Path("out", name) for name in ("leaderboard.json", "report.html")]
    first = [path.read_bytes() for path in paths]
    for path in paths:
        path.unlink()

    compare(*runs)

    assert [path.read_bytes() for path in paths] == first


def test_the_page_needs_no_network_and_shows_what_the_board_holds(runs, compare):
    board = compare(*runs)

    text = pathlib.Path("out/report.html").read_text()

    assert text == page.render(board)
    assert "src=" not in text and 'href="http' not in text
    for title in ("Calibration: like", "Learning curves", "Gates", "Recall by the popularity"):
        assert title in text
    assert "sharing shared_bottom" in text and "Differs from the paper" in text
    assert "no difference found" in text


def test_a_changed_metric_is_found(runs, compare, tamper, capsys):
    tamper(runs[0], "test/full/ndcg@10", 0.99)

    assert cli.main(["compare", *map(str, runs), "--out", "out"]) == 1
    assert "metrics.json is not what the run wrote" in capsys.readouterr().err


def test_a_changed_metric_whose_checksum_was_changed_too_is_found(runs, compare, tamper, capsys):
    compare(*runs)
    tamper(runs[0], "test/full/ndcg@10", 0.99)
    names = json.loads((runs[0] / run_folder.CHECKSUMS).read_text())
    run_folder.write_checksums(runs[0], [*names])

    assert cli.main(["compare", *map(str, runs), "--out", "out"]) == 1
    assert "is not the run that out/leaderboard.json was made of" in capsys.readouterr().err


def test_a_changed_leaderboard_is_found(runs, compare, capsys):
    board = compare(*runs)
    board["groups"][0]["entries"][0]["metrics"]["test/like/auc"]["mean"] = 0.99
    pathlib.Path("out/leaderboard.json").write_text(leaderboard.text(board))

    assert cli.main(["compare", *map(str, runs), "--out", "out"]) == 1
    assert "its seal does not fit" in capsys.readouterr().err


def test_a_comparison_that_is_refused_leaves_no_folder(runs, tamper, elsewhere):
    tamper(runs[0], "test/full/ndcg@10", 0.99)

    assert cli.main(["compare", *map(str, runs), "--out", "out"]) == 1
    assert not pathlib.Path("out").exists()


def test_a_run_of_before_says_what_to_do(make_run):
    run = make_run("a")
    (run / run_folder.CHECKSUMS).unlink()

    with pytest.raises(RunError, match="has no checksums.json, .* train it again"):
        entries.of_runs([run])


def test_runs_tested_on_other_rows_are_not_paired(make_run, compare, capsys):
    import polars as pl

    runs = [make_run("a"), make_run("b", gain=0.1, model={"name": "mf_ncf"})]
    path = runs[1] / "per_user.parquet"
    pl.read_parquet(path).with_columns(pl.col("user") + 1).write_parquet(path)
    names = json.loads((runs[1] / run_folder.CHECKSUMS).read_text())
    run_folder.write_checksums(runs[1], [*names])

    assert cli.main(["compare", *map(str, runs), "--out", "out"]) == 1
    assert "was not tested on the same rows" in capsys.readouterr().err
    assert not pathlib.Path("out").exists()


def test_what_a_run_found_of_drawn_users_is_no_condition(make_run):
    one, two = (finished.read(name, make_run(name)) for name in ("a", "b"))
    two.results["protocol"]["full"]["intervals_95"] = {"ndcg@10": [0.1, 0.2]}

    assert len(groups.group([one, two])) == 1

    two.results["protocol"]["full"]["users_drawn"] = 7
    assert len(groups.group([one, two])) == 2


@pytest.mark.parametrize(
    ("key", "is_less"),
    [
        ("test/full/ndcg@10", False),
        ("test/full/coverage@20", False),
        ("test/like/auc", False),
        ("test/like/normalised_entropy", True),
        ("test/like/expected_calibration_error", True),
        ("rating/root_mean_squared_error", True),
    ],
)
def test_which_way_a_metric_is_better_is_what_it_declares(key, is_less):
    assert differences.less_is_better(key) is is_less
