"""Inputs that tell the label, the future, or what came of the exposure."""

import numpy as np
import pytest

from multitask_recommender import config, traps
from multitask_recommender.interactions import Feature

N = 200


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def drawn(make, rng):
    """Rows of random users and items with a random click, nine in ten for training."""

    def drawn(context=None, num=N, **more):
        rows = [
            (int(n % 10 == 9), *pair)
            for n, pair in enumerate(
                zip(rng.integers(1, 8, num), rng.integers(1, 12, num), strict=True)
            )
        ]
        clicks = rng.random(num) < 0.3
        ratings = rng.integers(1, 6, num)
        context = {name: of(clicks, ratings) for name, of in (context or {}).items()}
        return make(rows, {"click": clicks, "rating": ratings}, context=context, **more)

    return drawn


def found(splits, config):
    """Traps of inputs, rows being drawn with repetitions."""
    return [
        (trap.name, trap.severity)
        for trap in traps.find(splits, config)
        if trap.name != "same_row_in_train_and_test"
    ]


def coded(values, size=5):
    return Feature(np.asarray(values, np.int32), tuple("abcdefghij"[:size]))


LEAKS = {
    "a copy": lambda clicks, _: coded(np.where(clicks, 2, 1)),
    "missing where not clicked": lambda clicks, _: coded(np.where(clicks, 2, 0)),
    "a number": lambda clicks, _: Feature(
        np.where(clicks, np.random.default_rng(1).random(len(clicks)) + 0.01, 0).astype(np.float32)
    ),
    "NaN": lambda clicks, _: Feature(np.where(clicks, 7, np.nan).astype(np.float32)),
    "reversed, many codes": lambda clicks, _: coded(
        np.where(clicks, 1, 2 + np.arange(len(clicks)) % 7), 8
    ),
    "one of several values": lambda clicks, _: coded(
        np.stack([np.where(clicks, 3, 4), np.zeros(len(clicks))], axis=1)
    ),
}


@pytest.mark.parametrize("name", LEAKS)
def test_a_feature_that_holds_the_label_is_refused(drawn, configure, name):
    splits = drawn({"seen": LEAKS[name]})

    (trap,) = [
        trap
        for trap in traps.find(splits, configure({"click": {}}, context=["seen"]))
        if trap.is_error
    ]

    assert trap.name == "label_in_feature"
    assert trap.sentence == (
        "The context feature 'seen' alone tells the label 'click' (AUC 1.0000, on 180 training "
        "rows by the means of others): take it out of model.context."
    )


def test_a_feature_that_holds_the_rating_is_refused(drawn, configure):
    splits = drawn({"stars": lambda _, ratings: Feature(ratings.astype(np.float32) * 2)})

    sentences = [
        trap.sentence
        for trap in traps.find(splits, configure({"rating": {}}, context=["stars"]))
        if trap.is_error
    ]

    assert len(sentences) == 1
    assert "alone tells the label 'rating' (100.00% of its variance" in sentences[0]


def test_a_feature_that_almost_holds_the_label_is_a_warning(drawn, configure):
    def nearly(clicks, _):
        wrong = np.arange(len(clicks)) % 50 == 0
        return coded(np.where(clicks ^ wrong, 2, 1))

    splits = drawn({"seen": nearly}, num=2_000)

    assert found(splits, configure({"click": {}}, context=["seen"])) == [
        ("label_in_feature", "warning")
    ]


def test_features_that_know_nothing_or_little_are_no_trap(drawn, configure, rng):
    splits = drawn(
        {
            "noise": lambda clicks, _: coded(rng.integers(0, 6, len(clicks))),
            "one of its own a row": lambda clicks, _: Feature(np.arange(len(clicks), dtype="f4")),
            "all missing": lambda clicks, _: Feature(np.full(len(clicks), np.nan, np.float32)),
            "some": lambda clicks, _: coded(
                np.where(clicks & (rng.random(len(clicks)) < 0.7), 2, 1)
            ),
        },
        user_features={"age": Feature(np.arange(8, dtype=np.float32))},
        item_features={"kind": coded(np.arange(12) % 3)},
    )
    names = ["noise", "one of its own a row", "all missing", "some"]

    config = configure(
        {"click": {}, "rating": {}}, context=names, user=["id", "age"], item=["history", "kind"]
    )

    assert found(splits, config) == []


def test_what_the_model_does_not_read_or_learn_is_no_trap(drawn, configure):
    splits = drawn({"seen": LEAKS["a copy"]})

    assert found(splits, configure({"click": {}}, context=["other"])) == []
    assert found(splits, configure({"rating": {}}, context=["seen"])) == []


def test_a_few_rows_agree_by_chance(drawn, configure):
    splits = drawn({"seen": LEAKS["a copy"]}, num=30)  # fewer than ten clicks

    assert found(splits, configure({"click": {}}, context=["seen"])) == []


def test_a_feature_of_items_made_of_their_last_label_is_refused(make, configure, rng):
    """As when a column of the log is a label and, its last value, a feature of the item too."""
    num_items = 300
    items = np.concatenate([np.arange(1, num_items + 1)] * 4)
    clicks = rng.random(len(items)) < 0.5
    last = np.concatenate([[0], np.where(clicks[-num_items:], 2, 1)])
    splits = make(
        [(0, 1 + n % 7, item) for n, item in enumerate(items)],
        {"click": clicks},
        item_features={"clicked": coded(last)},
        raw_items=np.arange(1, num_items + 1),
    )

    (trap,) = traps.find(splits, configure({"click": {}}, item=["clicked"]))

    assert (trap.name, trap.is_error) == ("label_in_feature", True)
    assert "The item feature 'clicked' alone tells the label 'click'" in trap.sentence
    assert "on 300 training rows" in trap.sentence


def test_an_input_from_after_the_exposure_is_refused_with_a_count(drawn, configure):
    def watched(clicks, _):
        seconds = np.where(clicks, 30, 0).astype(np.float32)
        seconds[:4] = np.nan
        return Feature(seconds)

    splits = drawn({"watching_times": watched}, post_exposure=frozenset({"watching_times"}))
    reads = configure({"click": {}}, context=["watching_times"])

    # And not once more as a feature that tells the label.
    (trap,) = [trap for trap in traps.find(splits, reads) if trap.is_error]
    assert trap.name == "post_exposure_input"
    assert trap.sentence == (
        "The model reads 'watching_times', which is known only after the exposure that it is to "
        "predict (176 of 180 training rows hold it): take it out of model.context."
    )
    assert found(splits, configure({"click": {}})) == []


def test_a_history_of_the_future_is_a_warning_with_a_count(make, configure):
    clicks = Feature(np.array([[0, 0], [3, 4], [0, 0], [5, 0], *[[0, 0]] * 4]), tuple("abcdef"))
    splits = make(
        [(0, 1, 1), (0, 1, 2), (0, 2, 3), (0, 3, 4), (2, 3, 5)],
        {"click": [1, 0, 1, 1, 1]},
        user_features={"hist": clicks},
        future_features=frozenset({"hist"}),
    )

    (trap,) = traps.find(splits, configure({"click": {}}, user=["id", "hist"]))

    assert (trap.name, trap.severity) == ("future_history", "warning")
    assert "'hist' of the user, which tells early rows what the user does later (3 of 4 tr" in (
        trap.sentence
    )
    assert found(splits, configure({"click": {}}, user=["id"])) == []
    assert found(splits, configure({"click": {}}, item=["hist"])) == []


@pytest.mark.parametrize(
    ("model", "split", "is_told"),
    [
        ("gru4rec", {"name": "random"}, True),
        ("gru4rec", {"name": "user_order"}, False),
        ("gru4rec", {"name": "tenrec_topn"}, True),
        ("gru4rec", {"name": "tenrec_topn", "leak_free": True}, False),
        ("lightgcn", {"name": "random"}, False),
        ({"name": "two_tower", "user": ["recent"]}, {"name": "random"}, True),
    ],
)
def test_a_history_that_goes_on_after_what_is_held_out_is_said(make, model, split, is_told):
    parts = make([(0, 1, 1), (0, 2, 1), (2, 1, 2)], {"click": [1, 0, 1]})

    found = traps.find(parts, config.parse({"model": model, "split": split}))

    told = [trap.sentence for trap in found if trap.name == "future_history"]
    assert len(told) == is_told
    assert all("reads what came before, but split.name is" in sentence for sentence in told)
