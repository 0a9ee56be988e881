"""How trainings are compared."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest


@pytest.fixture
def assert_same_weights() -> Callable[[Any, Any], None]:
    """Of the models that two trainings hold, to the last bit."""

    def assert_same_weights(first: Any, second: Any) -> None:
        for one, other in zip(first.model.get_weights(), second.model.get_weights(), strict=True):
            np.testing.assert_array_equal(one, other)

    return assert_same_weights
