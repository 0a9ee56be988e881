"""What must hold for every model and sharing: a plan's arrays are those of the model itself."""

import numpy as np
import pytest

from multitask_recommender import assembly, registry
from multitask_recommender.interactions import Entities, Interactions
from multitask_recommender.planning import model, shape

USERS, ITEMS, ROWS = 23, 41, 150
MODELS, SHARINGS = registry.names("models"), registry.names("sharing")
# A sharing reads a pair, whichever model it is of.
COMBINATIONS = [(model, "mmoe") for model in MODELS]
COMBINATIONS += [
    pytest.param("mf_ncf", each, marks=pytest.mark.slow) for each in SHARINGS if each != "mmoe"
]


def made_up() -> Interactions:
    generator = np.random.default_rng(2)
    users, items = (generator.integers(1, 1 + n, ROWS).astype(np.int32) for n in (USERS, ITEMS))
    clicks = (generator.random(ROWS) < 0.5).astype(np.float32)
    return Interactions(
        users,
        items,
        Entities(np.arange(USERS), USERS),
        Entities(np.arange(ITEMS), ITEMS),
        labels={"click": clicks, "like": clicks * (generator.random(ROWS) < 0.5)},
        timestamps=np.arange(ROWS),
    )


@pytest.mark.parametrize(("name", "sharing"), COMBINATIONS)
def test_parameters_and_shapes_are_those_of_the_model(name, sharing, parsed):
    config = parsed(name, sharing)
    built = assembly.build(config, made_up())

    arrays = model.arrays(config, shape.given(config, (USERS, ITEMS, ROWS), []))

    learnt = arrays[model.LEARNT]
    assert sum(array.size for array in learnt) == sum(
        variable.shape.num_elements() for variable in built.trainable_variables
    )
    everything = [*learnt, *arrays[model.KEPT]]
    shapes = [tuple(weight.shape) for weight in built.weights]
    assert sorted(array.shape for array in everything) == sorted(shapes)
