"""How events are cut into train, validation and test, and what the vocabulary is."""

import dataclasses

import numpy as np
import pydantic
import pytest

from multitask_recommender import splits
from multitask_recommender.datasets import movielens, synthetic
from multitask_recommender.errors import DataError
from multitask_recommender.interactions import Feature, IdWords
from multitask_recommender.splits.vocabulary import known_first


def rows(part) -> list[int]:
    """Which rows of the log a part has: `make_events` writes their numbers into the rating."""
    return part.labels["rating"].astype(int).tolist()


def cut(events, **settings):
    return splits.split(events, splits.Settings(**settings))


def raw(part) -> list[tuple[str, str]]:
    users, items = part.users.raw_ids[part.user_ids - 1], part.items.raw_ids[part.item_ids - 1]
    return list(zip(users.tolist(), items.tolist(), strict=True))


TEN = [(1, 1), (2, 1), (1, 2), (2, 3), (3, 4), (1, 4), (3, 1), (2, 2), (1, 3), (3, 3)]
REPEATED = [(1, 1), (1, 2), (1, 1), (2, 3), (1, 2), (2, 1), (1, 1), (2, 2)]


def test_random_is_the_permutation_that_users_can_draw_themselves(make_events):
    parts = cut(make_events(TEN), test=0.3, validation=0, seed=5)

    order = np.random.default_rng(5).permutation(10)
    assert sorted(order[:7]) == rows(parts.train)
    assert sorted(order[7:]) == rows(parts.test)
    assert len(parts.validation) == 0


def test_validation_comes_out_of_train_and_leaves_test_alone(make_events):
    without = cut(make_events(TEN), test=0.3, validation=0)
    parts = cut(make_events(TEN), test=0.3, validation=0.3)

    assert rows(parts.test) == rows(without.test)
    assert sorted(rows(parts.train) + rows(parts.validation)) == rows(without.train)
    drawn = np.random.default_rng([42, 1]).permutation(7)[5:]  # round(0.7 * 7) = 5 stay
    assert rows(parts.validation) == sorted(np.array(rows(without.train))[drawn])


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("name", ["random", "time", "leave_last_out"])
def test_a_repeated_pair_lies_on_one_side(make_events, name, seed):
    events = make_events(REPEATED * 3 + TEN, times=list(range(34)))

    parts = cut(events, name=name, test=0.4, validation=0.4, seed=seed)

    sides = [set(raw(part)) for part in (parts.train, parts.validation, parts.test)]
    assert not (sides[0] & sides[1] or sides[0] & sides[2] or sides[1] & sides[2])


def test_random_draws_pairs_where_rows_repeat(make_events):
    parts = cut(make_events(REPEATED), test=0.4, validation=0, seed=0)

    # Five pairs in order of appearance: rows (0 2 6), (1 4), (3), (5), (7). round(0.6 * 5) = 3.
    pairs = [[0, 2, 6], [1, 4], [3], [5], [7]]
    order = np.random.default_rng(0).permutation(5)
    assert rows(parts.train) == sorted(row for pair in order[:3] for row in pairs[pair])


def test_time_holds_out_the_latest(make_events):
    times = [50, 10, 90, 30, 70, 20, 80, 60, 40, 100]
    parts = cut(make_events(TEN, times), name="time", test=0.2, validation=0.25)

    assert rows(parts.test) == [2, 9]  # times 90 and 100
    assert rows(parts.validation) == [4, 6]  # 70 and 80
    assert rows(parts.train) == [0, 1, 3, 5, 7, 8]


def test_time_puts_events_of_one_second_in_the_order_of_the_log(make_events):
    parts = cut(make_events(TEN, [5] * 10), name="time", test=0.2, validation=0)

    assert rows(parts.test) == [8, 9]


def test_time_keeps_a_pair_where_it_was_met_first(make_events):
    parts = cut(make_events(REPEATED, list(range(8))), name="time", test=0.5, validation=0)

    assert rows(parts.test) == [5, 7]
    assert rows(parts.train) == [0, 1, 2, 3]
    assert parts.num_dropped == 2  # rows 4 and 6 repeat pairs of the first half, after the cut


def test_time_learns_from_nothing_later_than_the_cut(make_events):
    times = [3, 9, 1, 4, 8, 2, 6, 5, 7, 10]
    pairs = [(1, 1), (1, 1), (1, 2), (2, 1), (2, 1), (2, 2), (3, 1), (1, 2), (3, 1), (3, 3)]

    parts = cut(make_events(pairs, times), name="time", test=0.3, validation=0.4)

    # Train ends at time 4, validation at 7: 5, 8 and 9 repeat pairs of train; 7 stays beside 6.
    assert parts.train.timestamps.tolist() == [3, 1, 4, 2]
    assert parts.validation.timestamps.tolist() == [6, 7]
    assert parts.test.timestamps.tolist() == [10]
    assert parts.num_dropped == 3


def test_leave_last_out_takes_the_last_and_the_last_but_one(make_events):
    #        user 1 meets 1 2 4 3, user 2 meets 1 3 2, user 3 only two
    pairs = [(1, 1), (2, 1), (1, 2), (2, 3), (3, 4), (1, 4), (3, 1), (2, 2), (1, 3)]
    times = [4, 1, 3, 2, 1, 2, 2, 3, 1]

    parts = cut(make_events(pairs, times), name="leave_last_out")

    assert rows(parts.test) == [0, 7]
    assert rows(parts.validation) == [2, 3]
    assert rows(parts.train) == [1, 4, 5, 6, 8]
    assert parts.num_dropped == 0


def test_leave_last_out_without_validation_leaves_one_out(make_events):
    parts = cut(make_events(TEN, list(range(10))), name="leave_last_out", validation=0)

    assert rows(parts.test) == [7, 8, 9]
    assert len(parts.validation) == 0


def test_leave_last_out_drops_earlier_events_of_what_it_holds_out(make_events):
    pairs = [(1, 1), (1, 2), (1, 3), (1, 1), (1, 4), (1, 1)]  # item 1 is met last, and before

    parts = cut(make_events(pairs, list(range(6))), name="leave_last_out")

    assert rows(parts.test) == [5]
    assert rows(parts.validation) == [4]
    assert rows(parts.train) == [1, 2]
    assert parts.num_dropped == 2


def test_given_parts_are_kept_and_validation_is_drawn_where_there_is_none(make_events):
    given = [0, 0, 2, 1, 0, 2, 0, 0, 0, 0]
    parts = cut(make_events(TEN, parts=given), name="given")
    assert (rows(parts.validation), rows(parts.test)) == ([3], [2, 5])

    without = [0, 0, 2, 0, 0, 2, 0, 0, 0, 0]
    parts = cut(make_events(TEN, parts=without), name="given", validation=0.25)
    assert rows(parts.test) == [2, 5]
    assert (len(parts.train), len(parts.validation)) == (6, 2)


def test_given_parts_may_share_a_pair(make_events):
    parts = cut(make_events([(1, 1), (1, 1), (1, 2)], parts=[0, 2, 0]), name="given", validation=0)

    assert raw(parts.train)[0] == raw(parts.test)[0]


def test_what_only_test_has_is_outside_the_vocabulary_and_counted(make_events):
    pairs = [(1, 3), (4, 1), (2, 3), (3, 2), (3, 3)]
    parts = cut(make_events(pairs, parts=[0, 2, 1, 2, 0]), name="given")

    # In the order of their old ids: users 1 2 3 are learnt from, then 4; item 3, then 1 and 2.
    assert parts.test.users.raw_ids.tolist() == ["u1", "u2", "u3", "u4"]
    assert parts.test.items.raw_ids.tolist() == ["i3", "i1", "i2"]
    assert (parts.train.num_users, parts.train.num_items) == (3, 1)
    assert raw(parts.train) == [("u1", "i3"), ("u3", "i3")]
    assert raw(parts.validation) == [("u2", "i3")]  # known, though not in train: see the refit
    assert raw(parts.test) == [("u4", "i1"), ("u3", "i2")]
    assert parts.test.items.known(parts.test.item_ids).tolist() == [0, 0]
    assert parts.counts() == {
        "train": {"rows": 2, "unknown_users": 0, "unknown_items": 0},
        "validation": {"rows": 1, "unknown_users": 0, "unknown_items": 0},
        "test": {"rows": 2, "unknown_users": 1, "unknown_items": 2},
    }


def test_a_catalogue_is_known_even_if_never_met(make_events):
    events = make_events([(1, 5), (2, 4), (1, 1)], parts=[0, 2, 0], known=(0, 3))

    parts = cut(events, name="given", validation=0)

    assert parts.test.items.raw_ids.tolist() == ["i1", "i2", "i3", "i5", "i4"]
    assert parts.test.num_items == 4
    assert parts.counts()["test"]["unknown_items"] == 1


def test_features_follow_their_ids(ml_100k):
    data = movielens.read(movielens.Settings(path=str(ml_100k)), "u1")
    parts = splits.split(data, splits.Settings(name="given", fold="u1", validation=0))

    for part in (parts.train, parts.test):
        years = part.items.features["year"]
        words = [("", *years.vocabulary)[years.values[item]] for item in part.item_ids]
        by_raw_id = {10: "1995", 20: "1971", 30: "", 40: "1997", 50: ""}
        assert words == [by_raw_id[item] for _, item in raw(part)]


def test_features_whose_codes_are_items_follow_them(make_events):
    """In each table, and in the events; an item of the test part is no code of a model's."""
    events = make_events([(1, 3), (2, 1), (2, 3), (3, 2)], parts=[0, 2, 0, 0])
    of_items = {
        name: Feature(np.array(codes, np.int32), IdWords(events.items.raw_ids), of_items=True)
        for name, codes in (
            ("first", [[0, 0], [3, 1], [2, 0], [1, 2]]),
            ("like", [0, 2, 3, 1]),
            ("before", [0, 3, 2, 3]),
        )
    }
    events = dataclasses.replace(
        events,
        users=dataclasses.replace(events.users, features={"first": of_items["first"]}),
        items=dataclasses.replace(events.items, features={"like": of_items["like"]}),
        context={"before": of_items["before"]},
    )

    train = cut(events, name="given", validation=0).train

    assert train.items.raw_ids.tolist() == ["i2", "i3", "i1"]  # i1 is in test only
    first = train.users.features["first"]
    assert first.values.tolist() == [[0, 0], [2, 0], [1, 0], [0, 1]]
    assert list(first.vocabulary) == ["i2", "i3"]
    assert train.items.features["like"].values.tolist() == [0, 2, 0, 1]  # of i2, i3, i1
    assert train.context["before"].values.tolist() == [0, 1, 2]


def test_rows_are_renumbered_where_they_are_taken_and_the_source_stays(make_events):
    """Columns of many millions of rows are mapped from files."""
    events = make_events([(1, 1), (1, 2), (2, 1), (2, 3), (2, 4)])
    ages = Feature(np.array([0, 2, 1]), ("old", "young"))
    events = dataclasses.replace(
        events, users=dataclasses.replace(events.users, num_known=0, features={"age": ages})
    )

    take = known_first(events, np.array([True, True, True, False, True]))
    renumbered = take(np.ones(5, bool))

    assert renumbered.num_users == 2
    assert renumbered.user_ids.tolist() == [1, 1, 2, 2, 2]
    assert events.item_ids.tolist() == [1, 2, 1, 3, 4]
    assert renumbered.users.features["age"].values is ages.values
    assert renumbered.num_items == 3  # item 3 is not learnt from, so comes last
    assert renumbered.item_ids.tolist() == [1, 2, 1, 4, 3]
    some = take(np.array([False, True, False, True, False]))
    assert (some.user_ids.tolist(), some.item_ids.tolist()) == ([1, 2], [2, 4])


def test_features_of_the_log_are_asked_of_train_and_validation(make_events):
    asked = []

    def log_features(learnt):
        asked.append(learnt.tolist())
        prices = Feature(np.array([np.nan, 10, 20, 30], np.float32))
        return {}, {"price": prices}, {"hour": Feature(np.array([0, 2, 1]), ("noon", "night"))}

    events = make_events([(1, 2), (2, 1), (1, 3)], parts=[0, 2, 1])
    parts = cut(dataclasses.replace(events, log_features=log_features), name="given")

    assert asked == [[True, False, True]]
    for part in (parts.train, parts.validation, parts.test):
        assert part.items.raw_ids.tolist() == ["i2", "i3", "i1"]
        assert part.items.features["price"].values[1:].tolist() == [20, 30, 10]
        assert part.log_features is None
    assert parts.test.context["hour"].values.tolist() == [2]


def test_synthetic_ids_never_move_so_the_oracle_stays_right():
    data = synthetic.read(synthetic.Settings(users=20, items=30, rows=100))
    parts = splits.split(data, splits.Settings())

    assert parts.test.items.raw_ids.tolist() == list(range(1, 31))
    assert parts.test.oracle is data.oracle


def test_the_refit_sees_train_and_then_validation(make_events):
    parts = cut(make_events(TEN, list(range(10))), test=0.3, validation=0.3)
    both = parts.train_and_validation

    assert rows(both) == rows(parts.train) + rows(parts.validation)
    assert both.timestamps.tolist() == rows(both)
    assert both.observed["rating"].tolist() == [row % 2 == 0 for row in rows(both)]
    assert raw(both) == raw(parts.train) + raw(parts.validation)


def test_one_user_and_one_item_can_be_split(make_events):
    one_user = cut(make_events([(1, item) for item in range(1, 11)]))
    one_item = cut(make_events([(user, 1) for user in range(1, 11)]))

    for parts in (one_user, one_item):
        assert [len(p) for p in (parts.train, parts.validation, parts.test)] == [7, 1, 2]


def test_a_single_row_is_for_training(make_events):
    parts = cut(make_events([(1, 1)]), test=0)

    assert [len(p) for p in (parts.train, parts.validation, parts.test)] == [1, 0, 0]


@pytest.mark.parametrize("name", ["random", "time"])
def test_a_test_part_that_rounds_to_nothing_is_an_error(make_events, name):
    with pytest.raises(
        DataError, match=f"No row of 2 is left to test on: split.name is {name}, test 0.2.*test=0"
    ):
        cut(make_events(TEN[:2], times=[1, 2]), name=name)


def test_a_validation_part_that_rounds_to_nothing_is_a_warning(make_events):
    parts = cut(make_events(TEN[:5]))

    assert [len(p) for p in (parts.train, parts.validation, parts.test)] == [4, 0, 1]
    (warning,) = parts.train.source.warnings
    assert warning.startswith("No row of 5 is left for validation: split.name is random, ")
    assert "no early stopping and no refit" in warning


@pytest.mark.parametrize("settings", [{}, {"validation": 0}])
def test_parts_that_are_as_they_were_asked_for_are_no_warning(make_events, settings):
    assert cut(make_events(TEN), **settings).train.source.warnings == ()


def test_given_files_need_no_test_part(make_events):
    parts = cut(make_events(TEN, parts=[0] * 9 + [1]), name="given")

    assert (len(parts.train), len(parts.test)) == (9, 0)


def test_no_test_part_is_allowed(make_events):
    parts = cut(make_events(TEN), test=0.0, validation=0.0)

    assert rows(parts.train) == list(range(10)) and len(parts.test) == 0


@pytest.mark.parametrize("name", ["time", "leave_last_out"])
def test_order_needs_a_clock(make_events, name):
    with pytest.raises(DataError, match=f"split.name is {name}, but made by the test has no time"):
        cut(make_events(TEN), name=name)


def test_errors_say_what_cannot_be_done(make_events):
    with pytest.raises(DataError, match="made by the test has no rows to split"):
        cut(make_events([]))
    with pytest.raises(DataError, match="split.name is given, but made by the test has no given"):
        cut(make_events(TEN), name="given")
    with pytest.raises(DataError, match="leave_last_out, but no user has three different items"):
        cut(make_events(TEN[:4], [1, 2, 3, 4]), name="leave_last_out")
    with pytest.raises(DataError, match="No row of 2 is left to train on.*random, test 0.9"):
        cut(make_events(TEN[:2]), test=0.9)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"test": 1.0}, "test\n"),
        ({"test": -0.1}, "test\n"),
        ({"validation": 1.0}, "validation\n"),
        ({"seed": -1}, "seed\n"),
        ({"name": "randm"}, "name\n"),
        ({"fold": "u1"}, "fold is 'u1', which goes with name 'given' only"),
        ({"tset": 0.2}, "tset\n"),
    ],
)
def test_impossible_settings_are_refused(settings, message):
    with pytest.raises(pydantic.ValidationError, match=message):
        splits.Settings(**settings)


def test_real_100k_is_split_into_80000_and_20000(mtr_data):
    data = movielens.read(movielens.Settings(path=str(mtr_data / "ml-100k")))
    parts = splits.split(data, splits.Settings())

    counts = parts.counts()
    assert [counts[name]["rows"] for name in counts] == [72_000, 8_000, 20_000]
    assert counts["test"]["unknown_items"] == 0  # the catalogue has every film
    order = np.random.default_rng(42).permutation(100_000)
    np.testing.assert_array_equal(parts.test.timestamps, data.timestamps[np.sort(order[80_000:])])


def test_user_order_takes_the_last_of_each_user_rounded_down(make_events):
    users = [1] * 10 + [2] * 4
    events = make_events(list(zip(users, range(1, 15), strict=True)), times=list(range(14, 0, -1)))

    parts = cut(events, name="user_order", test=0.2, validation=0.25)

    # Of user 1's ten rows, latest first, two are test, a quarter of eight validation; of user 2's
    # four none is test, one validation.
    assert rows(parts.test) == [0, 1]
    assert rows(parts.validation) == [2, 3, 10]
    assert rows(parts.train) == [4, 5, 6, 7, 8, 9, 11, 12, 13]


def test_user_order_drops_a_pair_that_comes_again_later(make_events):
    pairs = [(1, 1), (1, 2), (1, 3), (1, 1), (1, 4)]

    parts = cut(make_events(pairs, times=[1, 2, 3, 4, 5]), name="user_order", test=0.4)

    assert rows(parts.test) == [4]
    assert rows(parts.train) == [0, 1, 2]
    assert parts.num_dropped == 1


def test_rows_ordered_by_user_have_no_common_clock(make_events):
    events = dataclasses.replace(make_events(TEN, times=list(range(10))), ordered_by_user=True)

    with pytest.raises(DataError, match="has no clock: its order is of each user's own events"):
        cut(events, name="time")
    assert len(cut(events, name="user_order", test=0.4).test) == 3
