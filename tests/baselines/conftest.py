"""A small training set: 3 users, 5 items (one of them never met), a label half observed."""

import numpy as np
import pytest

from multitask_recommender.interactions import Entities, Interactions


@pytest.fixture
def ratings() -> Interactions:
    return Interactions(
        user_ids=np.array([1, 1, 1, 2, 2, 3], np.int32),
        item_ids=np.array([1, 2, 3, 1, 2, 1], np.int32),
        users=Entities(np.array(["a", "b", "c"]), 3),
        items=Entities(np.arange(5), 5),
        labels={
            "rating": np.array([5, 4, 1, 3, 2, 3], np.float32),
            "like": np.array([1, 1, 0, 0, 0, 0], np.float32),
            "share": np.zeros(6, np.float32),
        },
        observed={"like": np.array([1, 1, 1, 1, 0, 0], bool), "share": np.zeros(6, bool)},
    )
