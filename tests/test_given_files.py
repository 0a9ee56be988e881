"""Whole runs on data with train and test files of their own, by the commands."""

import json
import re

import numpy as np
import polars as pl
import pytest

from multitask_recommender import cli

NUM_USERS, NUM_ITEMS = 12, 20
MODEL = """
model: {name: two_tower, embedding_dimension: 4}
training: {epochs: 2, batch_size: 64}
"""
ADJACENCY = """
dataset: {name: adjacency, path: lists}
split: {name: given, validation: 0.2}
tasks: {retrieval: {}}
"""
NCF = """
dataset: {name: ncf, path: ncf}
split: {name: given, validation_by: user}
tasks: {retrieval: {}, rating: {}}
evaluation: {protocols: [full, sampled], cutoffs: [1, 3]}
"""
SESSIONS = """
dataset: {name: sessions, path: sessions}
split: {name: given, validation: 0.2, validation_by: session}
tasks: {retrieval: {}}
evaluation: {protocols: [full, unfiltered], cutoffs: [1, 3], baselines: [session_knn]}
"""


@pytest.fixture
def folder(elsewhere):
    """Lists of items by user, and the same in the form of NCF with four negatives a row."""
    generator = np.random.default_rng(0)
    items = [generator.permutation(NUM_ITEMS)[:12].tolist() for _ in range(NUM_USERS)]
    (elsewhere / "lists").mkdir()
    (elsewhere / "ncf").mkdir()
    lines = {name: "" for name in ("train.txt", "test.txt", "train", "test", "negative")}
    for user, (target, *others) in enumerate(items):
        learnt, negatives = others[:7], others[7:]
        lines["train.txt"] += " ".join(map(str, [user, *learnt])) + "\n"
        lines["test.txt"] += f"{user} {target}\n"
        lines["train"] += "".join(f"{user}\t{item}\t{item % 5 + 1}\n" for item in learnt)
        lines["test"] += f"{user}\t{target}\t{target % 5 + 1}\t99\n"
        if user == 3:
            negatives[0] = target
        lines["negative"] += f"({user},{target})\t" + "\t".join(map(str, negatives)) + "\n"
    (elsewhere / "sessions").mkdir()
    # Every session goes on to the next item, in a ring.
    steps = generator.integers(1, NUM_ITEMS + 1, 60)[:, None] + np.arange(4)
    sessions = (" ".join(map(str, step % NUM_ITEMS)) for step in steps)
    (elsewhere / "sessions" / "train_sessions.txt").write_text("\n".join(sessions))
    prefixes = "".join(f"{item} {item + 1}\t{item + 2}\n" for item in range(NUM_ITEMS - 2))
    (elsewhere / "sessions" / "test_prefix_target.tsv").write_text(prefixes)
    for name in ("train.txt", "test.txt"):
        (elsewhere / "lists" / name).write_text(lines[name])
    (elsewhere / "ncf" / "toy.train.rating").write_text(lines["train"])
    (elsewhere / "ncf" / "toy.test.rating").write_text(lines["test"])
    (elsewhere / "ncf" / "toy.test.negative").write_text(lines["negative"])
    return elsewhere


def train(folder, text, *overrides):
    (folder / "config.yaml").write_text(text + MODEL)
    status = cli.run("train", ["--run-dir", "run", *overrides], "python train.py")
    assert status == 0
    return json.loads((folder / "run" / "metrics.json").read_text())


def test_lists_of_items_train_and_are_evaluated(folder, capsys):
    results = train(folder, ADJACENCY)

    assert results["dataset"]["name"] == "adjacency lists"
    assert results["dataset"]["parts"]["test"]["rows"] == NUM_USERS
    assert 0 <= results["metrics"]["test/full/recall@5"] <= 1
    assert results["protocol"]["full"]["relevant_pairs_seen_before"] == 0
    assert "same_row_in_train_and_test" not in capsys.readouterr().out


def test_the_test_part_is_ranked_among_its_given_negatives_and_validation_among_drawn(
    folder, capsys
):
    results = train(folder, NCF, "evaluation.negatives=2", "training.monitor=sampled/ndcg@1")

    assert results["dataset"]["parts"]["validation"]["rows"] == NUM_USERS
    record = results["protocol"]["sampled"]
    assert record["candidates"] == "the target and its 4 given negatives a row"
    assert record["rows_with_target_among_negatives"] == 1
    assert "sampled: the target and its 4 given negatives a row" in capsys.readouterr().out
    metrics = results["metrics"]
    assert {"test/sampled/hit_rate@3", "test/rating/root_mean_squared_error"} <= metrics.keys()
    assert "validation/sampled/ndcg@1" in metrics
    # Of two drawn negatives and a target, three are all there is.
    assert "validation/sampled/ndcg@3" not in metrics

    status = cli.main(["evaluate", "run", "--protocol", "sampled", "--json", "again.json"])

    again = json.loads((folder / "again.json").read_text())
    assert status == 0
    assert again["protocol"]["sampled"] == record
    assert again["metrics"]["test/sampled/ndcg@3"] == pytest.approx(metrics["test/sampled/ndcg@3"])


def test_given_negatives_belong_to_the_given_split(folder):
    """Another cut has test rows without any, so that all are drawn; the record says so."""
    results = train(folder, NCF, "split.name=random", "evaluation.negatives=2")

    assert results["protocol"]["sampled"]["candidates"] == "the target and 2 negatives a row"


def test_a_faulty_list_is_one_line_and_nothing_is_written(folder, capsys):
    (folder / "lists" / "test.txt").write_text("0 1\n1 two\n")
    (folder / "config.yaml").write_text(ADJACENCY + MODEL)

    status = cli.run("train", ["--run-dir", "run"], "python train.py")

    errors = capsys.readouterr().err
    assert status == 1
    assert re.match(r"error: lists/test\.txt line 2: item is 'two', expected a whole", errors)
    assert errors.count("\n") == 1
    assert not list(folder.glob("run*"))


def test_tasks_that_lists_have_no_labels_for_are_status_2(folder, capsys):
    (folder / "config.yaml").write_text(ADJACENCY.replace("tasks: {retrieval: {}}", "") + MODEL)

    status = cli.run("train", ["--run-dir", "run"], "python train.py")

    assert status == 2
    assert "tasks.like needs the label 'like', which adjacency lists does not have" in (
        capsys.readouterr().err
    )


def test_sessions_are_answered_from_what_is_told_of_them(folder, capsys):
    results = train(folder, SESSIONS, "training.monitor=unfiltered/mrr@3")

    counts = results["dataset"]["parts"]
    tested = NUM_ITEMS - 2
    assert (counts["train"]["rows"], counts["validation"]["rows"]) == (48 * 4, 12)
    assert counts["fold_in"]["rows"] == 12 * 3 + tested * 2
    assert counts["test"] == {"rows": tested, "unknown_users": tested, "unknown_items": 0}
    assert "validation/unfiltered/mrr@3" in results["metrics"]
    # Neighbours know what comes next, among what both have met and what came before.
    assert results["baselines"]["session_knn"]["test/unfiltered/hit_rate@3"] > 0.5
    assert results["baselines"]["session_knn"]["test/full/hit_rate@1"] > 0.5
    assert results["protocol"]["fold_in"].startswith("what users met and was not learnt from")
    printed = capsys.readouterr().out
    assert "fold_in 72 rows" in printed
    assert {"hit@3", "mrr@3"} <= set(printed.split())
    assert "same_row_in_train_and_test" not in printed

    status = cli.main(["evaluate", "run", "--write-recommendations", "table.parquet"])

    assert status == 0
    table = pl.read_parquet(folder / "table.parquet")
    assert set(table["user"]) == {f"test:{line}" for line in range(1, tested + 1)}
    assert table.filter(pl.col("user") == "test:5")["item"].is_in([4, 5]).sum() == 0
