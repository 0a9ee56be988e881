"""Labels that count only with another one."""

import dataclasses
import types

import numpy as np
import pytest

from multitask_recommender import label_chains, splits
from multitask_recommender.datasets import synthetic
from multitask_recommender.interactions import Entities, Interactions, Source
from multitask_recommender.splits import Splits

UNSEEN = 9.0
#         both   like alone   click alone   none   like unseen   click unseen
CLICK = [1.0, 0.0, 1.0, 0.0, 1.0, 0.0, UNSEEN, UNSEEN, UNSEEN]
LIKE = [1.0, 1.0, 0.0, 0.0, UNSEEN, UNSEEN, 1.0, 0.0, UNSEEN]
BOTH = [1, 0, 0, 0, None, 0, None, 0, None]


def rows(**labels):
    columns = {name: np.array(values, np.float32) for name, values in labels.items()}
    size = len(next(iter(columns.values())))
    return Interactions(
        user_ids=np.ones(size, np.int32),
        item_ids=np.full(size, 2, np.int32),
        users=Entities(np.array([7]), 1),
        items=Entities(np.array([5, 6]), 2),
        labels=columns,
        observed={name: values != UNSEEN for name, values in columns.items()},
        source=Source("made by the test", warnings=("before",)),
    )


def values(events, label):
    """None where it is not observed."""
    seen = events.is_observed(label)
    pairs = zip(events.labels[label], seen, strict=True)
    return [int(value) if is_seen else None for value, is_seen in pairs]


def test_it_is_1_where_both_are_and_known_where_that_is():
    given = rows(click=CLICK, like=LIKE)

    found = label_chains.restrict(given, {"like": "click"})

    assert values(found, "like") == BOTH
    np.testing.assert_array_equal(found.labels["click"], given.labels["click"])
    np.testing.assert_array_equal(given.labels["like"], np.array(LIKE, np.float32))  # as it was
    assert found.labels["like"].dtype == np.float32


@pytest.mark.parametrize("order", [("like", "share"), ("share", "like")])
def test_a_chain_needs_all_that_comes_before(order):
    given = rows(
        click=[1, 1, 0, 0, 1, UNSEEN], like=[1, 0, 1, 1, 1, 0], share=[1, 1, 1, 0, 0, UNSEEN]
    )
    needs = {"like": "click", "share": "like"}

    found = label_chains.restrict(given, {label: needs[label] for label in order})

    assert values(found, "like") == [1, 0, 0, 0, 1, 0]
    assert values(found, "share") == [1, 0, 0, 0, 0, 0]


def test_labels_without_the_one_they_need_are_counted():
    given = rows(click=CLICK, like=LIKE)

    assert label_chains.count_without(given, "like", "click") == 1
    assert label_chains.count_without(given, "click", "like") == 1


def test_every_part_is_restricted_and_what_changes_is_said():
    data = Splits(
        train=rows(click=CLICK, like=LIKE),
        validation=rows(click=[0, 0], like=[1, 1]),
        test=rows(click=[1], like=[1]),
        fold_in=rows(click=[0, 1], like=[1, 1]),
        num_dropped=3,
    )
    needs = {"like": "click", "click": None}
    tasks = {name: types.SimpleNamespace(only_with=label) for name, label in needs.items()}

    found = label_chains.restrict_parts(data, {**tasks, "rating": types.SimpleNamespace()})

    assert values(found.train, "like") == BOTH
    assert values(found.validation, "like") == [0, 0]
    assert values(found.train_and_validation, "like") == [*BOTH, 0, 1, 0, 0]
    assert values(found.test, "like") == [1]
    assert values(found.fold_in, "like") == [0, 1]
    assert found.num_dropped == 3
    assert found.train.source.warnings == (
        "before",
        "4 of 8 rows with like have no click: they count as no like (tasks.like.only_with).",
    )
    assert found.test.source == found.train.source


def test_nothing_is_said_where_nothing_changes():
    data = Splits(*(rows(click=[1, 0], like=[1, 0]) for _ in range(4)))

    found = label_chains.restrict_parts(data, {"like": types.SimpleNamespace(only_with="click")})

    assert found.train.source.warnings == ("before",)
    assert label_chains.restrict_parts(data, {"like": types.SimpleNamespace()}) is data


def test_a_mask_is_not_shared_with_the_rows_that_were_given():
    given = rows(click=CLICK, like=LIKE)
    before = {name: mask.copy() for name, mask in given.observed.items()}

    found = label_chains.restrict(given, {"like": "click"})

    assert found.observed["like"].sum() == 6
    for name, mask in before.items():
        np.testing.assert_array_equal(given.observed[name], mask)


def test_an_oracle_knows_the_labels_as_they_have_become():
    log = synthetic.read(
        synthetic.Settings(shape="tenrec", users=300, items=400, rows=60_000, scenario="qk_video")
    )
    needs = {"click": None, "like": "click", "share": "like"}
    tasks = {name: types.SimpleNamespace(only_with=label) for name, label in needs.items()}

    train = label_chains.restrict_parts(splits.split(log, splits.Settings()), tasks).train

    pairs = {"user_id": train.user_ids, "item_id": train.item_ids}
    given, found = log.oracle.rank(pairs), train.oracle.rank(pairs)
    np.testing.assert_array_equal(found["click"], given["click"])
    np.testing.assert_array_equal(found["follow"], given["follow"])
    np.testing.assert_array_equal(found["like"], given["click_and_like"])
    assert found["like"].mean() == pytest.approx(train.labels["like"].mean(), rel=0.1)
    share = given["share"] * given["click_and_like"]  # near, as shares hardly come without clicks
    assert (found["share"] < given["share"]).all()
    assert found["share"].mean() == pytest.approx((share / given["click"]).mean(), rel=0.1)


def test_of_an_oracle_that_knows_but_the_given_labels_nothing_is_left():
    part = dataclasses.replace(rows(click=CLICK, like=LIKE), oracle=object())
    task = types.SimpleNamespace(only_with="click")

    found = label_chains.restrict_parts(Splits(part, part, part, part), {"like": task})

    assert found.train.oracle is None
