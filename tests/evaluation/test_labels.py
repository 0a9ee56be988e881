"""Labels of held-out rows: observed rows only, unknown ids as unknown."""

import numpy as np
import pytest

from multitask_recommender.errors import RunError
from multitask_recommender.evaluation import Evaluator, Settings, evaluate

KNOWN, ROWS = (2, 2), (3, 3)
NONE = Settings(protocols=[])


@pytest.fixture
def held_out_rows(events):
    return events(
        [(1, 1), (2, 2), (3, 1), (1, 3)],
        KNOWN,
        ROWS,
        labels={
            "rating": np.array([5, 3, 2, 4], np.float32),
            "like": np.array([1, 0, 1, 0], np.float32),
        },
        observed={"like": np.array([True, True, True, False])},
    )


def test_a_predictor_of_labels_alone_is_not_ranked(held_out_rows):
    class Predictor:
        def rank(self, queries):
            return {"rating": np.full(len(queries["user_id"]), 3.5)}

    result = Evaluator([], held_out_rows, Settings())(Predictor())

    assert result.metrics.keys() == {
        "test/rating/root_mean_squared_error",
        "test/rating/mean_absolute_error",
    }
    assert not {"full", "popularity"} & result.protocol.keys()


def test_errors_are_over_observed_rows_with_unknown_ids_as_unknown(held_out_rows, table_scorer):
    # Rows 0 of the tables answer for unknown user 3, columns 0 for unknown item 3.
    ratings = [[9, 4, 9], [2, 5, 9], [9, 9, 4]]
    likes = [[0.1, 0.3, 0.1], [0.1, 0.9, 0.1], [0.1, 0.1, 0.6]]
    scorer = table_scorer(np.zeros([3, 2]), {"rating": ratings, "like": likes})

    result = Evaluator([], held_out_rows, NONE)(scorer, keep_arrays=True)

    # ratings predicted 5, 4, 4, 2 for 5, 3, 2, 4; likes .9, .6, .3 for 1, 0, 1
    assert result.metrics == pytest.approx(
        {
            "test/rating/root_mean_squared_error": np.sqrt((0 + 1 + 4 + 4) / 4),
            "test/rating/mean_absolute_error": (0 + 1 + 2 + 2) / 4,
            "test/like/auc": 1 / 2,
            "test/like/average_precision": (1 / 1 + 2 / 3) / 2,
            "test/like/accuracy": 1 / 3,
            # a row a bin: .1, .6 and .7 off
            "test/like/expected_calibration_error": (0.1 + 0.6 + 0.7) / 3,
            "test/like/normalised_entropy": (np.log(0.9) + np.log(0.4) + np.log(0.3))
            / (2 * np.log(2 / 3) + np.log(1 / 3)),
            "test/like/log_loss": -(np.log(0.9) + np.log(0.4) + np.log(0.3)) / 3,
        }
    )
    np.testing.assert_allclose(result.arrays["test/rating/squared_error"], [0, 1, 4, 4])
    assert result.arrays["test/like/is_correct"].tolist() == [True, False, False]


def test_what_is_undefined_or_not_predicted_is_absent(events, table_scorer):
    likes = {"like": np.ones(2, np.float32), "share": np.ones(2, np.float32)}
    rows = events([(1, 1), (2, 2)], KNOWN, ROWS, labels=likes)
    scorer = table_scorer(np.zeros([3, 2]), {"like": np.full([3, 3], 0.8)})

    metrics = evaluate(scorer, [], rows, NONE).metrics

    assert set(metrics) == {
        "test/like/accuracy",
        "test/like/average_precision",
        "test/like/expected_calibration_error",
        "test/like/log_loss",
    }


def test_gauc_is_by_user_whether_known_or_not(events, table_scorer):
    """Users 2 and 3 are both unknown to the model, and still two users."""
    rows = events(
        [(1, 1), (1, 2), (2, 1), (3, 2), (3, 1), (2, 2), (1, 1)],
        (1, 2),
        (3, 2),
        labels={"click": np.array([1, 0, 1, 1, 0, 1, 1], np.float32)},
        observed={"click": np.array([1, 1, 1, 1, 1, 1, 0], bool)},
    )
    scorer = table_scorer(np.zeros([2, 2]), {"click": [[0.5, 0.7, 0.4], [0.5, 0.8, 0.2]]})

    result = Evaluator([], rows, NONE)(scorer, keep_arrays=True)

    # User 1 wins his pair, user 3 loses, user 2 is of one class.
    assert result.metrics["test/click/gauc"] == pytest.approx((2 * 1 + 2 * 0) / 4)
    assert result.protocol["labels"]["click"] == {
        "rows": 6,
        "positives": 4,
        "gauc_users": 2,
        "gauc_users_of_one_class_left_out": 1,
    }
    arrays = {key.removeprefix("test/click/"): value for key, value in result.arrays.items()}
    assert arrays["user"].tolist() == [1, 1, 2, 3, 3, 2]
    assert arrays["target"].tolist() == [1, 0, 1, 1, 0, 1]
    np.testing.assert_allclose(arrays["prediction"], [0.8, 0.2, 0.7, 0.4, 0.7, 0.4])
    assert arrays["user_auc"].tolist() == [1, 0]
    assert arrays["user_rows"].tolist() == [2, 2]


def test_logits_are_refused(held_out_rows, table_scorer):
    scorer = table_scorer(np.zeros([3, 2]), {"like": np.full([3, 3], 1.5)})

    with pytest.raises(RunError, match="prediction of like is 1.5, expected a probability"):
        evaluate(scorer, [], held_out_rows, NONE)


def test_kinds_tell_what_a_label_is(held_out_rows, table_scorer):
    scorer = table_scorer(np.zeros([3, 2]), {"like": np.full([3, 3], 1.5)})

    metrics = Evaluator([], held_out_rows, NONE)(scorer, kinds={"like": "rating"}).metrics

    assert metrics["test/like/mean_absolute_error"] == pytest.approx((0.5 + 1.5 + 0.5) / 3)
