"""Tasks as weightings see them."""

import types

import pytest


@pytest.fixture
def tasks():
    return [
        types.SimpleNamespace(name="retrieval", weight=1.0, is_regression=False),
        types.SimpleNamespace(name="like", weight=0.5, is_regression=False),
        types.SimpleNamespace(name="rating", weight=0.25, is_regression=True),
    ]
