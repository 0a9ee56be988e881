"""Tables of raw ids for others to judge."""

import numpy as np

from multitask_recommender.evaluation import recommendations, relevant_pairs

KNOWN, ROWS = (2, 4), (3, 5)


def test_recommendations_leave_out_what_was_seen_and_speak_raw_ids(events, table_scorer):
    train = events([(1, 4), (1, 2), (2, 1), (2, 2), (2, 3)], KNOWN, ROWS)
    scorer = table_scorer([[4, 3, 2, 1], [1, 9, 1, 9], [1, 2, 3, 4]])

    frame = recommendations(scorer, np.array([2, 1, 3]), [train], k=2)

    assert frame.rows() == [
        ("u1", 1, 101, 1.0),  # items 1 and 3 tie: the lower id first
        ("u1", 2, 103, 1.0),
        ("u2", 1, 104, 4.0),  # nothing else is left
        ("u3", 1, 101, 4.0),  # unknown, so answered as unknown
        ("u3", 2, 102, 3.0),
    ]
    assert frame.columns == ["user", "rank", "item", "score"]


def test_nobody_gets_an_empty_table_of_the_same_columns(events, table_scorer):
    train = events([(1, 4)], KNOWN, ROWS)

    frame = recommendations(table_scorer(np.ones([3, 4])), np.empty(0, np.int32), [train])

    assert frame.columns == ["user", "rank", "item", "score"] and frame.is_empty()


def test_relevant_pairs_are_distinct_and_unobserved_labels_are_null(events):
    rows = events(
        [(1, 5), (3, 2), (1, 5), (2, 1)],
        KNOWN,
        ROWS,
        labels={"rating": np.array([1, 2, 3, 4], np.float32)},
        observed={"rating": np.array([True, False, True, True])},
    )

    frame = relevant_pairs(rows, positives=np.array([True, True, True, False]))

    assert frame.columns == ["user", "item", "rating"]
    assert frame.rows() == [("u3", 102, None), ("u1", 105, 3.0)]
