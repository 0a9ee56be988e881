"""What holds of metrics whatever they are given: bounds, and what must not change them."""

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

from multitask_recommender.metrics import labels, ranking
from multitask_recommender.metrics.found import Found

BOUNDED = hypothesis.settings(max_examples=40, deadline=None, derandomize=True)
CUTOFFS = np.array([1.0, 2.0, 5.0, np.inf])
NAMES = ["recall", "precision", "hit_rate", "ndcg", "mrr", "map"]
QUERIES = st.lists(  # the ranks of each query's relevant items, and how many were not found
    st.tuples(st.sets(st.integers(1, 12), min_size=1, max_size=5), st.integers(0, 2)),
    min_size=1,
    max_size=4,
)
ROWS = st.lists(
    st.tuples(st.booleans(), st.sampled_from([0.125, 0.25, 0.375, 0.5, 0.75])),
    min_size=2,
    max_size=12,
)


def found(queries):
    ranks = [sorted(each) for each, _ in queries]
    return Found(
        queries=np.repeat(np.arange(len(queries)), [len(each) for each in ranks]),
        ranks=np.concatenate(ranks).astype(np.float64),
        num_relevant=np.array([len(each) + missed for each, missed in queries]),
    )


@pytest.mark.parametrize("name", NAMES)
@BOUNDED
@hypothesis.given(queries=QUERIES)
def test_ranking_metrics_are_bounded_and_know_each_query_alone(name, queries):
    metric = getattr(ranking, name)
    cutoffs = CUTOFFS[:-1] if name == "precision" else CUTOFFS

    whole = metric(found(queries), cutoffs)

    assert ((whole >= 0) & (whole <= 1 + 1e-12)).all()
    alone = [metric(found([query]), cutoffs)[0] for query in queries]
    np.testing.assert_allclose(whole, alone, rtol=1e-12)
    if name in ("recall", "hit_rate", "mrr"):
        assert (np.diff(whole, axis=1) >= -1e-12).all()  # a larger cut-off finds no less


@pytest.mark.parametrize("name", NAMES)
@BOUNDED
@hypothesis.given(queries=QUERIES)
def test_a_relevant_item_that_rises_never_harms(name, queries):
    metric = getattr(ranking, name)
    ranks, missed = queries[0]
    free = [rank for rank in range(1, max(ranks)) if rank not in ranks]
    hypothesis.assume(free)
    risen = [((ranks - {max(ranks)}) | {free[0]}, missed), *queries[1:]]
    cutoffs = CUTOFFS[:-1] if name == "precision" else CUTOFFS

    before, after = (metric(found(each), cutoffs) for each in (queries, risen))

    assert (after >= before - 1e-12).all()


@BOUNDED
@hypothesis.given(rows=ROWS, seed=st.integers(0, 5))
def test_auc_reads_order_alone(rows, seed):
    targets, scores = (np.array(column, np.float64) for column in zip(*rows, strict=True))
    order = np.random.default_rng(seed).permutation(len(rows))

    auc = labels.auc(targets, scores)

    assert auc == labels.auc(targets[order], scores[order])
    assert auc == labels.auc(targets, scores**3)  # any transform that keeps the order
    if auc is not None:
        assert 0 <= auc <= 1
        assert labels.auc(1 - targets, scores) == pytest.approx(1 - auc, abs=1e-12)
        assert labels.auc(targets, -scores) == pytest.approx(1 - auc, abs=1e-12)


@pytest.mark.parametrize(
    "name",
    [
        "average_precision",
        "accuracy",
        "log_loss",
        "normalised_entropy",
        "expected_calibration_error",
        "root_mean_squared_error",
    ],
)
@BOUNDED
@hypothesis.given(rows=ROWS, seed=st.integers(0, 5))
def test_label_metrics_do_not_read_the_order_of_rows(name, rows, seed):
    targets, scores = (np.array(column, np.float64) for column in zip(*rows, strict=True))
    order = np.random.default_rng(seed).permutation(len(rows))
    metric = getattr(labels, name)

    value, shuffled = metric(targets, scores), metric(targets[order], scores[order])

    assert (value is None) == (shuffled is None)
    if value is not None:
        assert value == pytest.approx(shuffled, rel=1e-9, abs=1e-12)
        assert value >= 0
