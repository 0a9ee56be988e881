"""A frozen model holds tables of items apart, and learns no more."""

import pytest

from multitask_recommender.errors import RunError
from multitask_recommender.layers.item_table import MEAN, ItemTable
from multitask_recommender.models._freezable import Freezable


class Layer:
    def __init__(self):
        self.times = 0

    def freeze(self):
        self.times += 1


class Model(Freezable):
    def __init__(self):
        self.layer, self.table, self.own = Layer(), ItemTable([1.0], MEAN), 0

    @property
    def submodules(self):
        return (self.layer, self.table)

    def freeze_own(self):
        self.own += 1


def test_every_part_is_frozen_once():
    model = Model()
    model.check_learns()

    model.freeze()
    model.freeze()

    assert (model.layer.times, model.own) == (1, 1)
    assert model.item_tables == [model.table]


def test_a_frozen_model_does_not_learn():
    model = Model()
    model.freeze()

    with pytest.raises(RunError, match="The model is frozen, .* and cannot learn any more"):
        model.check_learns()
