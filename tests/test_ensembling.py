"""Whole ensembles of small runs: what is written, and that others find the same in it."""

import json

import pytest

from multitask_recommender import (
    assembly,
    cli,
    config,
    ensembling,
    reindexing,
    run_folder,
    runs,
)
from multitask_recommender.ensembles.ensemble import restore
from multitask_recommender.errors import ConfigError, RunError
from multitask_recommender.experiment import Experiment
from multitask_recommender.metrics.intervals import paired_interval
from tests.made_runs import LIGHTGCN, TWO_TOWER, made_run

NDCG = "test/full/ndcg@10"


def made_ensemble(place, names, method="weighted", weights=None):
    asked = ensembling.Asked([str(name) for name in names], method, weights)
    ensembling.ensemble(asked, place)
    return json.loads((place / run_folder.METRICS).read_text())


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("ensembles") / "pair"


@pytest.fixture(scope="module")
def results(made, place):
    return made_ensemble(place, [made["tower"], made["graph"]], weights="1,3")


def test_an_ensemble_is_a_run_but_for_its_training(results, place):
    assert {path.name for path in place.iterdir()} == {
        "config.yaml",
        "ensemble.json",
        "metrics.json",
        "test.parquet",
        "validation.parquet",
    }
    assert results.keys() >= {"metrics", "baselines", "protocol", "dataset", "versions"}
    assert results["protocol"]["trained_on"] == "train"
    assert results["metrics"].keys() >= {NDCG, "test/like/auc", "test/rating/mean_absolute_error"}
    assert results["members"].keys() == {"tower", "graph"}
    assert results["ensemble"]["blends"] == {
        "retrieval": {"weights": [0.25, 0.75], "intercept": 0.0},
        "like": {"weights": [0.25, 0.75], "intercept": 0.0},
        "rating": {"weights": [1.0, 0.0], "intercept": 0.0},
    }


def test_what_a_member_adds_is_the_ensemble_less_the_rest(results, made):
    figure = results["ensemble"]["figure"]

    # Without one of two, the other is alone.
    assert figure["without"] == {
        "tower": figure["alone"]["graph"],
        "graph": figure["alone"]["tower"],
    }
    assert figure["alone"]["tower"] == results["members"]["tower"][NDCG]
    adds = results["metrics"][NDCG] - figure["alone"]["graph"]
    assert figure["adds"]["tower"]["mean"] == pytest.approx(adds)
    assert figure["over_best"] == figure["adds"]["graph" if figure["best"] == "tower" else "tower"]


def test_intervals_are_over_the_same_users(results, made, place):
    chosen = config.load(place / run_folder.CONFIG)
    data = assembly.read(chosen)
    own = Experiment(chosen, data)
    whole = own.test_evaluator(restore(place, own, data).scorer(), own.kinds, keep_arrays=True)
    tower = Experiment(config.load(made["tower"] / run_folder.CONFIG), data).restore(made["tower"])
    alone = own.test_evaluator(tower.scorer(), own.kinds, keep_arrays=True)

    expected = paired_interval(whole.arrays[NDCG], alone.arrays[NDCG])

    found = results["ensemble"]["figure"]["adds"]["graph"]
    assert (found["low"], found["high"]) == pytest.approx((expected.low, expected.high))
    assert found["excludes_zero"] == expected.excludes_zero


def test_it_is_evaluated_like_a_run(results, place, tmp_path):
    runs.evaluate(place, json_path=tmp_path / "m.json")

    assert json.loads((tmp_path / "m.json").read_text())["metrics"] == results["metrics"]


def test_an_export_answers_as_the_ensemble_does(made, tmp_path):
    other = made_run(tmp_path / "other", {**LIGHTGCN, "hops": 1}, tasks={"retrieval": {}})
    made_ensemble(tmp_path / "graphs", [made["graph"], other])

    runs.export(tmp_path / "graphs", None, None)

    card = json.loads((tmp_path / "graphs/export/1/assets.extra/model_card.json").read_text())
    assert card["parity"]["scores"] <= card["parity"]["tolerance"]
    assert set(card["signatures"]) >= {"recommend", "retrieve", "rank", "similar_items"}
    text = (tmp_path / "graphs/export/1/assets.extra/model_card.md").read_text()
    assert "Model: weighted ensemble of graph, other x {retrieval, like}" in text

    (tmp_path / "items.csv").write_text("item,remove\n3,true\n9000,\n")
    version = reindexing.reindex(tmp_path / "graphs/export", tmp_path / "items.csv")

    told = json.loads((version / "assets.extra/model_card.json").read_text())
    (change,) = told["reindexed"]
    assert (change["removed"], change["added"], change["largest_change"]) == (1, 1, 0)
    assert told["ensemble"] == card["ensemble"]


@pytest.mark.slow
def test_its_export_is_as_good_as_it_is(results, place, tmp_path):
    """With histories, features of both sides, and labels."""
    runs.export(place, None, tmp_path / "served")

    runs.evaluate(tmp_path / "served", json_path=tmp_path / "m.json")

    found = json.loads((tmp_path / "m.json").read_text())["metrics"]
    assert found.keys() == results["metrics"].keys()
    for key, value in found.items():
        assert value == pytest.approx(results["metrics"][key], abs=1e-5), key


def test_weights_are_learnt_on_validation_and_lent_to_others(made, tmp_path):
    names = [made["graph"], made["session"], "popularity"]

    stacked = made_ensemble(tmp_path / "stacked", names, "stacked")
    lent = made_ensemble(tmp_path / "lent", names, weights=str(tmp_path / "stacked"))

    learnt = stacked["ensemble"]["blends"]
    assert sum(learnt["retrieval"]["weights"]) == pytest.approx(1.0)
    assert learnt["rating"]["intercept"] != 0
    assert lent["ensemble"]["blends"] == learnt
    assert lent["metrics"] == pytest.approx(stacked["metrics"])


def test_runs_that_saw_validation_are_not_stacked(tmp_path):
    refit = made_run(tmp_path / "refit", TWO_TOWER, False, training={"refit": True})

    with pytest.raises(RunError, match="refitted on train and validation"):
        made_ensemble(tmp_path / "stacked", [refit, "ials"], "stacked")

    assert not list(tmp_path.glob("stacked*"))


def test_reciprocal_ranks_of_predictors_are_no_ranking(made, tmp_path):
    """Members that retrieve nothing predict labels alone, and no figure is computed."""
    labels = [
        made_run(tmp_path / name, {**TWO_TOWER, "embedding_dimension": size}, tasks={"like": {}})
        for name, size in (("a", 4), ("b", 5))
    ]

    results = made_ensemble(tmp_path / "both", labels, "reciprocal_rank")

    assert "figure" not in results["ensemble"]
    assert results["ensemble"]["blends"].keys() == {"like"}
    assert "test/like/auc" in results["metrics"]
    assert NDCG not in results["metrics"]


def test_one_member_is_no_ensemble_and_a_folder_is_not_written_over(made, place, results, capsys):
    assert cli.main(["ensemble", "run"]) == 2
    assert "run alone is no ensemble" in capsys.readouterr().err
    with pytest.raises(ConfigError, match="pair exists"):
        made_ensemble(place, [made["tower"], made["graph"]])
