"""Which epoch is the best, and when to stop looking."""

import pytest

from multitask_recommender.training.early_stopping import EarlyStopping


def watch(metric, values, patience=2):
    stopping = EarlyStopping(metric, patience)
    return stopping, [stopping.see(epoch, value) for epoch, value in enumerate(values, start=1)]


def test_the_first_of_the_best_is_chosen_and_waiting_starts_anew():
    stopping, is_best = watch("validation/full/ndcg@20", [0.1, 0.3, 0.2, 0.4, 0.4])

    assert is_best == [True, True, False, True, False]
    assert (stopping.best_epoch, stopping.best, stopping.waited) == (4, 0.4, 1)
    assert not stopping.is_over


def test_it_is_over_after_as_many_validations_as_patience_without_a_better_one():
    assert watch("validation/full/mrr", [0.3, 0.2, 0.3])[0].is_over
    assert not watch("validation/full/mrr", [0.3, 0.2])[0].is_over
    assert not watch("validation/full/mrr", [0.3] * 100, patience=None)[0].is_over


@pytest.mark.parametrize(
    "metric",
    [
        "validation/rating/root_mean_squared_error",
        "validation/rating/mean_absolute_error",
        "validation/like/log_loss",
    ],
)
def test_of_errors_the_lowest_is_best(metric):
    stopping, _ = watch(metric, [0.5, 0.2, 0.4])

    assert (stopping.best_epoch, stopping.best) == (2, 0.2)
