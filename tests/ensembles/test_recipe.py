import json

import pytest

from multitask_recommender.ensembles import recipe
from multitask_recommender.ensembles.recipe import Blend, Recipe, Reference, evenly
from multitask_recommender.errors import RunError

RECIPE = Recipe(
    "stacked",
    (Reference("a", "/runs/a", "0f"), Reference("ials")),
    {"retrieval": Blend((0.75, 0.25)), "like": Blend((1.1, 0.0), -0.5)},
)


def test_what_is_written_is_read(tmp_path):
    assert not recipe.is_ensemble(tmp_path)

    RECIPE.write(tmp_path)

    assert recipe.is_ensemble(tmp_path)
    assert recipe.read(tmp_path) == RECIPE


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"method": "median"}, "its method is 'median'"),
        ({"blends": {"like": {"weights": [1.0], "intercept": 0.0}}}, "its 2 members has a weight"),
        ({"members": [{"runs": "a"}]}, "not as `ensemble` writes it .TypeError"),
        ({"blends": {"like": {}}}, "not as `ensemble` writes it .KeyError"),
    ],
)
def test_a_file_that_was_tampered_with_is_refused(tmp_path, change, told):
    (tmp_path / recipe.FILE).write_text(json.dumps({**RECIPE.to_dict(), **change}))

    with pytest.raises(RunError, match=told):
        recipe.read(tmp_path)


def test_no_json_is_refused(tmp_path):
    (tmp_path / recipe.FILE).write_text("members: []")

    with pytest.raises(RunError, match="ensemble.json is not as `ensemble` writes it"):
        recipe.read(tmp_path)


def test_weights_sum_to_1_over_the_members_that_take_part():
    takes = {
        "retrieval": (True, True, True),
        "like": (True, False, True),
        "x": (False, True, False),
    }

    blends = evenly(takes, (3.0, 0.0, 1.0))

    assert blends == {"retrieval": Blend((0.75, 0.0, 0.25)), "like": Blend((0.75, 0.0, 0.25))}
