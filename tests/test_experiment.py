"""Whole runs on small synthetic data: what they write, and that others find the same in it."""

import gc
import json
import pathlib
import subprocess
import sys
import textwrap
import weakref

import numpy as np
import polars as pl
import pytest

from multitask_recommender import cli, config, experiment, run_folder, runs
from multitask_recommender.errors import ConfigError, RunError
from multitask_recommender.layers import initial

ROOT = pathlib.Path(cli.__file__).parents[1]
CONFIG = """
dataset: {name: synthetic, users: 30, items: 150, rows: 900}
split: {validation: 0.2}
model:
  name: two_tower
  embedding_dimension: 8
  user: [id, history]
  item: [id, history]
  dropout: 0.2
  history_dropout: 0.2
  ranking: {dimension: 4, dropout: 0.2, l2: 0.1}
sharing: {name: shared_bottom, hidden_layers: [4]}
training: {epochs: 30, batch_size: 120, learning_rate: 0.01, optimizer: lazy_adam, patience: 99}
evaluation:
  protocols: [full, unfiltered, sampled]
  baselines: {ials: {dimension: 4, epochs: 3}, biased_mf: {dimension: 2}, ease: {}}
"""


@pytest.fixture(scope="module")
def config_path(tmp_path_factory):
    path = tmp_path_factory.mktemp("config") / "config.yaml"
    path.write_text(CONFIG)
    return path


@pytest.fixture(scope="module")
def run_dir(config_path):
    """A finished run."""
    path = config_path.parent / "run"
    runs.train(config.load(config_path), path)
    return path


@pytest.fixture(scope="module")
def results(run_dir):
    return json.loads((run_dir / "metrics.json").read_text())


def tiny_config(*overrides):
    values = {
        "dataset": {"name": "synthetic", "users": 30, "items": 20, "rows": 300},
        "model": {"name": "two_tower", "embedding_dimension": 4},
        "training": {"epochs": 1, "batch_size": 300, "refit": False},
    }
    return config.parse(values, overrides)


def test_a_run_holds_what_the_design_says(run_dir):
    names = {path.name for path in run_dir.iterdir()}

    assert names == {
        "config.yaml",
        "metrics.json",
        "history.csv",
        "curves.png",
        "test.parquet",
        "validation.parquet",
        "per_user.parquet",
        "per_row.parquet",
        "checksums.json",
        "tensorboard",
        "checkpoints",
    }
    assert [path.name for path in run_dir.parent.glob("run*")] == ["run"]
    assert {path.name for path in (run_dir / "tensorboard").iterdir()} == {"search", "refit"}
    assert config.load(run_dir / "config.yaml") == config.load(run_dir.parent / "config.yaml")


def test_the_history_has_every_loss_of_every_epoch(run_dir, results):
    history = pl.read_csv(run_dir / "history.csv")

    search = history.filter(pl.col("phase") == "search")
    assert search["epoch"].to_list() == list(range(1, 31))
    losses = ["loss", "loss/retrieval", "loss/like", "loss/rating"]
    assert history.select(losses).null_count().sum_horizontal().item() == 0
    total = sum(history[name] for name in losses[1:])  # the weights are 1
    np.testing.assert_allclose(history["loss"], total, rtol=1e-5)
    best = search["validation/full/ndcg@20"].arg_max() + 1
    assert results["training"] == {"epoch": best, "refit": True}
    chosen = search.row(best - 1, named=True)["validation/full/ndcg@20"]
    assert results["metrics"]["validation/full/ndcg@20"] == chosen


def test_the_metrics_are_those_that_were_promised(results):
    assert results.keys() >= {"metrics", "baselines", "protocol", "dataset", "versions"}
    baselines = {"popularity", "random", "ials", "biased_mf", "ease", "oracle"}
    assert results["baselines"].keys() == baselines
    metrics = results["metrics"]
    for key in (
        "test/full/recall@20",
        "test/full/top_100_categorical_accuracy",
        "test/unfiltered/factorized_top_k/top_100_categorical_accuracy",
        "test/sampled/hit_rate@10",
        "test/rating/root_mean_squared_error",
        "test/like/auc",
        "test/like/log_loss",
        "test/like/loss",
        "test/rating/loss",
        "test/retrieval/loss",
        "test/loss",
    ):
        assert np.isfinite(metrics[key])
    assert metrics["test/loss"] == pytest.approx(
        sum(metrics[f"test/{name}/loss"] for name in ("retrieval", "like", "rating")), rel=1e-5
    )
    assert metrics["test/like/loss"] == pytest.approx(metrics["test/like/log_loss"], rel=1e-4)
    assert results["protocol"]["trained_on"] == "train and validation"
    assert results["dataset"]["parts"]["test"]["rows"] == 180


def test_the_model_learns(results):
    popularity = results["baselines"]["popularity"]

    assert results["metrics"]["test/full/ndcg@20"] > 0.8 * popularity["test/full/ndcg@20"]
    assert (
        results["metrics"]["test/rating/root_mean_squared_error"]
        < results["baselines"]["random"]["test/rating/root_mean_squared_error"]
    )


def test_a_baseline_has_the_metrics_of_what_it_does(results):
    """One that does not retrieve has no rankings, one that does nothing else has no labels."""
    found = results["baselines"]

    protocols = {name: {key.split("/")[1] for key in found[name]} for name in found}
    assert protocols["ials"] == protocols["ease"] == {"full", "unfiltered", "sampled"}
    assert protocols["biased_mf"] == {"rating"}
    assert found["ials"]["test/full/ndcg@20"] > found["random"]["test/full/ndcg@20"]


def test_a_baseline_has_the_settings_of_the_config():
    chosen = experiment.Experiment(tiny_config("evaluation.baselines={ials: {dimension: 3}}"))
    other = experiment.Experiment(tiny_config())
    users = {"user_id": np.arange(1, 31)}

    scores = [each.baseline("ials").score_block(users) for each in (chosen, other)]

    assert np.linalg.matrix_rank(scores[0], tol=1e-4) == 3
    assert np.linalg.matrix_rank(scores[1], tol=1e-4) > 3


def test_a_baseline_that_the_data_does_not_fit_is_refused_before_training(clicks_and_likes):
    labels = {"click": "click", "like": "like"}
    data = clicks_and_likes | {"columns": clicks_and_likes["columns"] | {"labels": labels}}
    values = {"dataset": data, "tasks": {"like": {}}, "evaluation": {"baselines": ["biased_mf"]}}

    with pytest.raises(ConfigError, match="^evaluation.baselines.biased_mf predicts ratings, but"):
        experiment.Experiment(config.parse(values))


def test_a_finished_run_is_not_written_over(run_dir, config_path):
    before = (run_dir / "metrics.json").read_bytes()

    with pytest.raises(ConfigError, match="run exists: choose another --run-dir"):
        runs.train(config.load(config_path), run_dir)

    assert (run_dir / "metrics.json").read_bytes() == before


def test_what_validation_leaves_out_is_told_without_other_columns(run_dir, monkeypatch):
    told = []
    monkeypatch.setattr(experiment.Experiment, "_evaluator", lambda _, seen, *__: told.extend(seen))

    _ = experiment.Experiment(config.load(run_dir / "config.yaml"))._validator

    assert [(dict(each.labels), each.timestamps) for each in told] == [({}, None)]


def test_a_restored_model_is_that_of_the_run_though_no_table_was_drawn(run_dir, monkeypatch):
    drawn = experiment.Experiment(config.load(run_dir / "config.yaml")).restore(run_dir)
    monkeypatch.setattr(initial, "_ROWS", 2)  # so that tables are large

    found = experiment.Experiment(config.load(run_dir / "config.yaml")).restore(run_dir)

    for weight, expected in zip(found.weights, drawn.weights, strict=True):
        np.testing.assert_array_equal(weight.numpy(), expected.numpy())


@pytest.mark.parametrize("protocol", ["full", "unfiltered", "sampled"])
def test_evaluate_finds_what_training_found(run_dir, results, protocol, tmp_path):
    runs.evaluate(run_dir, protocol, tmp_path / "m.json")

    found = json.loads((tmp_path / "m.json").read_text())
    expected = {
        key: value
        for key, value in results["metrics"].items()
        if key.startswith("test/")
        and key.split("/")[1] not in {"full", "unfiltered", "sampled"} - {protocol}
    }
    assert found["metrics"].keys() == expected.keys()
    for key, value in expected.items():
        assert found["metrics"][key] == pytest.approx(value, rel=1e-6), key
    assert found["protocol"][protocol] == results["protocol"][protocol]
    assert found["baselines"].keys() == results["baselines"].keys()
    for name, metrics in found["baselines"].items():
        for key, value in metrics.items():
            assert value == pytest.approx(results["baselines"][name][key], rel=1e-5), (name, key)


def test_a_run_is_opened_without_context_that_its_model_does_not_read(tmp_path, monkeypatch):
    log = {"name": "synthetic", "shape": "tenrec", "users": 20, "items": 30, "rows": 400}
    values = {"dataset": log, "tasks": {"click": {}}, "training": {"epochs": 1}}
    runs.train(config.parse(values), tmp_path / "run")
    held, show = [], runs.report.show_data

    def noted(data, *more):
        held.append([*data.train.context])
        show(data, *more)

    monkeypatch.setattr(runs.report, "show_data", noted)
    runs.evaluate(tmp_path / "run")
    opened, _ = runs._opened(tmp_path / "run", config.load(tmp_path / "run" / "config.yaml"))

    assert held == [[]]
    assert [*opened.data.train.context] == []


def test_recommendations_and_test_pairs_alone_give_the_metrics(run_dir, results, tmp_path):
    status = cli.main(
        ["evaluate", str(run_dir), "--write-recommendations", str(tmp_path / "r.parquet")]
    )

    assert status == 0
    lists = pl.read_parquet(tmp_path / "r.parquet")
    test = pl.read_parquet(run_dir / "test.parquet")
    validation = pl.read_parquet(run_dir / "validation.parquet")
    assert lists.columns == ["user", "rank", "item", "score"]
    assert test.columns[:2] == ["user", "item"]
    assert set(test.columns[2:]) == {"like", "rating"}
    assert len(test) == 180
    for _, group in lists.group_by("user"):
        assert 90 < len(group) <= 100  # a few users have seen more than 50 of the 150
        assert group["rank"].to_list() == list(range(1, len(group) + 1))
        assert group["score"].is_sorted(descending=True)
    assert lists.join(validation, on=["user", "item"], how="semi").is_empty()

    found = test.join(lists, on=["user", "item"], how="left")
    by_user = found.group_by("user").agg((pl.col("rank") <= 20).sum() / pl.len())["rank"]
    metrics = results["metrics"]
    assert by_user.mean() == pytest.approx(metrics["test/full/recall@20"], rel=1e-9)
    within = (found["rank"] <= 100).fill_null(False).mean()
    assert within == pytest.approx(metrics["test/full/top_100_categorical_accuracy"], rel=1e-9)


def test_data_that_has_changed_since_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = [f"u{n % 9},i{n % 7},{n % 2}" for n in range(63)]
    (tmp_path / "log.csv").write_text("\n".join(["u,i,c", *rows]))
    data = {"name": "table", "path": "log.csv"}
    data["columns"] = {"user": "u", "item": "i", "labels": {"click": "c"}}
    values = {"dataset": data, "tasks": {"click": {}}, "training": {"epochs": 1, "batch_size": 63}}

    runs.train(config.parse(values), tmp_path / "run")
    found = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert "test/click/auc" in found["metrics"]
    assert not any("full" in key for key in found["metrics"])
    with pytest.raises(RunError, match="has no retrieval task, so there is nothing to recommend"):
        runs.evaluate(tmp_path / "run", recommendations_path=tmp_path / "r.parquet")

    (tmp_path / "log.csv").rename(tmp_path / "moved.csv")
    runs.evaluate(tmp_path / "run", places=[f"dataset.path={tmp_path / 'moved.csv'}"])
    with pytest.raises(ConfigError, match="training.seed=1 cannot be set here: only where the"):
        runs.evaluate(tmp_path / "run", places=["training.seed=1"])

    (tmp_path / "log.csv").write_text("\n".join(["u,i,c", *rows[1:]]))
    with pytest.raises(RunError, match="is not what the run was trained on"):
        runs.evaluate(tmp_path / "run")


@pytest.fixture
def clicks_and_likes(tmp_path):
    """270 exposures; every third is clicked, and likes are there with a click and without one."""
    lines = [
        f"u{n % 9},i{(n * 7) % 31},{int(n % 3 == 0)},{int(n % 4 == 0)},{1 + n % 5}"
        for n in range(270)
    ]
    (tmp_path / "log.csv").write_text("\n".join(["u,i,click,like,rating", *lines]))
    labels = {"click": "click", "like": "like", "rating": "rating"}
    columns = {"user": "u", "item": "i", "labels": labels}
    return {"name": "table", "path": str(tmp_path / "log.csv"), "columns": columns}


def multi_task(data, sharing, **more):
    return config.parse(
        {
            "dataset": data,
            "tasks": {"click": {}, "like": {"only_with": "click"}, "rating": {}, **more},
            "sharing": sharing,
            "training": {"epochs": 2, "batch_size": 90, "task_gradients": "always"},
        }
    )


def test_a_like_without_a_click_is_none_wherever_it_is_read(clicks_and_likes, tmp_path):
    """In the labels of all parts, in held-out losses, in baselines; and it is said."""
    runs.train(multi_task(clicks_and_likes, "esmm"), tmp_path / "run")

    found = json.loads((tmp_path / "run" / "metrics.json").read_text())
    # Of 270 rows 68 are liked (0, 4, 8, ...), 23 of them clicked too (0, 12, 24, ...).
    warning = "45 of 68 rows with like have no click: they count as no like (tasks.like.only_with)."
    assert found["dataset"]["warnings"] == [warning]
    test = pl.read_parquet(tmp_path / "run" / "test.parquet")
    assert test.filter((pl.col("like") == 1) & (pl.col("click") == 0)).is_empty()
    metrics = found["metrics"]
    assert metrics["test/like/loss"] == pytest.approx(metrics["test/like/log_loss"], rel=1e-4)
    # A quarter of all rows is liked, and a twelfth liked and clicked: what baselines learn from.
    again = experiment.Experiment(multi_task(clicks_and_likes, "esmm"))
    predicted = again.baseline("popularity").rank({"item_id": np.arange(1, 32)})["like"]
    assert predicted.mean() < 0.15
    assert not (tmp_path / "run" / "gates.png").exists()


def test_gates_and_gradients_of_a_run_are_in_its_history_and_drawn(clicks_and_likes, tmp_path):
    chosen = multi_task(clicks_and_likes, "ple", retrieval={"positive": "click"})
    runs.train(chosen, tmp_path / "run")

    history = pl.read_csv(tmp_path / "run" / "history.csv")
    gates = ["own_0", "shared_0", "shared_1"]
    for label in ("click", "like", "rating"):
        total = history[[f"gate/{label}/{name}" for name in gates]].sum_horizontal()
        np.testing.assert_allclose(total, np.ones(4), rtol=1e-5)
    assert history["gradient_norm/retrieval"].min() > 0
    assert history["gradient_cosine/click/like"].is_between(-1, 1).all()
    assert (tmp_path / "run" / "gates.png").exists()


def test_a_head_of_clicked_rows_alone_is_judged_on_all(clicks_and_likes, tmp_path):
    chosen = multi_task(clicks_and_likes, "separate", like={"only_with": "click"})
    naive = multi_task(
        clicks_and_likes, "separate", like={"only_with": "click", "observed_where": "click"}
    )
    for name, each in (("whole", chosen), ("naive", naive)):
        runs.train(each, tmp_path / name)

    found = [
        json.loads((tmp_path / name / "metrics.json").read_text()) for name in ("whole", "naive")
    ]
    # It says how likely a like is given a click: on all rows, far too much.
    assert found[1]["metrics"]["test/like/log_loss"] > found[0]["metrics"]["test/like/log_loss"]
    assert found[0]["baselines"] == found[1]["baselines"]
    assert found[1]["metrics"]["test/like/loss"] == pytest.approx(
        found[1]["metrics"]["test/like/log_loss"], rel=1e-4
    )


OWN_MODEL = """
    '''A model of the user's own: a dot product of two tables.'''

    import tensorflow as tf

    from multitask_recommender.layers.heads import PairShape
    from multitask_recommender.layers.representation import Representation
    from multitask_recommender.models._base import MultiTaskModel
    from multitask_recommender.settings import Settings as Base


    class Settings(Base):
        width: int = 3


    class Model(MultiTaskModel):
        def __init__(self, settings, train, **shared):
            super().__init__(settings, train, **shared)
            self.num_items = train.num_items
            self.width = settings.width
            self.users = self.add_weight("u", [train.num_users + 1, settings.width])
            self.items = self.add_weight("i", [train.num_items + 1, settings.width])
            self.build_sharing()

        @property
        def pair_shape(self):
            return PairShape(self.width, 0)

        def encode(self, features, candidate_ids, training):
            users, rows = tf.unique(features["user_id"])
            return Representation(
                queries=tf.gather(self.users, users),
                candidates=tf.gather(self.items, candidate_ids),
                query_rows=rows,
                candidate_rows=tf.searchsorted(candidate_ids, features["item_id"]),
            )

        def embed_queries(self, features):
            return tf.gather(self.users, features["user_id"])

        def embed_items(self, ids):
            return tf.gather(self.items, ids)
"""


def test_a_model_of_the_users_own_trains_and_is_evaluated(tmp_path, monkeypatch):
    (tmp_path / "my_models").mkdir()
    (tmp_path / "my_models" / "__init__.py").touch()
    (tmp_path / "my_models" / "plain.py").write_text(textwrap.dedent(OWN_MODEL))
    monkeypatch.syspath_prepend(tmp_path)
    values = tiny_config("export.when_trained=true", "export.golden_requests=2").to_dict()
    values["model"] = {"name": "my_models.plain", "width": 5}

    runs.train(config.parse(values), tmp_path / "run")

    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())["metrics"]
    assert {"test/full/recall@10", "test/like/auc", "test/rating/loss"} < metrics.keys()
    runs.evaluate(tmp_path / "run", "full", tmp_path / "again.json")
    again = json.loads((tmp_path / "again.json").read_text())["metrics"]
    assert again["test/full/recall@10"] == metrics["test/full/recall@10"]
    assert (tmp_path / "run" / "export" / "1" / "saved_model.pb").exists()


def test_a_run_is_complete_whatever_comes_of_its_export(tmp_path, monkeypatch):
    def fail(*arguments):
        raise RunError("The index scann finds 0.5 of the exact best.")

    monkeypatch.setattr(runs.exporting, "export", fail)
    chosen = tiny_config("export.when_trained=true")
    with pytest.raises(RunError, match="The index scann finds"):
        runs.train(chosen, tmp_path / "run")

    assert (tmp_path / "run" / "metrics.json").exists()
    assert not (tmp_path / "run.partial").exists()

    # The same command makes up for the export alone; another config does not.
    made = []
    monkeypatch.setattr(runs.exporting, "export", lambda *arguments: made.append(arguments))
    monkeypatch.setattr(runs.report, "show_written", lambda paths: None)
    before = (tmp_path / "run" / "history.csv").read_bytes()
    runs.train(chosen, tmp_path / "run")
    assert [each[1] for each in made] == [tmp_path / "run" / "export"]
    assert (tmp_path / "run" / "history.csv").read_bytes() == before
    with pytest.raises(ConfigError, match="another config.*: training.seed is 42 there and 1 here"):
        runs.train(tiny_config("export.when_trained=true", "training.seed=1"), tmp_path / "run")


def test_an_export_at_the_end_keeps_nothing_of_the_training(tmp_path, monkeypatch):
    trained, weights, left = [], [], []
    fit = experiment.Experiment.fit

    def noted(fitting, folder):
        fitted = fit(fitting, folder)
        made = fitted.model, fitted.model.optimizer, fitting._validator, fitting.data.train
        trained.extend(map(weakref.ref, made))
        weights.extend(fitted.model.get_weights())
        return fitted

    def export(opened, base, metrics):
        opened_experiment, model = opened()
        trained.append(weakref.ref(opened_experiment))
        left.append([each() is not None for each in trained])
        for ours, expected in zip(model.get_weights(), weights, strict=True):
            np.testing.assert_array_equal(ours, expected)
        del opened_experiment, model, ours, expected
        gc.collect()
        left.append([each() is not None for each in trained])

    monkeypatch.setattr(experiment.Experiment, "fit", noted)
    monkeypatch.setattr(runs.exporting, "export", export)
    monkeypatch.setattr(runs.report, "show_written", lambda paths: None)
    runs.train(tiny_config("export.when_trained=true"), tmp_path / "run")

    # Model, optimizer, evaluator, rows and experiment: the model was made anew with the rows alone.
    assert left == [[False, False, False, True, True], 5 * [False]]


def test_a_run_that_failed_in_evaluation_goes_on_from_its_model(tmp_path, monkeypatch):
    def fail(*arguments, **more):
        raise OSError(28, "No space left on device", "metrics.json")

    chosen = tiny_config("tasks.like=null")
    with monkeypatch.context() as patch:
        patch.setattr(run_folder, "write_json", fail)
        with pytest.raises(OSError, match="No space"):
            runs.train(chosen, tmp_path / "run")
    assert not (tmp_path / "run").exists()
    history = (tmp_path / "run.partial" / "history.csv").read_text()

    runs.train(chosen, tmp_path / "run")

    assert (tmp_path / "run" / "history.csv").read_text() == history


def test_a_fresh_process_finds_the_same_in_a_model_with_hidden_layers(tmp_path):
    chosen = tiny_config(
        "tasks.like=null", "tasks.rating=null", "model.hidden_layers=[6]", "training.epochs=3"
    )
    runs.train(chosen, tmp_path / "run")
    command = [sys.executable, str(ROOT / "evaluate.py"), "run", "--json", "m.json"]

    done = subprocess.run(
        [*command, "--write-recommendations", "fresh.parquet"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stderr
    trained = json.loads((tmp_path / "run" / "metrics.json").read_text())["metrics"]
    fresh = json.loads((tmp_path / "m.json").read_text())["metrics"]
    assert fresh == {key: value for key, value in trained.items() if key.startswith("test/")}
    runs.evaluate(tmp_path / "run", recommendations_path=tmp_path / "here.parquet")
    assert pl.read_parquet(tmp_path / "here.parquet").equals(
        pl.read_parquet(tmp_path / "fresh.parquet")
    )
