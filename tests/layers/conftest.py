"""The weights that layers begin with are the same in every run of the tests."""

import pytest
import tensorflow as tf


@pytest.fixture(autouse=True)
def seeded() -> None:
    tf.keras.utils.set_random_seed(0)
