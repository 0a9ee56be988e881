"""What must hold for every file of the folder."""

import subprocess
import sys

import pytest

from multitask_recommender import registry


@pytest.mark.parametrize("name", registry.names("datasets"))
def test_settings_take_their_name_and_refuse_unknown_keys(name):
    fields = registry.settings_class("datasets", name).model_fields

    assert fields["name"].default == name
    assert "max_rows" in fields
    assert registry.settings_class("datasets", name).model_config["extra"] == "forbid"


def test_settings_do_not_wait_for_heavy_imports():
    """A mistake in the config is answered at once, so these are imported when data is read."""
    names = registry.names("datasets")
    lines = ["import sys", "from multitask_recommender import registry, splits"]
    lines += [f"registry.settings_class('datasets', {name!r})" for name in names]
    lines += ["print({'tensorflow', 'polars', 'scipy', 'sklearn'} & set(sys.modules))"]

    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, check=True
    )

    assert done.stdout == "set()\n"
