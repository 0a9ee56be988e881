"""Checkpoints: whole or absent, one at a time, and refused by whoever they do not belong to."""

import json
import resource

import numpy as np
import pytest
import tensorflow as tf

from multitask_recommender.errors import RunError
from multitask_recommender.training import checkpoints
from multitask_recommender.training.checkpoints import ABOUT, Checkpoints

IDENTITY = {"config": {"seed": 1}, "vocabulary": {"users": "3 ids, sha256 ab"}}


def state(*values, **others):
    variable = tf.Variable([0.0] * 3 if not values else list(values))
    return tf.train.Checkpoint(weights=variable, **others)


@pytest.fixture
def kept(tmp_path):
    return Checkpoints(tmp_path / "kept", IDENTITY).of("search")


@pytest.fixture
def saved(kept):
    kept.save(state(1.0, 2.0, 3.0), {"step": 7, "epochs": 2})
    return kept


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_last_one_is_restored_and_the_one_before_is_gone(saved, tmp_path):
    saved.save(state(4.0, 5.0, 6.0), {"step": 12, "epochs": 3})

    found = state()
    Checkpoints(tmp_path / "kept", IDENTITY).of("search").restore(found)

    np.testing.assert_array_equal(found.weights, [4.0, 5.0, 6.0])
    assert names(tmp_path / "kept" / "search") == ["12"]


def test_it_says_its_place_and_what_it_belongs_to(saved):
    about = json.loads((saved.latest / ABOUT).read_text())

    assert (about["step"], about["epochs"], about["identity"]) == (7, 2, IDENTITY)
    for name, size in about["files"].items():
        assert (saved.latest / name).stat().st_size == size


def test_before_the_first_nothing_is_restored(kept):
    found = state(9.0)

    kept.restore(found)

    assert (kept.latest, float(found.weights[0])) == (None, 9.0)


@pytest.mark.parametrize("when", ["before it is written", "before it is renamed"])
def test_one_that_was_being_written_leaves_the_one_before(saved, when, monkeypatch):
    """As after SIGKILL: nothing is cleaned up."""
    monkeypatch.setattr(checkpoints.shutil, "rmtree", lambda *arguments, **options: None)
    monkeypatch.setattr(
        *(tf.train.Checkpoint, "write")
        if when == "before it is written"
        else (checkpoints.run_folder, "flush"),
        lambda *arguments: (_ for _ in ()).throw(KeyboardInterrupt),
    )
    with pytest.raises(KeyboardInterrupt):
        saved.save(state(4.0, 5.0, 6.0), {"step": 12})
    monkeypatch.undo()
    assert names(saved.folder) == ["12.partial", "7"]

    found = state()
    saved.restore(found)
    assert float(found.weights[0]) == 1.0
    saved.save(state(4.0, 5.0, 6.0), {"step": 12})
    assert names(saved.folder) == ["12"]


def test_a_disk_that_is_full_leaves_the_one_before(saved):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64, limits[1]))
    try:
        with pytest.raises(RunError, match="search cannot be written: File too large.$"):
            saved.save(state(*range(100)), {"step": 12})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    assert names(saved.folder) == ["7"]


@pytest.mark.parametrize(
    ("identity", "told"),
    [
        ({**IDENTITY, "config": {"seed": 2}}, "config.seed is 1 there and 2 here"),
        (
            {**IDENTITY, "vocabulary": {"users": "4 ids, sha256 cd"}},
            "vocabulary.users is '3 ids, sha256 ab' there and '4 ids, sha256 cd' here",
        ),
    ],
)
def test_one_of_another_training_is_refused_and_what_differs_is_told(saved, identity, told):
    other = Checkpoints(saved.folder, identity)

    with pytest.raises(RunError, match=f"7 is a checkpoint of another training: {told}. Choose"):
        other.restore(state())


def flip_a_byte(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 255
    path.write_bytes(data)


def cut(path):
    path.write_bytes(path.read_bytes()[:-2])


@pytest.mark.parametrize(
    ("name", "damage", "told"),
    [
        ("state.data*", flip_a_byte, r"TensorBundle .*: Checksum .* \d+\."),
        ("state.data*", cut, r"state.data\S+ has \d+ of \d+ bytes"),
        ("state.index", cut, r"state.index has \d+ of \d+ bytes"),
        ("state.index", lambda path: path.unlink(), r"state.index has 0 of \d+ bytes"),
        (ABOUT, cut, "its about.json cannot be read"),
        (
            ABOUT,
            lambda path: path.write_text("{}"),
            r"its about.json cannot .*\(KeyError\('files'\)\)",
        ),
    ],
)
def test_a_damaged_one_is_refused(saved, name, damage, told):
    damage(next(saved.latest.glob(name)))

    with pytest.raises(RunError, match=f"search/7 is damaged: {told}.* Remove it to train from"):
        saved.restore(state())


@pytest.mark.parametrize(
    "other",
    [state(0.0), state(0.0, 0.0, 0.0, more=tf.Variable(1.0)), tf.train.Checkpoint()],
    ids=["another shape", "one more weight", "no weight"],
)
def test_one_of_another_model_is_refused(saved, other):
    with pytest.raises(RunError, match="search/7 is damaged: it does not fit the model: "):
        saved.restore(other)
