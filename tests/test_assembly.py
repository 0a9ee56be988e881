"""What a training may begin with: a run whose config gives the same weights the same meaning."""

import numpy as np
import pytest

from multitask_recommender import assembly, config, config_file
from multitask_recommender.errors import ConfigError
from multitask_recommender.training import vocabulary


def settings(*overrides):
    values = {"model": {"name": "two_tower", "embedding_dimension": 4}}
    return config.parse(values, ["training.epochs=1", *overrides])


@pytest.fixture
def origin(tmp_path, tiny):
    """A run in all but its weights; it knew two of the four users, and one more."""
    chosen = settings("training.seed=7", "dataset=synthetic", "model.dropout=0.5")
    (tmp_path / "run" / "checkpoints").mkdir(parents=True)
    (tmp_path / "run" / "config.yaml").write_text(config_file.write(chosen.to_dict()))
    (tmp_path / "run" / "metrics.json").write_text("{}")
    np.savez(
        tmp_path / "run" / "checkpoints" / vocabulary.FILE,
        users=np.array(["ann", "bob", "tom"]),
        items=tiny.items.vocabulary,
        weights=np.array("{}"),
    )
    return tmp_path / "run"


def test_without_another_run_there_is_none(tiny):
    assert assembly.warm_start(settings(), tiny) is None


def test_data_training_and_what_is_dropped_may_differ(origin, tiny):
    told = assembly.warm_start(settings(f"training.warm_start={origin}"), tiny)

    assert told == {
        "run": str(origin),
        "users": {"kept": 2, "new": 2, "gone": 1},
        "items": {"kept": 6, "new": 0, "gone": 0},
    }


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("model.embedding_dimension=5", "model.embedding_dimension is 4 there and 5 here"),
        ("sharing=mmoe", "sharing.name is 'shared_bottom' there and 'mmoe' here"),
        ("tasks.like=null", "tasks.like is 'binary' there and not set here"),
    ],
)
def test_another_model_is_refused_and_what_differs_is_told(override, told, origin, tiny):
    chosen = settings(f"training.warm_start={origin}", override)

    with pytest.raises(ConfigError, match=f"begin with the weights of {origin}: .*{told}"):
        assembly.warm_start(chosen, tiny)


def test_what_is_no_run_is_refused(tmp_path, tiny):
    with pytest.raises(ConfigError, match="nowhere does not exist"):
        assembly.warm_start(settings(f"training.warm_start={tmp_path / 'nowhere'}"), tiny)
