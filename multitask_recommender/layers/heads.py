"""Heads: one number for each row and task, read from the pair and from what a bottom made of it."""

import dataclasses
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

import numpy as np
import tensorflow as tf

from multitask_recommender.layers.draws import AnySeed, dropout, fold_in
from multitask_recommender.layers.precision import Dense


@dataclasses.dataclass(frozen=True)
class PairShape:
    """How wide the parts of a pair are: [query, candidate, product, fields...]."""

    vectors: int  # E: of query, of candidate and of their product
    fields: int  # of all fields together
    unread: int = 0  # of those the last ones, which a linear head begins without

    @property
    def width(self) -> int:
        return 3 * self.vectors + self.fields

    def dot_product(self) -> np.ndarray:
        """The weights [P] with which a linear head is the dot product plus the fields it reads."""
        read = self.vectors + self.fields - self.unread
        parts = [np.zeros(2 * self.vectors), np.ones(read), np.zeros(self.unread)]
        return np.concatenate(parts).astype(np.float32)


class LabelTask(Protocol):
    """What a sharing block asks of a task that predicts a label (tasks/_label.py)."""

    initial_output: float  # where its output is to begin
    only_with: str | None  # the label without which this one is 0


class Head(tf.keras.layers.Layer):
    """A linear term of the pair, plus one of the hidden vector where there is one.

    The linear term begins as query . candidate + fields, so that training starts from matrix
    factorisation with biases; the hidden term begins small and learns what that leaves. Without
    `linear` the hidden term is all.
    """

    def __init__(
        self, pair_shape: PairShape, initial_output: float, name: str, linear: bool = True
    ) -> None:
        super().__init__(name=_scope(name))
        self._pair_shape = pair_shape
        self._initial_output = initial_output
        self._linear = linear
        self._deep = tf.keras.layers.Dense(1, use_bias=False, name="deep")

    def build(self, input_shape: tf.TensorShape) -> None:
        if self._linear:
            self.wide = self.add_weight(
                name="wide",
                shape=[self._pair_shape.width],
                initializer=tf.constant_initializer(self._pair_shape.dot_product()),
            )
        self.bias = self.add_weight(
            name="bias", shape=[], initializer=tf.constant_initializer(self._initial_output)
        )
        super().build(input_shape)

    def call(self, pair: tf.Tensor, hidden: tf.Tensor | None = None) -> tf.Tensor:
        """pair [B, P], hidden [B, H] -> [B]."""
        linear = tf.linalg.matvec(pair, self.wide) if self._linear else 0.0
        output = self.bias + linear
        return output if hidden is None else output + tf.squeeze(self._deep(hidden), axis=1)


def heads(pair_shape: PairShape, tasks: Mapping[str, LabelTask], linear: bool) -> dict[str, Head]:
    """A head for each label, which begins as its task says."""
    return {
        label: Head(pair_shape, task.initial_output, f"head_{label}", linear)
        for label, task in tasks.items()
    }


class HiddenLayers(tf.keras.layers.Layer):
    """A ReLU tower [B, P] -> [B, H], with dropout after each layer, drawn by the step's seed."""

    def __init__(self, units: Sequence[int], dropout: float, name: str) -> None:
        super().__init__(name=_scope(name))
        self._dropout = dropout
        self._dense = [Dense(width, activation="relu") for width in units]

    def call(self, inputs: tf.Tensor, seed: AnySeed, training: bool = False) -> tf.Tensor:
        for place, layer in enumerate(self._dense):
            inputs = layer(inputs)
            if training and self._dropout:
                inputs = dropout(inputs, self._dropout, fold_in(seed, place))
        return inputs


class Towers(tf.keras.layers.Layer):
    """A ReLU tower for each label, each of its own input: {label: [B, P]} -> {label: [B, H]}.

    Without units the inputs go through as they are.
    """

    def __init__(self, labels: Iterable[str], units: Sequence[int], dropout: float) -> None:
        super().__init__(name="towers")
        self._towers = {label: HiddenLayers(units, dropout, f"tower_{label}") for label in labels}

    def call(
        self, inputs: Mapping[str, tf.Tensor], seed: AnySeed, training: bool = False
    ) -> dict[str, tf.Tensor]:
        hidden = {}
        for place, (label, tower) in enumerate(self._towers.items()):
            hidden[label] = tower(inputs[label], fold_in(seed, place), training=training)
        return hidden


def _scope(name: str) -> str:
    """The name without what TensorFlow does not allow in one: labels may be called anything."""
    return re.sub("[^A-Za-z0-9_.-]", "_", name)
