"""What is varied, as it is written on the command line."""

import pytest

from multitask_recommender.errors import ConfigError
from multitask_recommender.sweeps import axes
from multitask_recommender.sweeps.axes import Choices, Range


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("32,64", ["32", "64"]),
        ("[64,32],[64]", ["[64,32]", "[64]"]),
        ("{a: [1, 2], b: 3},null", ["{a: [1, 2], b: 3}", "null"]),
        ("'a,b',\"c,]\",d", ["'a,b'", '"c,]"', "d"]),
        ("[64,32]", ["[64,32]"]),
        ("1, 2", ["1", "2"]),
        ("", [""]),
    ],
)
def test_values_are_split_at_commas_outside_brackets_and_quotes(text, values):
    assert axes.split_values(text) == values


def test_one_value_is_a_plain_override_and_several_are_varied():
    overrides, varied = axes.read(["a.b=1", "c=[1,2]", "d.e=1,x", "odd", "f=1..8"])

    assert overrides == ["a.b=1", "c=[1,2]", "odd"]  # the config says what is wrong with `odd`
    assert varied == [Choices("d.e", ("1", "x")), Range("f", 1, 8, False)]


def test_a_flat_key_stands_for_its_setting():
    _, (axis,) = axes.read(["embedding_dimension=8,16"])

    assert axis.key == "model.embedding_dimension"


@pytest.mark.parametrize(
    ("text", "low", "high", "is_log"),
    [
        ("8..128", 8, 128, False),
        ("8..128:log", 8, 128, True),
        ("0..0.5", 0.0, 0.5, False),
        ("1e-5..1e-2:log", 1e-5, 1e-2, True),
        ("-1.5..2.", -1.5, 2.0, False),
        ("1..1_000", 1, 1000, False),
    ],
)
def test_a_range_is_of_integers_where_both_ends_are(text, low, high, is_log):
    _, (axis,) = axes.read([f"a={text}"])

    assert axis == Range("a", low, high, is_log)
    assert type(axis.low) is type(low) and type(axis.high) is type(high)
    assert axes.read([f"a={axis}"])[1] == [axis]


def test_what_is_no_range_of_numbers_is_text():
    assert axes.read(["path=../a..b"]) == (["path=../a..b"], [])


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("a=1,,2", "a is '1,,2', of which a value is empty."),
        ("a=1,2,", "a is '1,2,', of which a value is empty."),
        ("a=0.1,1e-1", "a is '0.1,1e-1', of which 1e-1 is given twice."),
        ("a=3..3", "a is '3..3', expected a range low..high with low below high."),
        ("a=0..3:log", "a is '0..3:log', but a log scale begins above 0."),
    ],
)
def test_what_is_wrong_is_said(argument, message):
    with pytest.raises(ConfigError) as error:
        axes.read([argument, "b=1,2"])

    assert str(error.value).startswith(message)


def test_a_key_is_varied_once():
    with pytest.raises(ConfigError, match="^model.embedding_dimension is varied twice.$"):
        axes.read(["model.embedding_dimension=1,2", "embedding_dimension=1..9"])


@pytest.mark.parametrize(
    ("axis", "value", "parameter"),
    [
        (Choices("a", ("[64,32]", "null")), [64, 32], "[64,32]"),
        (Choices("a", ("[64,32]", "null")), None, "null"),
        (Choices("a", ("1", "2")), 3, None),
        (Range("a", 1, 8, False), 8, 8),
        (Range("a", 1, 8, False), 8.0, None),
        (Range("a", 0.5, 8.0, True), 1, 1),
        (Range("a", 0.5, 8.0, True), 0.1, None),
        (Range("a", 0, 8, False), True, None),
        (Range("a", 0, 8, False), None, None),
    ],
)
def test_a_value_of_the_recipe_is_a_parameter_where_it_can_be_tried(axis, value, parameter):
    assert axis.parameter(value) == parameter
