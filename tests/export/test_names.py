"""Names that no signature can have are said before anything is trained or written."""

import pytest

from multitask_recommender.errors import ConfigError
from multitask_recommender.export import names


def test_words_are_names():
    names.check(["retrieval", "click", "class"], ["click", "class"], ["age", "user_age", "_x1"])


@pytest.mark.parametrize(
    ("tasks", "features", "sentence"),
    [
        (["scores"], [], "tasks.scores: an export answers with outputs called item_ids, scores,"),
        (["source"], [], "tasks.source: an export answers"),
        (["add-to-cart"], [], "'add-to-cart' cannot be an input of an export, which is to be a wo"),
        (["ü"], [], "'ü' cannot be an input"),
        ([], ["movie genre"], "'movie genre' cannot be an input"),
        ([], ["class"], "'class' cannot be an input"),
        ([], ["k"], "The feature 'k' cannot be one more input of an export: rename it."),
        ([], ["user_id"], "The feature 'user_id' cannot be one more input"),
        ([], ["age", "age"], "The feature 'age' cannot be one more input"),
        (["like"], ["weight_like"], "The feature 'weight_like' cannot be one more input"),
    ],
)
def test_others_are_refused_with_what_to_do(tasks, features, sentence):
    with pytest.raises(ConfigError) as error:
        names.check(tasks, tasks, features)

    assert str(error.value).startswith(sentence)


def test_every_fault_is_said():
    with pytest.raises(ConfigError) as error:
        names.check(["a b", "scores"], ["a b", "scores"], ["k"])

    assert len(str(error.value).splitlines()) == 3
