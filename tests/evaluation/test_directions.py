"""What evaluation will compute is known, with its direction, before anything is scored."""

import numpy as np
import pytest

from multitask_recommender.evaluation import Evaluator, Settings

SETTINGS = Settings(protocols=["full", "unfiltered", "sampled"], cutoffs=[1, 4, 90], negatives=5)
KINDS = {"like": "binary", "share": "binary", "follow": "binary", "stars": "rating"}
KNOWN = ROWS = (6, 30)


@pytest.fixture
def evaluator(events):
    """Likes are of both classes, shares of one, nothing is known of follows."""
    generator = np.random.default_rng(0)
    train, test = (generator.integers(1, [7, 31], size=(n, 2)) for n in (50, 20))
    labels = {
        "like": np.arange(20) % 3 == 0,
        "share": np.ones(20),
        "follow": np.zeros(20),
        "stars": np.arange(20),
    }
    columns = {
        "labels": {name: values.astype(np.float32) for name, values in labels.items()},
        "observed": {"follow": np.zeros(20, bool)},
    }

    def build(rows=slice(None)):
        held_out = events(test, KNOWN, ROWS, **columns).take(np.arange(20)[rows])
        return Evaluator([events(train, KNOWN, ROWS)], held_out, SETTINGS, "validation")

    return build


@pytest.mark.parametrize("rows", [slice(None), slice(0, 1), slice(0, 0)], ids=str)
def test_the_metrics_that_are_told_are_those_that_are_computed(evaluator, table_scorer, rows):
    labels = {name: np.full([7, 31], 0.25) for name in KINDS}
    scorer = table_scorer(np.random.default_rng(1).random([7, 30]), labels)

    told = evaluator(rows).directions(KINDS)

    assert told.keys() == evaluator(rows)(scorer, KINDS).metrics.keys()
    assert bool(told) == (rows != slice(0, 0))


def test_each_is_told_with_its_direction(evaluator):
    told = evaluator().directions(KINDS)

    directions = {
        "full/ndcg@4": "higher",
        "full/mrr": "higher",
        "full/top_4_categorical_accuracy": "higher",
        "full/popularity@4": None,
        "full/gini@4": None,
        "unfiltered/factorized_top_k/top_10_categorical_accuracy": "higher",
        "sampled/hit_rate@1": "higher",
        "like/auc": "higher",
        "like/gauc": "higher",
        "share/log_loss": "lower",
        "stars/root_mean_squared_error": "lower",
    }
    assert {name: told[f"validation/{name}"] for name in directions} == directions
    assert "validation/share/auc" not in told
    assert not any("follow" in name for name in told)


def test_a_label_that_the_first_rows_leave_open_is_known_by_all(events, monkeypatch):
    monkeypatch.setattr("multitask_recommender.evaluation.labels._FEW_ROWS", 3)
    clicks = {"click": np.array([0, 0, 0, 1, 0], np.float32)}
    rows = events([(1, item) for item in range(1, 6)], KNOWN, ROWS, labels=clicks)

    told = Evaluator([], rows, Settings(protocols=[])).directions({"click": "binary"})

    assert told["test/click/gauc"] == "higher"
