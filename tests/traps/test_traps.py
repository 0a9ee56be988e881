"""All traps together: refused in one message, or allowed by name."""

import numpy as np
import pytest

from multitask_recommender import config, registry, traps
from multitask_recommender.errors import ConfigError
from multitask_recommender.interactions import Feature
from multitask_recommender.settings import Settings

ROWS = [(0, 1, 1), (0, 1, 2), (0, 2, 3), (2, 1, 1), (2, 2, 5)]


@pytest.fixture
def trapped(make):
    """A constant click, a label never 1, an input from after the exposure, a row learnt from."""
    return make(
        ROWS,
        {"click": [1] * 5, "like": [0] * 5},
        context={"seconds": Feature(np.arange(5, dtype=np.float32))},
        post_exposure=frozenset({"seconds"}),
    )


def test_every_error_is_said_in_one_message(trapped, configure):
    tasks = {"click": {}, "like": {}}

    with pytest.raises(ConfigError) as error:
        traps.check(trapped, configure(tasks, context=["seconds"]))

    lines = str(error.value).split("\n")
    assert [line.partition(":")[0] for line in lines] == [
        "constant_label",
        "never_positive",
        "post_exposure_input",
    ]
    assert lines[0].endswith("If it is meant: traps.allow=[constant_label].")


def test_what_is_allowed_is_a_warning(trapped, configure):
    allow = ("constant_label", "never_positive", "post_exposure_input")

    found = traps.check(
        trapped, configure({"click": {}, "like": {}}, allow=allow, context=["seconds"])
    )

    assert {trap.name for trap in found} == {*allow, "same_row_in_train_and_test"}
    assert {trap.severity for trap in found} == {"warning"}


def test_allowing_one_trap_allows_no_other(trapped, configure):
    with pytest.raises(ConfigError, match="^never_positive: [^\n]*$"):
        traps.check(trapped, configure({"click": {}, "like": {}}, allow=("constant_label",)))


def test_an_unknown_trap_is_not_allowed():
    with pytest.raises(
        ConfigError,
        match=r"traps.allow.0 is 'constant_lable', expected .*Did you "
        "mean 'constant_label'",
    ):
        config.parse({"traps": {"allow": ["constant_lable"]}})


@pytest.mark.parametrize("name", registry.names("models"))
def test_every_model_says_what_it_reads(name):
    """Else no trap of its inputs would be found."""
    assert registry.settings_class("models", name).inputs_read is not Settings.inputs_read


def test_a_model_names_the_features_that_it_reads():
    parsed = config.parse(
        {
            "model": {
                "user": ["id", "age"],
                "item": ["id"],
                "context": ["hour"],
                "ranking": {"item": ["genres"]},
            }
        }
    )

    read = parsed.model.settings.inputs_read()

    assert {side: set(names) for side, names in read.items()} == {
        "user": {"id", "age"},
        "item": {"id", "genres"},
        "context": {"hour"},
    }
