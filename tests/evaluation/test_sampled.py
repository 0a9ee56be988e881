"""The protocol `sampled`."""

import numpy as np
import pytest

from multitask_recommender.errors import DataError
from multitask_recommender.evaluation import Evaluator, Settings
from multitask_recommender.evaluation.held_out import arrange
from multitask_recommender.evaluation.sampled import draw_negatives

KNOWN, ROWS = (3, 5), (3, 6)
SETTINGS = Settings(protocols=["sampled"], cutoffs=[1, 2, 3])


def test_given_negatives_rank_each_target_among_its_own(events, table_scorer):
    test = events([(2, 1), (1, 3), (1, 6)], KNOWN, ROWS)
    scorer = table_scorer([[0] * 5, [9, 8, 7, 6, 5], [3, 1, 3, 2, 1], [0] * 5])
    negatives = np.array([[2, 3, 4], [2, 4, 6], [1, 2, 3]])

    result = Evaluator([], test, SETTINGS, negatives=negatives)(scorer)

    # (2, 1) ties with item 3: second. (1, 3) is behind item 2 only: second. (1, 6) is unknown.
    assert result.metrics["test/sampled/hit_rate@1"] == 0.0
    assert result.metrics["test/sampled/hit_rate@2"] == pytest.approx(2 / 3)
    assert result.metrics["test/sampled/mrr@3"] == pytest.approx((1 / 2 + 1 / 2) / 3)
    assert result.metrics["test/sampled/ndcg@3"] == pytest.approx(2 / np.log2(3) / 3)


def test_negatives_for_another_number_of_rows_are_an_error(events):
    test = events([(1, 1), (1, 2)], KNOWN, ROWS)

    with pytest.raises(DataError, match="negatives for 3 rows, and 2 held-out rows"):
        Evaluator([], test, SETTINGS, negatives=np.ones([3, 4], np.int32))


def test_drawn_negatives_are_distinct_and_met_nowhere(events):
    generator = np.random.default_rng(0)
    known = rows = (6, 60)
    draws = [tuple(pair) for pair in generator.integers(1, [7, 61], size=(150, 2))]
    held_out = arrange([events(draws[:120], known, rows)], events(draws[120:], known, rows))

    for count in (3, 25):  # few: drawn again where met; many: shuffled
        negatives = draw_negatives(held_out, count, seed=1)

        assert negatives.shape == (30, count)
        for (user, _), line in zip(draws[120:], negatives, strict=True):
            met = {item for other, item in draws if other == user}
            items = [item for item in line if item]
            assert len(set(items)) == len(items) == min(count, 60 - len(met))
            assert not met & set(items)
        np.testing.assert_array_equal(negatives, draw_negatives(held_out, count, seed=1))
        assert (negatives != draw_negatives(held_out, count, seed=2)).any()


def test_draws_are_uniform_over_what_is_left(events):
    known = rows = (1, 12)
    held_out = arrange([events([(1, 1)], known, rows)], events([(1, 2)] * 9000, known, rows))

    counts = np.bincount(draw_negatives(held_out, 3, seed=0).ravel(), minlength=13)[3:]

    np.testing.assert_allclose(counts, 9000 * 3 / 10, rtol=0.07)  # four standard errors
