"""A recurrent layer for which sequences cost as much as they are long."""

import tensorflow as tf

from multitask_recommender.layers.precision import GRUCell


class PackedGRU(tf.keras.layers.Layer):
    """Vectors [S, T, D] of sequences of lengths [S] -> states after each of them [S, T, units].

    The states of `tf.keras.layers.GRU`, and zeros beyond a sequence's length, where that goes on
    computing for all until the longest one ends: sessions are short, and a few are long.
    """

    def __init__(self, units: int) -> None:
        super().__init__()
        self.cell = GRUCell(units)

    def call(self, vectors: tf.Tensor, lengths: tf.Tensor) -> tf.Tensor:
        longest = tf.shape(vectors)[1]
        order = tf.argsort(lengths, direction="DESCENDING", stable=True)  # the longest first
        vectors = tf.transpose(tf.gather(vectors, order), [1, 0, 2])  # [T, S, D]
        # Not slices of it: the gradient of each would be as large as all of them.
        given = tf.TensorArray(tf.float32, longest).unstack(vectors)
        has_item = tf.sequence_mask(lengths, longest)  # [S, T]
        numbers = tf.math.count_nonzero(has_item, axis=0, dtype=tf.int32)  # [T] of those going on

        def step(time: tf.Tensor, states: tf.Tensor, written: tf.TensorArray) -> tuple:
            number = numbers[time]
            states, _ = self.cell(given.read(time)[:number], [states[:number]])
            return time + 1, states, written.write(time, states)

        shape = tf.TensorShape([None, self.cell.units])  # fewer and fewer
        written = tf.TensorArray(tf.float32, longest, infer_shape=False, element_shape=shape)
        _, _, written = tf.while_loop(
            lambda time, *_: time < longest,
            step,
            [0, tf.zeros([tf.size(lengths), self.cell.units]), written],
            shape_invariants=[tf.TensorShape([]), shape, tf.TensorShape(None)],
        )
        states = tf.pad(written.concat(), [[0, 1], [0, 0]])  # the last row is for what is no item
        places = tf.argsort(order)[:, None] + tf.cumsum(numbers, exclusive=True)
        return tf.gather(states, tf.where(has_item, places, tf.shape(states)[0] - 1))
