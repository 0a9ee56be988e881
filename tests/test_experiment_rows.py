"""Which rows are learnt from, known before a part, told of, and to be retrieved."""

import numpy as np
import pytest

from multitask_recommender import config, splits
from multitask_recommender.experiment_rows import ExperimentRows
from multitask_recommender.interactions import Entities, Interactions
from multitask_recommender.schema import TEST, VALIDATION

USERS, ITEMS = Entities(np.arange(1, 5), 4), Entities(np.arange(11, 20), 9)


def rows(*events):
    """Of (user, item, click)."""
    users, items, clicks = np.array(events).reshape(-1, 3).T
    return Interactions(
        users.astype(np.int32),
        items.astype(np.int32),
        USERS,
        ITEMS,
        labels={"click": clicks.astype(np.float32)},
    )


def pairs(interactions):
    return sorted(zip(interactions.user_ids.tolist(), interactions.item_ids.tolist(), strict=True))


@pytest.fixture
def parts():
    return splits.Splits(
        train=rows((1, 1, 1), (1, 2, 0), (2, 3, 1)),
        validation=rows((3, 5, 1)),
        test=rows((3, 7, 1), (4, 8, 1)),
        fold_in=rows((3, 4, 1), (4, 6, 1), (4, 9, 0)),
    )


def made(parts, refit=True, retrieval="retrieval"):
    chosen = config.parse(
        {
            "dataset": {"name": "synthetic"},
            "model": {"name": "two_tower", "embedding_dimension": 4},
            "tasks": {"retrieval": {"positive": "click"}, "click": {}},
            "training": {"refit": refit},
        }
    )
    return ExperimentRows(chosen, parts, retrieval)


def test_the_final_model_learns_from_validation_only_where_it_is_refitted(parts):
    # With what was told of user 3, who is one to learn from then.
    assert pairs(made(parts).learnt) == [(1, 1), (1, 2), (2, 3), (3, 4), (3, 5)]
    assert pairs(made(parts, refit=False).learnt) == [(1, 1), (1, 2), (2, 3)]
    assert pairs(made(parts).learnt_before(VALIDATION)) == [(1, 1), (1, 2), (2, 3)]


def test_what_is_retrieved_are_positives(parts):
    assert pairs(made(parts).retrieved(parts.train)) == [(1, 1), (2, 3)]
    assert made(parts, retrieval=None).positives(parts.train) is None


def test_who_met_what_is_told_of_the_same_rows_without_other_columns(parts):
    met = made(parts).met(parts.train)
    assert pairs(met) == [(1, 1), (2, 3)]
    assert not met.labels and met.timestamps is None
    everything = made(parts, retrieval=None).met(parts.train)
    assert everything.item_ids is parts.train.item_ids and not everything.labels


def test_rows_that_nothing_is_joined_to_are_not_copied(parts):
    joined = splits.joined(parts.train, parts.train.take(np.zeros(3, bool)))

    assert joined.user_ids is parts.train.user_ids
    assert pairs(splits.joined(parts.validation, parts.train)) == [(1, 1), (1, 2), (2, 3), (3, 5)]


def test_users_are_told_of_by_what_is_known_beside_the_learnt_rows(parts):
    known = made(parts)

    assert pairs(known.told(VALIDATION)) == [(3, 4), (4, 6)]
    # The final model has learnt of user 3 in validation: of him nothing more is told.
    assert pairs(known.told(TEST)) == [(4, 6)]
    assert pairs(made(parts, refit=False).told(TEST)) == [(3, 4), (4, 6)]
