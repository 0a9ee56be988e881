"""Whatever a config says, it is a config or a ConfigError: never a traceback.

What this finds is kept as a test by name in test_config.py and test_config_file.py.
"""

import contextlib

import hypothesis
import pytest
from hypothesis import strategies as st

from multitask_recommender import config, config_file, registry
from multitask_recommender.errors import ConfigError
from tests.fuzzing import BOUNDED

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=6),
    st.sampled_from(["two_tower", "retrieval", "mmoe", "auto", "1e-3", "..", "a.b", "~"]),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)
# Mostly keys that there are, so that what is looked at lies behind the first check.
KEYS = sorted(config.DEFAULTS) + ["record", "index", "epochs", "learning_rate"]
SETTINGS = sorted(
    {"name", "weight", "split", "recall", "test", "validation", "seed", "protocols", "baselines"}
    | set(registry.settings_class("models", "two_tower").model_fields)
)
SECTIONS = st.dictionaries(st.sampled_from(SETTINGS), VALUES, max_size=4) | VALUES
CONFIGS = st.dictionaries(st.sampled_from(KEYS), SECTIONS, max_size=4)
OVERRIDES = st.lists(
    st.builds(
        lambda section, key, value: f"{section}.{key}={value}",
        st.sampled_from(KEYS),
        st.sampled_from(SETTINGS) | st.text(max_size=3),
        st.text(max_size=6) | st.sampled_from(["[", "{a: 1}", "null", "1e-3", "*x", "!!python/x"]),
    )
    | st.text(max_size=8),
    max_size=3,
)


@BOUNDED
@hypothesis.given(CONFIGS, OVERRIDES)
def test_any_mapping_is_a_config_or_a_fault(values, overrides):
    with contextlib.suppress(ConfigError):
        found = config.parse(values, overrides)
        assert config.parse(found.to_dict()) == found


@BOUNDED
@hypothesis.given(
    st.text(max_size=60)
    | st.binary(max_size=60)
    | st.text(alphabet="model: {}[]&*!|>-'\"\n#,1e.", max_size=60)
)
def test_any_file_is_a_mapping_or_a_fault(tmp_path, text):
    path = tmp_path / "config.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))

    with contextlib.suppress(ConfigError):
        assert isinstance(config_file.read(path), dict)


@pytest.mark.parametrize("tag", ["!!python/object/apply:os.system ['true']", "!!python/name:eval"])
def test_a_file_runs_no_code(tmp_path, tag):
    (tmp_path / "config.yaml").write_text(f"model: {tag}\n")

    with pytest.raises(ConfigError, match="could not determine a constructor"):
        config_file.read(tmp_path / "config.yaml")


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=10,
)


@BOUNDED
@hypothesis.given(st.dictionaries(st.text(max_size=5), PLAIN, max_size=4))
def test_what_is_written_is_read_back_equal(tmp_path, values):
    path = tmp_path / "config.yaml"
    path.write_text(config_file.write(values), newline="")

    assert config_file.read(path) == values
