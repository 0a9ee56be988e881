"""YAML, dotted overrides and the flat file become one mapping."""

import pytest

from multitask_recommender import config_file
from multitask_recommender.errors import ConfigError


def read(tmp_path, text):
    path = tmp_path / "config.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return config_file.read(path)


def test_numbers_with_an_exponent_need_no_dot(tmp_path):
    values = read(tmp_path, "a: 1e-3\nb: 2E5\nc: -.5e1\nd: 1e\ne: '1e-3'\nf: 1.5\ng: e3")

    assert values == {"a": 0.001, "b": 2e5, "c": -5.0, "d": "1e", "e": "1e-3", "f": 1.5, "g": "e3"}


def test_an_empty_file_is_an_empty_mapping(tmp_path):
    assert read(tmp_path, "# nothing yet\n") == {}


def test_dates_are_text_and_so_are_keys(tmp_path):
    assert read(tmp_path, "since: 2020-02-03\n7: x\n") == {"since": "2020-02-03", "7": "x"}


def test_anchors_and_merges_are_plain_yaml(tmp_path):
    values = read(tmp_path, "a: &a {x: 1, y: 2}\nb: {<<: *a, x: 3}")

    assert values == {"a": {"x": 1, "y": 2}, "b": {"x": 3, "y": 2}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", r"config\.yaml, line 3: the key 'a' is given twice"),
        ("a: {b: 1, b: 1}\n", r"config\.yaml, line 1: the key 'b' is given twice"),
        ("a: 1\n  b: 2\n", r"config\.yaml, line 2: mapping values are not allowed here"),
        ("a: [1,\n", r"config\.yaml, line 2: expected"),
        ("a: !!python/object:os.system {}\n", r"config\.yaml, line 1: could not determine"),
        ("- a\n- b\n", r"config\.yaml holds \[\"a\", \"b\"\], expected sections"),
        ("two_tower", r"config\.yaml holds 'two_tower', expected sections"),
        (b"a: \xff\xfe", r"config\.yaml is not text in UTF-8"),
        ("a: &a {b: *a}", r"config\.yaml cannot be used as a config: Circular reference"),
        ("a: 2020-13-01", r"config\.yaml cannot be used as a config: month must be in 1\.\.12"),
    ],
)
def test_a_malformed_file_is_one_line(tmp_path, text, message):
    with pytest.raises(ConfigError, match=message) as error:
        read(tmp_path, text)

    assert "\n" not in str(error.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"nowhere\.yaml cannot be read: No such file"):
        config_file.read(tmp_path / "nowhere.yaml")


def test_what_is_written_reads_back_equal(tmp_path):
    values = {"a": "1e-3", "b": 1e-5, "c": "yes", "d": None, "e": [1, "é"], "f": {"g": "1.5e3"}}

    assert read(tmp_path, config_file.write(values)) == values


@pytest.mark.parametrize("letter", ["\x85", "\u2028", "\u2029"])
def test_what_yaml_takes_for_the_end_of_a_line_stays_what_it_is(tmp_path, letter):
    values = {f"a{letter}b": letter}

    assert read(tmp_path, config_file.write(values)) == values


def test_overrides_set_values_read_as_yaml_and_leave_the_original():
    values = {"training": {"epochs": 3, "seed": 1}}

    changed = config_file.override(
        values,
        [
            "training.epochs=5",
            "training.learning_rate=1e-3",
            "dataset.columns.labels.click=clicked",
            "dataset.columns.item_features=[brand, price]",
            "tasks.like=null",
            "dataset.path=a=b.csv",
        ],
    )

    assert changed == {
        "training": {"epochs": 5, "seed": 1, "learning_rate": 0.001},
        "dataset": {
            "columns": {"labels": {"click": "clicked"}, "item_features": ["brand", "price"]},
            "path": "a=b.csv",
        },
        "tasks": {"like": None},
    }
    assert values == {"training": {"epochs": 3, "seed": 1}}


def test_an_override_keeps_the_option_that_a_bare_name_chose():
    values = {"model": "lightgcn", "tasks": {"share": "binary"}}

    changed = config_file.override(values, ["model.num_hops=2", "tasks.share.weight=3"])

    assert changed == {
        "model": {"name": "lightgcn", "num_hops": 2},
        "tasks": {"share": {"kind": "binary", "weight": 3}},
    }


def test_a_flat_key_is_an_override_of_its_setting():
    assert config_file.override({"training": {"epochs": 3}}, ["epochs=5"]) == {
        "training": {"epochs": 5}
    }


def test_every_wrong_override_is_reported():
    with pytest.raises(ConfigError) as error:
        config_file.override(
            {"dataset": {"variant": "100k"}},
            ["epochs", "training..seed=1", "dataset.variant.x=1", "training.seed=[1", "=3"],
        )

    lines = str(error.value).split("\n")
    assert lines[0] == "'epochs' is not key=value, such as training.epochs=5."
    assert lines[1] == "'training..seed=1' is not key=value, such as training.epochs=5."
    assert lines[2] == (
        "dataset.variant.x cannot be set: dataset.variant is '100k', which has no keys."
    )
    assert lines[3].startswith("The value of training.seed, line 1: expected")
    assert lines[4] == "'=3' is not key=value, such as training.epochs=5."
    assert len(lines) == 5


def test_the_flat_file_of_six_keys_is_a_whole_config():
    flat = {
        "embedding_dimension": 32,
        "rating_weight": 1.0,
        "retrieval_weight": 0.5,
        "learning_rate": 0.1,
        "epochs": 3,
        "batch_size": 8192,
    }

    expanded, written_as = config_file.expand_flat(flat)

    assert expanded == {
        "model": {"embedding_dimension": 32},
        "tasks": {"retrieval": {"weight": 0.5}, "rating": {"weight": 1.0}},
        "training": {"learning_rate": 0.1, "epochs": 3, "batch_size": 8192},
    }
    assert written_as["training.epochs"] == "epochs"


def test_some_flat_keys_stand_for_both_tasks_too():
    assert config_file.expand_flat({"epochs": 3})[0] == {
        "tasks": {"retrieval": {}, "rating": {}},
        "training": {"epochs": 3},
    }


def test_a_setting_of_one_of_the_baselines_that_are_a_list_of_names():
    values = {"evaluation": {"baselines": ["ials", "ease"]}}

    changed = config_file.override(values, ["evaluation.baselines.ials.dimension=8"])

    assert changed == {"evaluation": {"baselines": {"ials": {"dimension": 8}, "ease": {}}}}


def test_flat_keys_may_stand_beside_sections():
    values = {"epochs": 3, "training": {"seed": 1}, "model": "lightgcn", "tasks": {"like": {}}}

    assert config_file.expand_flat(values)[0] == {
        "training": {"epochs": 3, "seed": 1},
        "model": "lightgcn",
        "tasks": {"like": {}},
    }


@pytest.mark.parametrize(
    "sections",
    [{"tasks": {"rating": {"weight": 2}}}, {"tasks": {"rating": None}}],
)
def test_a_flat_key_may_not_say_again_what_a_section_says(sections):
    with pytest.raises(ConfigError, match="rating_weight and tasks.rating.weight are both given"):
        config_file.expand_flat({"rating_weight": 1, **sections})


def test_an_empty_section_says_nothing_that_a_flat_key_could_repeat():
    assert config_file.expand_flat({"epochs": 3, "training": None, "tasks": {"like": {}}})[0] == {
        "training": {"epochs": 3},
        "tasks": {"like": {}},
    }


def test_sections_alone_are_left_alone():
    assert config_file.expand_flat({"model": "x"}) == ({"model": "x"}, {})
