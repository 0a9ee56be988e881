"""Tasks as sharing blocks see them."""

import types

import pytest


@pytest.fixture
def tasks():
    """{label: task} of initial outputs; `like="click"` says that like comes only with click."""

    def tasks(initial_outputs, **only_with):
        return {
            label: types.SimpleNamespace(initial_output=initial, only_with=only_with.get(label))
            for label, initial in initial_outputs.items()
        }

    return tasks
