"""The protocols of Tenrec's paper: what they keep, and where they cut."""

import collections
import dataclasses

import numpy as np
import pydantic
import pytest

from multitask_recommender import splits
from multitask_recommender.errors import DataError
from multitask_recommender.interactions import Entities, Interactions, Source


def exposures(users, items, clicks):
    """Rows in the order of their users, numbered by a label."""
    return Interactions(
        np.array(users, np.int32),
        np.array(items, np.int32),
        Entities(np.arange(1, max(users) + 1), 0),
        Entities(np.arange(1, max(items) + 1), 0),
        {
            "click": np.array(clicks, np.uint8),
            "row": np.arange(len(users), dtype=np.float32),
        },
        timestamps=np.arange(len(users)),
        source=Source("made by the test"),
        ordered_by_user=True,
    )


@pytest.fixture
def log():
    """Users 1, 2, 3 with 11, 33 and 9 clicks, and 400 rows that nobody clicked."""
    rng = np.random.default_rng(0)
    users = np.concatenate([np.repeat([1, 2, 3], [11, 33, 9]), rng.integers(1, 4, 400)])
    clicks = np.arange(453) < 53
    order = np.lexsort((rng.random(453), users))
    return exposures(users[order], rng.integers(1, 90, 453), clicks[order])


def cut(log, **settings):
    return splits.split(log, splits.Settings(**settings))


def rows(part):
    return part.labels["row"].astype(int).tolist()


@pytest.mark.parametrize("name", ["tenrec_ctr", "tenrec_mtl"])
@pytest.mark.parametrize("leak_free", [False, True])
def test_ctr_keeps_all_clicks_and_two_negatives_for_each(log, name, leak_free):
    parts = cut(log, name=name, leak_free=leak_free)

    kept = rows(parts.train) + rows(parts.validation) + rows(parts.test)
    clicks = log.labels["click"][kept]
    if not leak_free:  # there a pair that comes again is dropped
        assert clicks.sum() == 53
        assert len(kept) == 3 * 53
    assert len(set(kept)) == len(kept) == len(log) - parts.num_dropped


def test_ctr_is_cut_eight_to_one_to_one_at_random(log):
    parts = cut(log, name="tenrec_ctr")

    assert [len(p) for p in (parts.train, parts.validation, parts.test)] == [129, 15, 15]
    other = cut(log, name="tenrec_ctr", seed=7)
    assert rows(other.test) != rows(parts.test)
    assert rows(cut(log, name="tenrec_mtl").test) == rows(parts.test)


def test_ctr_without_leaks_has_the_end_of_each_user_and_no_pair_twice(log):
    parts = cut(log, name="tenrec_ctr", leak_free=True)

    for user in range(3):

        def of(part, user=user):
            mine = part.users.raw_ids[part.user_ids - 1] == user + 1
            return [row for row, is_mine in zip(rows(part), mine, strict=True) if is_mine]

        assert max(of(parts.train)) < min(of(parts.validation))
        assert max(of(parts.validation)) < min(of(parts.test))
    pairs = [
        set(zip(p.user_ids.tolist(), p.item_ids.tolist(), strict=True))
        for p in (parts.train, parts.validation, parts.test)
    ]
    assert not (pairs[0] & pairs[1] or pairs[0] & pairs[2] or pairs[1] & pairs[2])


def test_ctr_keeps_what_negatives_there_are():
    parts = cut(exposures([1] * 12, range(1, 13), [1] * 10 + [0] * 2), name="tenrec_ctr")

    assert sorted(rows(parts.train) + rows(parts.validation) + rows(parts.test)) == list(range(12))


def test_topn_cuts_each_active_users_clicks(log):
    parts = cut(log, name="tenrec_topn")

    for part, expected in (
        (parts.train, {1: 9, 2: 27}),
        (parts.validation, {1: 1, 2: 3}),
        (parts.test, {1: 1, 2: 3}),
    ):
        assert (part.labels["click"] == 1).all()
        assert collections.Counter(part.users.raw_ids[part.user_ids - 1].tolist()) == expected


def test_topn_without_leaks_has_the_last_clicks(log):
    parts = cut(log, name="tenrec_topn", leak_free=True)

    clicks = np.flatnonzero((log.labels["click"] == 1) & (log.user_ids == 2))
    assert set(rows(parts.test)) <= {*clicks[-3:], *np.flatnonzero(log.user_ids == 1)}


def test_sessions_hold_the_last_thirty_clicks_and_end_in_validation_and_test(log):
    parts = cut(log, name="tenrec_sbr")

    clicks = [np.flatnonzero((log.labels["click"] == 1) & (log.user_ids == u)) for u in (1, 2)]
    assert rows(parts.test) == [clicks[0][-1], clicks[1][-1]]
    assert rows(parts.validation) == [clicks[0][-2], clicks[1][-2]]
    assert rows(parts.train) == [*clicks[0][:-2], *clicks[1][-30:-2]]
    assert parts.num_dropped == 453 - 11 - 30


def test_sessions_without_leaks_end_in_an_item_that_is_new_to_the_user():
    items = [*range(1, 10), 2, 3, *range(1, 12)]
    log = exposures([1] * 11 + [2] * 11, items, [1] * 22)

    parts = cut(log, name="tenrec_sbr", leak_free=True)

    assert rows(parts.test) == [21]  # user 1's last two are items 2 and 3 again
    assert rows(parts.validation) == [20]


@pytest.mark.parametrize("name", ["tenrec_ctr", "tenrec_mtl", "tenrec_topn", "tenrec_sbr"])
def test_what_differs_from_the_paper_is_said(log, name):
    as_paper, leak_free = cut(log, name=name), cut(log, name=name, leak_free=True)

    cut_by = "by order" if name == "tenrec_sbr" else "at random, so train knows the future"
    assert f"{name}, as in the paper: rows are cut {cut_by}, and pairs" in as_paper.notes[0]
    assert f"{name}, leak-free" in leak_free.notes[0]
    assert leak_free.keeps_pairs and not as_paper.keeps_pairs


def test_protocols_need_clicks(log):
    without = dataclasses.replace(log, labels={})

    with pytest.raises(DataError, match="goes by clicks, but made by the test has no label click"):
        cut(without, name="tenrec_ctr")


def test_no_user_is_active_enough():
    log = exposures([1] * 9 + [2], range(1, 11), [1] * 10)

    with pytest.raises(DataError, match="no user of made by the test has 10 clicks: the most is 9"):
        cut(log, name="tenrec_sbr")


def test_sizes_are_the_protocols_own():
    settings = splits.Settings(name="tenrec_topn")

    assert (settings.test, settings.validation) == (0.1, 1 / 9)
    for name in ("tenrec_topn", "tenrec_sbr"):
        settings = splits.Settings(name=name)
        assert settings == splits.Settings(**settings.model_dump())  # as a resolved config has it
    with pytest.raises(pydantic.ValidationError, match="test is 0.3, but tenrec_ctr is 8:1:1"):
        splits.Settings(name="tenrec_ctr", test=0.3)
    with pytest.raises(
        pydantic.ValidationError,
        match="validation is 0, but tenrec_sbr tests on the last click, and validates on the one "
        "before: leave validation out",
    ):
        splits.Settings(name="tenrec_sbr", validation=0)
    with pytest.raises(pydantic.ValidationError, match="leak_free goes with the tenrec_"):
        splits.Settings(name="random", leak_free=True)
