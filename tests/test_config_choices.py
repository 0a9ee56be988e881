"""What `evaluation.baselines` may say, with the baselines that there are."""

import subprocess
import sys

import pytest

from multitask_recommender import config, registry
from multitask_recommender.baselines import ease, ials
from multitask_recommender.errors import ConfigError


def parse(baselines, *overrides):
    return config.parse({"evaluation": {"baselines": baselines}}, overrides)


def faults(baselines, **sections):
    with pytest.raises(ConfigError) as error:
        config.parse({"evaluation": {"baselines": baselines}, **sections})
    return str(error.value).split("\n")


def test_names_alone_have_their_default_settings():
    found = parse(["ials", "ease"]).baselines

    assert found == {
        "ials": config.Choice("ials", ials.Settings()),
        "ease": config.Choice("ease", ease.Settings()),
    }


def test_a_mapping_holds_settings_by_name():
    found = parse({"ials": {"dimension": 64}, "item_knn": {}}).baselines

    assert list(found) == ["ials", "item_knn"]
    assert found["ials"].settings == ials.Settings(dimension=64)


def test_without_the_key_there_are_none():
    assert config.parse({}).baselines == config.parse({"evaluation": None}).baselines == {}


def test_overrides_add_change_and_take_away():
    values = {"ials": {}, "ease": {}}

    found = parse(values, "evaluation.baselines.ials.l2=0.5", "evaluation.baselines.ease=null")
    added = config.parse({}, ["evaluation.baselines=[item_knn]"])

    assert list(found.baselines) == ["ials"]
    assert found.baselines["ials"].settings.l2 == 0.5
    assert list(added.baselines) == ["item_knn"]


def test_what_is_written_is_read_again(tmp_path):
    found = parse({"biased_mf": {"dimension": 7}, "popularity": {"shrinkage": 0.0}})
    (tmp_path / "config.yaml").write_text(found.to_yaml())

    assert config.load(tmp_path / "config.yaml") == found


def test_a_dotted_path_is_a_baseline_of_the_users_own(tmp_path, monkeypatch):
    (tmp_path / "my_baseline.py").touch()
    (tmp_path / "my_package").mkdir()
    (tmp_path / "my_package" / "mean.py").write_text(
        "from multitask_recommender.settings import Settings as Base\n"
        "class Settings(Base):\n    width: int = 3\n"
    )
    (tmp_path / "my_package" / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)

    assert parse({"my_package.mean": {"width": 5}}).baselines["my_package.mean"].settings.width == 5


def test_an_unknown_name_is_refused_with_what_may_be_meant():
    assert faults(["ialz"]) == [
        "evaluation.baselines.ialz is no baseline. No baselines/ialz.py. Did you mean 'ials'? "
        f"Available baselines: {', '.join(registry.names('baselines'))}."
    ]


def test_every_fault_is_said():
    found = faults(
        {"ials": {"dimensions": 64}, "ease": {"l2": 0}, "item_knn": 3}, training={"epochs": 0}
    )

    assert [line.partition(" ")[0] for line in found] == [
        "training.epochs",
        "evaluation.baselines.ials.dimensions",
        "evaluation.baselines.ease.l2",
        "evaluation.baselines.item_knn",
    ]
    assert "Did you mean 'dimension'? Settings here: dimension, epochs, l2," in found[1]
    assert found[2].endswith("is 0, expected a number greater than 0.0.")
    assert found[3].endswith("is 3, expected a mapping (key: value).")


@pytest.mark.parametrize("value", ["ials", 3, [3], [{"ials": {}}]])
def test_what_is_neither_names_nor_settings_is_refused(value):
    (line,) = faults(value)

    assert line.startswith("evaluation.baselines is ")
    assert "expected names such as [ials, ease], or settings by name" in line


def test_a_baseline_that_only_ranks_items_needs_a_task_that_retrieves():
    assert faults(["ease", "popularity"], tasks={"like": {}}) == [
        "evaluation.baselines.ease ranks items and predicts no label, but no task retrieves: take "
        "it away, or add tasks.retrieval."
    ]


def test_the_key_is_known_where_it_is_looked_for_in_vain():
    with pytest.raises(ConfigError, match="Did you mean 'evaluation.baselines'"):
        config.parse({"baselines": ["ials"]})
    with pytest.raises(ConfigError, match="Did you mean 'baselines'"):
        config.parse({"evaluation": {"baseline": ["ials"]}})


def test_settings_are_checked_without_what_baselines_compute_with():
    names = registry.names("baselines")
    code = (
        "import sys; from multitask_recommender import config\n"
        f"config.parse({{'evaluation': {{'baselines': {names}}}}})\n"
        "print(sorted({'scipy', 'sklearn', 'polars', 'tensorflow'} & set(sys.modules)))"
    )

    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert found.stdout == "[]\n"
