"""What the classes `Index` have in common: items to be found by the highest dot product.

An index is called with queries [B, D], the number N of answers wanted (a scalar) and the ids to
leave out, [B, X] with 0 for none. It answers with scores [B, N], best first, and ids [B, N]. Where
fewer than N items are found, ids are 0 and scores NO_SCORE, at the end of a row. Scores are the
float32 dot products of the ids that they stand beside, whatever the index. Of equal scores the
lower id comes first; which of them is the last to be found is promised by brute force alone.

It traces into any `tf.function`, and all that it knows is in its variables: a saved model runs
without this package.
"""

import abc
import copy
from typing import Any, Self

import numpy as np
import tensorflow as tf

from multitask_recommender.index._answers import Answers
from multitask_recommender.index._cosines import Cosines
from multitask_recommender.index.settings._search import IndexSettings


class BaseIndex(tf.Module, abc.ABC):
    """Made of settings and item vectors, float32 [I, D], whose row r is the item of id r + 1.

    An index may hold the vectors as they are: they must not be written to from then on.
    """

    MIN_ITEMS = 1  # where there are fewer, tuning takes brute force

    def __init__(self, settings: IndexSettings) -> None:
        super().__init__()
        self.settings = settings

    @abc.abstractmethod
    def __call__(self, queries: tf.Tensor, number: tf.Tensor, excluded: tf.Tensor) -> Answers:
        """The best `number` of items that are not excluded: see above."""

    @staticmethod
    @abc.abstractmethod
    def vectors_of(saved: Any, number: int) -> np.ndarray:
        """The item vectors [I, D] that an index of this kind was made of, I being the number.

        saved: what a loaded SavedModel holds of it.
        """

    @abc.abstractmethod
    def rows(self) -> tf.Tensor:
        """Its vectors as it holds them, [R, D]: those of all items, and rows of none."""

    @abc.abstractmethod
    def ids(self) -> np.ndarray:
        """The items of its rows, int32 [R]; NO_ITEM for a row of none."""

    def cosines(self, lengths: np.ndarray) -> Cosines:
        """What finds the same items by the cosine; lengths: of their vectors, float32 [I]."""
        return Cosines(self, lengths)

    def searching(self, settings: IndexSettings) -> Self:
        """The same variables searched by other settings, of the same `built_with`."""
        index = copy.copy(self)
        index.settings = settings
        return index

    def shared(self) -> Self:
        """The same index for a saved model of several functions: what running it makes is made
        once, and stays until the process ends.
        """
        return self
