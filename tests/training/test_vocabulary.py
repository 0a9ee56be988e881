"""Raw ids and words beside the weights of a run, and what other data have in common with them."""

import dataclasses
import types

import numpy as np
import pytest

from multitask_recommender.errors import RunError
from multitask_recommender.interactions import Entities
from multitask_recommender.training import vocabulary


@pytest.fixture
def written(tiny, tmp_path):
    """Of four weights: rows of users and items, of none, and twice of the same words."""
    words, again = (types.SimpleNamespace(row_keys=(("art", "bio"),)) for _ in range(2))
    both = types.SimpleNamespace(row_keys=(tiny.users.vocabulary, tiny.items.vocabulary))
    model = types.SimpleNamespace(weights=[both, object(), words, again])
    vocabulary.write(model, tiny, tmp_path)
    return tmp_path


def test_it_is_read_as_it_was_written(written):
    arrays, weights = vocabulary.read(written)

    assert weights == {0: ["users", "items"], 2: ["words_2"], 3: ["words_2"]}
    assert {name: array.tolist() for name, array in arrays.items()} == {
        "users": ["ann", "bob", "eve", "joe"],
        "items": [10, 20, 30, 40, 50, 60],
        "words_2": ["art", "bio"],
    }


def test_ids_are_kept_new_or_gone(written, tiny):
    users = Entities(np.array(["bob", "zoe", "joe"], dtype=object), 3)
    other = dataclasses.replace(tiny, users=users, user_ids=np.full(10, 1, np.int32))

    assert vocabulary.compared(other, written) == {
        "users": {"kept": 2, "new": 1, "gone": 2},
        "items": {"kept": 6, "new": 0, "gone": 0},
    }


def test_numbers_are_not_text(written, tiny):
    users = Entities(np.array([1, 2, 3, 4]), 4)

    with pytest.raises(RunError, match=r"users of the run .* are text \(ann\), and here .* \(1\)"):
        vocabulary.compared(dataclasses.replace(tiny, users=users), written)


def test_without_the_file_it_is_said(tmp_path):
    with pytest.raises(RunError, match="holds no vocabulary.npz: train that run anew"):
        vocabulary.read(tmp_path)


@pytest.mark.parametrize("text", [b"", b"PK\x03\x04 nothing"])
def test_a_damaged_file_is_said(written, text):
    (written / vocabulary.FILE).write_bytes(text)

    with pytest.raises(RunError, match="vocabulary.npz is damaged: "):
        vocabulary.read(written)


def test_code_in_the_file_is_not_run(written):
    """A pickle would be."""
    np.savez(written / vocabulary.FILE, users=np.array([{}], object), allow_pickle=True)

    with pytest.raises(RunError, match="damaged: Object arrays cannot be loaded"):
        vocabulary.read(written)
