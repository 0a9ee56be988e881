"""Every metric that measures quality says which way it is better."""

import pytest

from multitask_recommender import metrics
from multitask_recommender.metrics import catalogue, labels, ranking
from multitask_recommender.metrics.direction import direction


@pytest.mark.parametrize("name", metrics.names(ranking))
def test_of_a_ranking_metric_more_is_better(name):
    assert direction(getattr(ranking, name)) == "higher"


@pytest.mark.parametrize(
    ("metric", "better"),
    [
        (labels.auc, "higher"),
        (labels.grouped_auc, "higher"),
        (labels.average_precision, "higher"),
        (labels.accuracy, "higher"),
        (labels.log_loss, "lower"),
        (labels.normalised_entropy, "lower"),
        (labels.expected_calibration_error, "lower"),
        (labels.root_mean_squared_error, "lower"),
        (labels.mean_absolute_error, "lower"),
        (catalogue.gini, None),
        (catalogue.coverage, None),
    ],
)
def test_of_errors_less_is_better_and_what_only_describes_says_nothing(metric, better):
    assert direction(metric) == better
