"""Experts and gates: towers that many tasks read, and how much of each a task reads.

All experts that read the same input are one matrix product for their first layer.
"""

import math
from collections.abc import Sequence

import tensorflow as tf

from multitask_recommender.layers.draws import AnySeed, dropout, fold_in
from multitask_recommender.layers.precision import einsum, product


class Experts(tf.keras.layers.Layer):
    """`number` ReLU towers of the same input, [B, P] -> [B, number, H].

    Each begins as a tower of its own would; dropout after each layer is drawn by the step's seed.
    """

    def __init__(self, number: int, units: Sequence[int], dropout: float, name: str) -> None:
        super().__init__(name=name)
        self._number, self._units, self._dropout = number, list(units), dropout

    def build(self, input_shape: tf.TensorShape) -> None:
        width, first = int(input_shape[-1]), self._units[0]
        shapes = [[width, self._number * first]]
        sizes = [width, *self._units]
        shapes += [[self._number, *pair] for pair in zip(sizes[1:], sizes[2:], strict=False)]
        self._kernels, self._biases = [], []
        for place, shape in enumerate(shapes):
            # Glorot's, of one expert.
            limit = math.sqrt(6.0 / (sizes[place] + sizes[place + 1]))
            kernel = self.add_weight(
                name=f"kernel_{place}",
                shape=shape,
                initializer=tf.keras.initializers.RandomUniform(-limit, limit),
            )
            bias = [self._number, sizes[place + 1]]
            self._kernels.append(kernel)
            self._biases.append(self.add_weight(f"bias_{place}", bias, initializer="zeros"))
        super().build(input_shape)

    def call(self, inputs: tf.Tensor, seed: AnySeed, training: bool = False) -> tf.Tensor:
        hidden = product(inputs, self._kernels[0])  # [B, number * H]
        hidden = tf.reshape(hidden, [-1, self._number, self._units[0]])
        for place, bias in enumerate(self._biases):
            if place:
                hidden = einsum("bnh,nhk->bnk", hidden, self._kernels[place])
            hidden = tf.nn.relu(hidden + bias)
            if training and self._dropout:
                hidden = dropout(hidden, self._dropout, fold_in(seed, place))
        return hidden


class Gates(tf.keras.layers.Layer):
    """Softmax gates of the same input, [B, P] -> one [B, n] for each width n.

    They begin even, so that every task begins as the mean of its experts.
    """

    def __init__(self, widths: Sequence[int], name: str) -> None:
        super().__init__(name=name)
        self._widths = list(widths)

    def build(self, input_shape: tf.TensorShape) -> None:
        width = sum(self._widths)
        self.kernel = self.add_weight("kernel", [input_shape[-1], width], initializer="zeros")
        self.bias = self.add_weight("bias", [width], initializer="zeros")
        super().build(input_shape)

    def call(self, inputs: tf.Tensor) -> list[tf.Tensor]:
        logits = product(inputs, self.kernel) + self.bias
        return [tf.nn.softmax(each) for each in tf.split(logits, self._widths, axis=1)]


def mix(gate: tf.Tensor, experts: tf.Tensor) -> tf.Tensor:
    """The sum of experts [B, n, H] weighted by a gate [B, n]: [B, H]."""
    return tf.squeeze(tf.matmul(gate[:, None, :], experts), axis=1)
