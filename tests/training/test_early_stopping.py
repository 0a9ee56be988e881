"""Which metric chooses the epoch, which epoch is the best, and when to stop looking."""

import pytest

from multitask_recommender.errors import ConfigError
from multitask_recommender.training.early_stopping import EarlyStopping, Monitor, choose_monitor

KNOWN = {
    "validation/full/ndcg@5": "higher",
    "validation/full/ndcg@30": "higher",
    "validation/full/gini@30": None,
    "validation/like/log_loss": "lower",
    "validation/loss": "lower",
}


def watch(values, patience=2, lower_is_better=False):
    stopping = EarlyStopping(Monitor("validation/x", lower_is_better), patience)
    return stopping, [stopping.see(epoch, value) for epoch, value in enumerate(values, start=1)]


def test_the_first_of_the_best_is_chosen_and_waiting_starts_anew():
    stopping, is_best = watch([0.1, 0.3, 0.2, 0.4, 0.4])

    assert is_best == [True, True, False, True, False]
    assert (stopping.best_epoch, stopping.best, stopping.waited) == (4, 0.4, 1)
    assert not stopping.is_over


def test_it_is_over_after_as_many_validations_as_patience_without_a_better_one():
    assert watch([0.3, 0.2, 0.3])[0].is_over
    assert not watch([0.3, 0.2])[0].is_over
    assert not watch([0.3] * 100, patience=None)[0].is_over


def test_where_less_is_better_the_lowest_is_best():
    stopping, _ = watch([0.5, 0.2, 0.4], lower_is_better=True)

    assert (stopping.best_epoch, stopping.best) == (2, 0.2)


def test_what_is_not_finite_is_never_the_best():
    _, is_best = watch([float("nan"), 0.2, float("nan"), float("inf"), 0.3], patience=9)

    assert is_best == [False, True, False, False, True]


@pytest.mark.parametrize(
    ("setting", "key", "lower_is_better"),
    [
        ("auto", "validation/full/ndcg@30", False),  # nearer to 20 than 5 is
        ("full/ndcg@5", "validation/full/ndcg@5", False),
        ("like/log_loss", "validation/like/log_loss", True),
        ("loss", "validation/loss", True),
    ],
)
def test_a_monitor_is_among_the_metrics_with_the_way_in_which_it_is_better(
    setting, key, lower_is_better
):
    assert choose_monitor(setting, KNOWN) == Monitor(key, lower_is_better)


def test_auto_is_the_loss_where_nothing_is_ranked():
    assert choose_monitor("auto", {"validation/loss": "lower"}).key == "validation/loss"


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("full/ngcd@5", "which is no metric of this validation part. Did you mean 'full/ndcg@5'?"),
        ("full/ndcg@20", "which is no metric of this validation part. Did you mean 'full/ndcg@"),
        ("full/gini@30", "of which neither more nor less is better. .*such as loss"),
    ],
)
def test_what_cannot_choose_an_epoch_is_refused(setting, message):
    with pytest.raises(ConfigError, match=f"training.monitor is '{setting}', {message}"):
        choose_monitor(setting, KNOWN)
