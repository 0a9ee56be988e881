"""The JSON schema for editors."""

import json
import pathlib

import pytest
import yaml

from multitask_recommender import config, config_schema, registry

ROOT = pathlib.Path(__file__).parents[1]


def branches(choice, key):
    """The names for which a choice has settings, with the keys of each."""
    schema = config_schema.schema()
    found = {}
    for branch in choice["else"]["allOf"]:
        reference = branch["then"]["$ref"].rpartition("/")[2]
        name = branch["if"]["properties"][key]["const"]
        found[name] = set(schema["$defs"][reference]["properties"])
    return found


def test_every_section_and_flat_key_is_described():
    schema = config_schema.schema()

    assert set(schema["properties"]) == {
        *("dataset", "split", "model", "sharing", "tasks", "weighting", "training", "evaluation"),
        *("export", "traps"),
        *("embedding_dimension", "rating_weight", "retrieval_weight", "learning_rate"),
        *("epochs", "batch_size"),
    }
    assert schema["additionalProperties"] is False


def test_settings_carry_their_types_and_bounds():
    schema = config_schema.schema()
    reference = schema["properties"]["training"]["$ref"].rpartition("/")[2]
    training = schema["$defs"][reference]

    assert training["properties"]["epochs"]["type"] == "integer"
    assert training["properties"]["epochs"]["exclusiveMinimum"] == 0
    assert training["properties"]["optimizer"]["enum"] == [
        "adagrad",
        "rowwise_adagrad",
        "adam",
        "lazy_adam",
    ]
    assert training["additionalProperties"] is False


def test_every_option_of_a_folder_is_described_with_the_key_that_chooses_it():
    properties = config_schema.schema()["properties"]

    for section, folder in config.FOLDERS.items():
        described = branches(properties[section], "name")
        assert list(described) == registry.names(folder)
        assert all("name" in keys for keys in described.values())
    assert properties["tasks"]["properties"]["like"] == {"$ref": "#/$defs/task_binary"}
    task = config_schema.schema()["$defs"]["task_binary"]["anyOf"][1]
    assert list(branches(task, "kind")) == registry.names("tasks")


def test_baselines_are_names_or_settings_by_name():
    schema = config_schema.schema()
    reference = schema["properties"]["evaluation"]["$ref"].rpartition("/")[2]
    _, names, by_name = schema["$defs"][reference]["properties"]["baselines"]["anyOf"]

    assert names["items"]["anyOf"][0] == {"enum": registry.names("baselines")}
    assert list(by_name["properties"]) == registry.names("baselines")
    assert by_name["additionalProperties"] is False
    ials = by_name["properties"]["ials"]["anyOf"][1]["$ref"].rpartition("/")[2]
    assert schema["$defs"][ials]["properties"]["dimension"]["exclusiveMinimum"] == 0


def test_a_choice_without_its_key_is_the_default(tmp_path, monkeypatch):
    for path in ("models/two_tower.py", "models/other.py"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text("")
    monkeypatch.setattr(registry, "_ROOT", tmp_path)

    choice = config_schema.schema()["properties"]["model"]["else"]

    assert {
        branch["if"]["properties"]["name"]["const"]: branch["if"]["required"]
        for branch in choice["allOf"]
    } == {"two_tower": [], "other": ["name"]}


def test_the_committed_schema_is_up_to_date():
    committed = json.loads((ROOT / "config.schema.json").read_text())

    assert committed == config_schema.schema(), (
        "run: python -m multitask_recommender schema > config.schema.json"
    )


def test_the_default_config_names_the_schema_and_has_every_section():
    text = (ROOT / "config.yaml").read_text()

    assert text.startswith("# yaml-language-server: $schema=config.schema.json\n")
    assert list(yaml.safe_load(text)) == list(config.DEFAULTS)


@pytest.mark.skipif(not registry.names("models"), reason="the options are not merged yet")
def test_the_default_config_is_the_main_job():
    found = config.load(ROOT / "config.yaml")

    assert (found.dataset.name, found.model.name) == ("movielens", "two_tower")
    assert (found.sharing.name, found.weighting.name) == ("shared_bottom", "fixed")
    assert list(found.tasks) == ["retrieval", "like", "rating"]
    assert (found.split.name, found.split.seed) == ("random", 42)
