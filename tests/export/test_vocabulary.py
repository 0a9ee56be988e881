"""Raw ids and dense ids, both ways, from the file that an export carries."""

import numpy as np
import pytest
import tensorflow as tf

from multitask_recommender.errors import RunError
from multitask_recommender.export.vocabulary import Vocabulary


def test_words_of_any_letters_have_the_number_of_their_line(tmp_path):
    words = np.array(["a b", "ü\t", "-1", " ", "日本"])
    vocabulary = Vocabulary(words, tmp_path / "users.txt")

    asked = tf.constant([["日本", "a b", "nobody"], ["", "-1", " "]])

    assert vocabulary.ids(asked).numpy().tolist() == [[5, 1, 0], [0, 3, 4]]
    found = vocabulary.words(tf.constant([2, 0, 5, 6])).numpy()
    assert [word.decode() for word in found] == ["ü\t", "", "日本", ""]
    assert (tmp_path / "users.txt").read_text() == "a b\nü\t\n-1\n \n日本\n"


def test_numbers_stay_numbers(tmp_path):
    vocabulary = Vocabulary(np.array([7, 2**40, 0]), tmp_path / "items.txt")

    assert vocabulary.ids(tf.constant([2**40, 5, 0, -1], tf.int64)).numpy().tolist() == [2, 0, 3, 0]
    assert vocabulary.words(tf.constant([[1, 0], [2, 3]])).numpy().tolist() == [[7, -1], [2**40, 0]]


def test_nobody_is_known_where_there_are_no_words(tmp_path):
    vocabulary = Vocabulary(np.array([], object), tmp_path / "context.txt")

    assert vocabulary.ids(tf.constant(["a"])).numpy().tolist() == [0]
    assert vocabulary.words(tf.constant([0])).numpy().tolist() == [b""]


@pytest.mark.parametrize("word", ["", "two\nlines", "carriage\rreturn"])
def test_a_word_that_is_no_line_is_refused_with_what_to_do(word, tmp_path):
    with pytest.raises(RunError, match=r"An id of users is .*: an export keeps a line for each"):
        Vocabulary(np.array(["a", word]), tmp_path / "users.txt")


@pytest.mark.parametrize("number", [-1, -50])
def test_negative_numbers_are_refused(number, tmp_path):
    with pytest.raises(RunError, match=f"An id of items is {number}: requests take no negative"):
        Vocabulary(np.array([4, number]), tmp_path / "items.txt")
