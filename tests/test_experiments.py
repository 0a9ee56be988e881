"""The recipes of experiments/: each is a config, in words that the README and editors rely on."""

import pathlib

import numpy as np
import pytest
import yaml

from multitask_recommender import config
from multitask_recommender.experiment import Experiment

ROOT = pathlib.Path(__file__).parents[1]
RECIPES = sorted((ROOT / "experiments").glob("*.yaml"))
MULTI_TASK_NET = sorted((ROOT / "experiments").glob("mf_ncf_*.yaml"))


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
class TestEveryRecipe:
    def test_is_a_config_that_says_which_data_model_and_tasks_it_is_of(self, path):
        chosen = config.load(path)

        assert config.parse(chosen.to_dict()) == chosen
        written = yaml.safe_load(path.read_text())
        assert {"dataset", "split", "model", "tasks", "training"} <= written.keys()
        assert "path" not in written["dataset"]  # of somebody's machine

    def test_is_checked_by_editors_and_says_what_it_is(self, path):
        first, _, third = path.read_text().splitlines()[:3]

        assert first == "# yaml-language-server: $schema=../config.schema.json"
        assert third.startswith("# ")


@pytest.mark.slow
@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_every_recipe_trains_on_little(path, tmp_path):
    overrides = ["training.epochs=1", "training.batch_size=500"]
    if yaml.safe_load(path.read_text())["dataset"]["name"] == "synthetic":
        overrides += ["dataset.users=100", "dataset.items=80", "dataset.rows=8_000"]
    else:  # files that may not be here
        overrides += ["dataset={name: synthetic, users: 60, items: 50, rows: 1_500}"]
        overrides += ["split={name: random}", "training.monitor=auto"]

    little = Experiment(config.load(path, overrides))
    fitted = little.fit(tmp_path)

    found = little.test(fitted.model).metrics
    labels = {label for label in little.kinds if any(f"test/{label}/" in key for key in found)}
    assert labels == set(little.kinds)
    ranks = ("test/full/", "test/unfiltered/")
    assert little.retrieves == any(key.startswith(ranks) for key in found)
    assert all(np.isfinite(value) for value in found.values())


def test_the_four_experiments_of_multitasknet_differ_in_tables_and_weights_alone():
    found = {path.stem: config.load(path).to_dict() for path in MULTI_TASK_NET}

    told = {
        name: (
            values["model"].pop("embeddings"),
            values["tasks"]["retrieval"].pop("weight"),
            values["tasks"]["rating"].pop("weight"),
        )
        for name, values in found.items()
    }

    assert told == {
        "mf_ncf_shared_99_1": ("shared", 0.99, 0.01),
        "mf_ncf_shared_50_50": ("shared", 0.5, 0.5),
        "mf_ncf_separate_50_50": ("separate", 0.5, 0.5),
        "mf_ncf_separate_99_1": ("separate", 0.99, 0.01),
    }
    assert all(values == found["mf_ncf_shared_99_1"] for values in found.values())
    assert found["mf_ncf_shared_99_1"]["split"]["test"] == 0.05
