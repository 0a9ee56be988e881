"""Rows that were learnt from, and items that are the same."""

import numpy as np
import pytest

from multitask_recommender import traps

TRAIN = [(0, 1, 1), (0, 1, 2), (0, 2, 3), (0, 1, 1)]


def find(splits, configure):
    return traps.find(splits, configure({"retrieval": {}}))


def test_held_out_pairs_that_were_learnt_from_are_counted(make, configure):
    rows = [*TRAIN, (1, 3, 1), (1, 1, 1), (2, 2, 3), (2, 2, 3), (2, 3, 1), (2, 2, 1)]
    clicks = [0, 1, 1, 0, 0, 1, 0, 1, 0, 1]
    #         validation (1, 1): trained twice, with another label. test: (2, 3) twice, once with
    #         the label of training; (3, 1) with that of validation.

    of_validation, of_test = find(make(rows, {"click": clicks}), configure)

    assert of_validation.name == of_test.name == "same_row_in_train_and_test"
    assert of_validation.severity == "warning"
    assert of_validation.sentence.startswith(
        "1 of 2 validation rows have a pair of user and item that was learnt from, 0 of them with "
        "the same labels: "
    )
    assert of_test.sentence.startswith(
        "3 of 4 test rows have a pair of user and item that was learnt from, 2 of them with the "
    )


def test_rows_are_the_same_at_the_same_time_only(make, configure):
    rows = [*TRAIN, (2, 1, 1), (2, 2, 3)]
    times = np.array([10, 20, 30, 40, 40, 50])

    (trap,) = find(make(rows, {"click": [1] * 6}, timestamps=times), configure)
    (by_place,) = find(
        make(rows, {"click": [1] * 6}, timestamps=times, ordered_by_user=True), configure
    )

    assert "2 of 2 test rows" in trap.sentence
    assert "1 of them with the same labels and time:" in trap.sentence
    assert "2 of them with the same labels:" in by_place.sentence  # a place is no time


def test_an_unobserved_label_is_not_the_same_as_a_zero(make, configure):
    observed = {"click": np.array([1, 1, 0, 1, 1], bool)}

    (trap,) = find(make([*TRAIN, (2, 2, 3)], {"click": [0] * 5}, observed=observed), configure)

    assert "1 of 1 test rows" in trap.sentence
    assert "0 of them with the same labels" in trap.sentence


def test_new_pairs_are_no_trap(make, configure):
    """Users and items are known, and users 1 and 2 change places with items 2 and 1."""
    assert find(make([*TRAIN, (1, 2, 1), (2, 2, 2)], {"click": [1] * 6}), configure) == []
    assert find(make(TRAIN, {"click": [1] * 4}), configure) == []


@pytest.mark.parametrize(
    ("raw", "examples"),
    [
        (["12", "b", "c", "012", "d"], "'012' and '12'"),
        (["12.0", "b", "c", "12", "d"], "'12' and '12.0'"),
        (["Xa", "b", "c", "xA", "d"], "'Xa' and 'xA'"),
        (["a", "b", " a", "c", "d"], "' a' and 'a'"),
    ],
)
def test_ids_that_look_the_same_are_a_warning(make, configure, raw, examples):
    (trap,) = find(make(TRAIN, {}, raw_items=np.array(raw)), configure)

    assert (trap.name, trap.severity) == ("duplicate_candidates", "warning")
    assert "1 of 5 items have an id that differs from another's in blanks, case" in trap.sentence
    assert f"such as {examples}: " in trap.sentence


@pytest.mark.parametrize(("raw", "shown"), [([7, 8, 7, 9, 7], "7"), (list("abaca"), "'a'")])
def test_items_of_one_id_are_an_error(make, configure, raw, shown):
    (trap,) = find(make(TRAIN, {}, raw_items=np.array(raw)), configure)

    assert (trap.name, trap.severity) == ("duplicate_candidates", "error")
    assert f"2 of 5 items have the id of another item, such as {shown}: " in trap.sentence


@pytest.mark.parametrize(
    "raw", [["1", "10", "100", "0", "00a"], ["a", "0a", "a0", "a.0", "1.5"], [1, 10, 100, 2, 3]]
)
def test_ids_that_differ_are_no_trap(make, configure, raw):
    assert find(make(TRAIN, {}, raw_items=np.array(raw)), configure) == []
