"""The protocol `sampled`."""

import dataclasses

import numpy as np
import pytest

from multitask_recommender import splits
from multitask_recommender.baselines import popularity
from multitask_recommender.datasets import ncf
from multitask_recommender.errors import DataError
from multitask_recommender.evaluation import Evaluator, Settings
from multitask_recommender.evaluation.held_out import arrange
from multitask_recommender.evaluation.sampled import draw_negatives
from multitask_recommender.given_negatives import GivenNegatives

KNOWN, ROWS = (3, 5), (3, 6)
SETTINGS = Settings(protocols=["sampled"], cutoffs=[1, 2, 3])
# Of rows with the targets 2, 4 and 3.
NEGATIVES = [[2, 1, 5], [1, 5, 1], [5, 4, 3]]


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


def with_negatives(rows, lines, item_ids):
    given = GivenNegatives(np.array(lines, np.int32), np.array(item_ids, np.int32))
    return dataclasses.replace(rows, negatives=given)


def test_negatives_of_the_source_are_those_that_are_ranked(events, table_scorer):
    test = with_negatives(events([(2, 1), (1, 3)], KNOWN, ROWS), [1, 0], [[2, 4, 5], [2, 3, 4]])
    scorer = table_scorer([[0] * 5, [9, 8, 7, 6, 5], [3, 1, 3, 2, 1], [0] * 5])

    result = Evaluator([], test, SETTINGS)(scorer)

    # (2, 1) has the second line and ties with item 3; (1, 3) has the first, item 2 is ahead.
    assert result.metrics["test/sampled/hit_rate@1"] == 0.0
    assert result.metrics["test/sampled/hit_rate@2"] == 1.0
    record = result.protocol["sampled"]
    assert record["candidates"] == "the target and its 3 given negatives a row"
    assert record["rows_with_target_among_negatives"] == 0


def test_a_given_negative_that_is_the_target_is_left_out_and_counted(events, table_scorer):
    """Scores by item, as the paper's code keeps them, hold such an item once: as the target."""
    test = with_negatives(events([(1, 2), (1, 4), (2, 3)], KNOWN, ROWS), [0, 1, 2], NEGATIVES)
    scores = [9, 8, 7, 6, 5]

    result = Evaluator([], test, SETTINGS)(table_scorer([[0] * 5, scores, scores, [0] * 5]))

    # (1, 2) is behind item 1 alone, (1, 4) behind item 1, which stands there twice, and (2, 3)
    # ahead of 4 and 5: ranks 2, 2, 1.
    assert result.metrics["test/sampled/hit_rate@1"] == pytest.approx(1 / 3)
    assert result.metrics["test/sampled/hit_rate@2"] == 1.0
    assert result.metrics["test/sampled/mrr@2"] == pytest.approx((1 / 2 + 1 / 2 + 1) / 3)
    record = result.protocol["sampled"]
    assert record["rows_with_target_among_negatives"] == 2
    assert record["negatives_repeated_in_a_row"] == 1


def test_the_rows_to_be_retrieved_keep_their_own_negatives(events, table_scorer):
    test = with_negatives(events([(1, 2), (1, 4), (2, 3)], KNOWN, ROWS), [0, 1, 2], NEGATIVES)
    scorer = table_scorer([[0] * 5, [9, 8, 7, 6, 5], [9, 8, 7, 6, 5], [0] * 5])
    positives = np.array([False, False, True])

    result = Evaluator([], test, SETTINGS, positives=positives)(scorer)

    assert result.metrics["test/sampled/hit_rate@1"] == 1.0
    assert result.protocol["sampled"]["rows_with_target_among_negatives"] == 1


def test_where_a_row_has_no_given_negatives_all_are_drawn(events, table_scorer):
    """Figures over two kinds of negatives would compare with nothing."""
    test = with_negatives(events([(1, 2), (1, 4)], KNOWN, ROWS), [0, -1], NEGATIVES)
    settings = Settings(protocols=["sampled"], cutoffs=[1, 2], negatives=2)

    record = Evaluator([], test, settings)(table_scorer(np.eye(4, 5))).protocol["sampled"]

    assert record["candidates"] == "the target and 2 negatives a row"
    assert record["seen_items"] == "never drawn as negatives"
    assert "rows_with_target_among_negatives" not in record


def test_negatives_told_to_the_evaluator_go_before_those_of_the_source(events, table_scorer):
    test = with_negatives(events([(1, 2)], KNOWN, ROWS), [0], [[3, 4, 5]])
    scorer = table_scorer([[0] * 5, [9, 8, 7, 6, 5], [0] * 5, [0] * 5])

    result = Evaluator([], test, SETTINGS, negatives=np.array([[1, 3, 4]]))(scorer)

    assert result.metrics["test/sampled/hit_rate@1"] == 0.0


def test_popularity_among_the_negatives_of_ml_1m_is_as_published(mtr_data):
    """.4535 and .2543, with ties at random; here ties count against the target."""
    folder = mtr_data / "ml-1m" / "ncf"
    if not folder.is_dir():
        pytest.skip("no NCF files of ml-1m here")
    rows = ncf.read(ncf.Settings(path=str(folder)))
    parts = splits.split(rows, splits.Settings(name="given", validation=0))
    scorer = popularity.fit(popularity.Settings(), parts.train, seed=0)
    settings = Settings(protocols=["sampled"], cutoffs=[10])

    result = Evaluator([parts.train], parts.test, settings)(scorer)

    assert result.metrics["test/sampled/hit_rate@10"] == pytest.approx(0.4535, abs=5e-4)
    assert result.metrics["test/sampled/ndcg@10"] == pytest.approx(0.2543, abs=3e-4)
    record = result.protocol["sampled"]
    assert record["candidates"] == "the target and its 99 given negatives a row"
    assert record["rows_with_target_among_negatives"] == 156
    assert record["negatives_repeated_in_a_row"] == 0
