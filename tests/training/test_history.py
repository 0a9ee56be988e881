"""The history of a run: rows that survive a new start."""

import csv

import pytest
import tensorflow as tf

from multitask_recommender.training.history import History


@pytest.fixture
def begin(tmp_path):
    return lambda: History(tmp_path / "history.csv", tmp_path / "tensorboard", "tiny [x]")


def test_rows_are_read_again_as_they_were_written(begin):
    first = {"seconds": 0.125, "loss": 1 / 3, "validation/full/ndcg@20": 1e-17}
    history = begin()
    history.add("search", 1, first)
    history.add("search", 2, {"seconds": 2.0, "loss": 0.1})
    history.add("refit", 1, {"loss": 7.0})

    assert begin().rows == history.rows
    assert begin().of("search") == [
        {"phase": "search", "epoch": 1, "data": "tiny [x]", **first},
        {"phase": "search", "epoch": 2, "data": "tiny [x]", "seconds": 2.0, "loss": 0.1},
    ]


def test_a_new_column_is_in_every_row_of_the_file(begin, tmp_path):
    history = begin()
    history.add("search", 1, {"loss": 1.0})
    history.add("search", 2, {"loss": 0.5, "validation/like/auc": 0.75})

    with open(tmp_path / "history.csv", newline="") as file:
        assert list(csv.DictReader(file)) == [
            {
                "phase": "search",
                "epoch": "1",
                "data": "tiny [x]",
                "loss": "1.0",
                "validation/like/auc": "",
            },
            {
                "phase": "search",
                "epoch": "2",
                "data": "tiny [x]",
                "loss": "0.5",
                "validation/like/auc": "0.75",
            },
        ]
    assert [path.name for path in tmp_path.glob("history*")] == ["history.csv"]


def test_what_will_be_made_again_is_forgotten_in_its_phase_alone(begin):
    history = begin()
    for phase, epoch in (("search", 1), ("search", 2), ("search", 3), ("refit", 1)):
        history.add(phase, epoch, {"loss": 1.0})

    history.keep("search", 1)

    assert [(row["phase"], row["epoch"]) for row in history.rows] == [("search", 1), ("refit", 1)]


def points(folder):
    """Tag, step and value of all that TensorBoard shows of a folder."""
    return [
        (value.tag, event.step, float(tf.make_ndarray(value.tensor)))
        for path in sorted(folder.iterdir())
        for event in tf.compat.v1.train.summary_iterator(str(path))
        for value in event.summary.value
    ]


def test_tensorboard_gets_a_curve_a_phase(begin, tmp_path):
    history = begin()
    history.add("search", 1, {"loss/like": 0.5})
    history.add("search", 2, {"loss/like": 0.25})

    drawn = points(tmp_path / "tensorboard" / "search")
    assert drawn == [("loss/like", 1, 0.5), ("loss/like", 2, 0.25)]


def test_epochs_made_again_are_drawn_once(begin, tmp_path):
    history = begin()
    for epoch in (1, 2, 3):
        history.add("search", epoch, {"loss": epoch / 4})
    history.add("refit", 1, {"loss": 9.0})

    resumed = begin()
    resumed.keep("search", 1)
    for epoch in (2, 3):
        resumed.add("search", epoch, {"loss": epoch / 8})

    drawn = points(tmp_path / "tensorboard" / "search")
    assert drawn == [("loss", 1, 0.25), ("loss", 2, 0.25), ("loss", 3, 0.375)]
    assert points(tmp_path / "tensorboard" / "refit") == [("loss", 1, 9.0)]
