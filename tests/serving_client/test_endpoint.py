"""What is asked for, and signatures as TensorFlow writes them."""

import pytest
from client import Model, UsageError
from recommender_client.endpoint import Signature

from . import cpp_loader


def test_a_version_and_a_label():
    with pytest.raises(UsageError, match="toy: version 3 and label stable. Give one of them."):
        Model("toy", version=3, label="stable")


def test_signatures_are_read_with_their_defaults(toy_folder):
    found = cpp_loader.signatures_of(toy_folder)

    assert found["similar_items"] == Signature(
        name="similar_items",
        inputs={"item_id": 7, "k": 3, "exclude_ids": 7},
        outputs=("item_ids", "num_items", "scores"),
        defaults={"k": [3], "exclude_ids": [[""]]},
    )
