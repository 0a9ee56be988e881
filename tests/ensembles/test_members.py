"""Who may be a member, and what is said of those who may not."""

import json
import shutil

import pytest

from multitask_recommender import assembly, run_folder
from multitask_recommender.ensembles import members, recipe
from multitask_recommender.errors import ConfigError, RunError
from multitask_recommender.experiment import Experiment
from tests.made_runs import LIGHTGCN, TWO_TOWER, made_run


@pytest.fixture(scope="module")
def others(tmp_path_factory):
    """Runs that differ from those of `made` in one thing each."""
    folder = tmp_path_factory.mktemp("others")
    return {
        "split": made_run(folder / "split", LIGHTGCN, False, split={"validation": 0.2, "seed": 7}),
        "refit": made_run(folder / "refit", LIGHTGCN, False, training={"refit": True}),
        "positive": made_run(
            folder / "positive", LIGHTGCN, False, tasks={"retrieval": {"positive": "like"}}
        ),
        "labels": made_run(folder / "labels", TWO_TOWER, tasks={"like": {}}),
    }


def found(*names):
    return members.find([str(name) for name in names])


def test_runs_are_found_by_their_folders_and_baselines_by_their_names(made):
    tower, ials = found(made["tower"], "ials")

    assert (tower.name, tower.run) == ("tower", str(made["tower"].resolve()))
    assert ials == recipe.Reference("ials")


def test_runs_of_one_name_are_told_apart(made, tmp_path):
    shutil.copytree(made["tower"], tmp_path / "tower")

    names = [each.name for each in found(made["tower"], tmp_path / "tower")]

    assert names == [str(made["tower"].resolve()), str((tmp_path / "tower").resolve())]


def test_who_is_nobody(made, tmp_path):
    with pytest.raises(ConfigError, match="ialz is neither .* Did you mean 'ials'"):
        found(made["tower"], "ialz")
    with pytest.raises(ConfigError, match="No member is a run"):
        found("ials", "ease")
    with pytest.raises(ConfigError, match="ials is named twice"):
        found(made["tower"], "ials", "ials")
    with pytest.raises(ConfigError, match="is not a run: it holds no metrics.json"):
        found(tmp_path)
    shutil.copytree(made["tower"], tmp_path / "ensemble")
    (tmp_path / "ensemble" / recipe.FILE).write_text("{}")
    with pytest.raises(ConfigError, match="is an ensemble: name its members in its place"):
        found(tmp_path / "ensemble")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("split", "split.seed is 42 in tower, 7 in split."),
        ("refit", "training.refit is False in tower, True in refit."),
        ("positive", "its positive is None in tower, 'like' in positive."),
    ],
)
def test_runs_that_differ_are_refused_with_what_differs(made, others, name, told):
    with pytest.raises(ConfigError, match="trained on the same rows") as refused:
        members.shared_config(found(made["tower"], others[name]))

    assert str(refused.value).splitlines()[1:] == [told]


def test_tasks_are_those_of_all_members_and_the_model_one_that_retrieves(made, others):
    config = members.shared_config(found(others["labels"], made["graph"], made["session"]))

    assert list(config.tasks) == ["retrieval", "like", "rating"]
    assert config.model.name == "lightgcn"
    assert config.retrieval == "retrieval"


def test_members_are_asked_for_what_they_can(made, others):
    references = found(others["labels"], made["graph"], "popularity", "ials")
    config = members.shared_config(references)
    data = assembly.read(config)

    opened = members.open_all(references, Experiment(config, data), data)

    assert [member.retrieves for member in opened] == [False, True, True, True]
    assert [sorted(member.labels) for member in opened] == [["like"], ["like"], ["like"], []]
    assert opened[2].parameters is None
    # 31 users and 26 items of 5 numbers and biases; a head: 3 x 5 and a bias at the least
    assert opened[1].parameters > (31 + 26) * 5 + 26


def test_a_run_that_changed_or_went_is_refused(made, tmp_path):
    place = tmp_path / "run"
    shutil.copytree(made["graph"], place)
    reference = found(place, "ials")[0]
    (place / run_folder.METRICS).write_text(json.dumps({"metrics": {"better": 1.0}}))

    with pytest.raises(RunError, match="is not the run that the ensemble was made of"):
        members.load(reference)
    shutil.rmtree(place)
    with pytest.raises(RunError, match="The member run is gone"):
        members.load(reference)
