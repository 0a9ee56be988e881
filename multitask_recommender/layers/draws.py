"""What a batch draws for itself, for dropout: of a share, the draws are those of the whole batch.

A seed is a tensor [2] or, for lines that are a share of those of a batch, a `Seed`. What is dropped
is a function of the seed and of the place in the whole batch: never of who computes it.
"""

import dataclasses
from collections.abc import Callable

import tensorflow as tf

from multitask_recommender.shares import Lines

_BLOCK = 256  # places of a categorical draw that are summed as one


@dataclasses.dataclass(frozen=True)
class Seed:
    """A seed for some lines of a batch."""

    key: tf.Tensor  # int32 [2]
    lines: Lines


AnySeed = tf.Tensor | tuple[int, int] | Seed


def seed_of(key: tf.Tensor, lines: Lines | None) -> AnySeed:
    """The seed of lines; None is all of them."""
    return key if lines is None else Seed(key, lines)


def fold_in(seed: AnySeed, number: int) -> AnySeed:
    """Another seed for the same lines."""
    if isinstance(seed, Seed):
        return dataclasses.replace(seed, key=fold_in(seed.key, number))
    return tf.random.experimental.stateless_fold_in(seed, number)


def dropout(values: tf.Tensor, rate: float, seed: AnySeed) -> tf.Tensor:
    """Values [n, ...], of which each is 0 with chance `rate`, and the others scaled up to match."""
    if not isinstance(seed, Seed):
        return tf.nn.experimental.stateless_dropout(values, rate, seed)
    shape = tf.concat([[seed.lines.number], tf.shape(values)[1:]], axis=0)
    factors = tf.nn.experimental.stateless_dropout(tf.ones(shape, values.dtype), rate, seed.key)
    return values * tf.gather(factors, seed.lines.places)


def are_kept(
    number: tf.Tensor, lengths_of: Callable[[tf.Tensor], tf.Tensor], rate: float, seed: AnySeed
) -> tf.Tensor:
    """Which of the `number` members of lines are not dropped, line after line, bool [number].

    lengths_of says how many members the lines of some ids have.
    """
    if not isinstance(seed, Seed):
        return tf.random.stateless_uniform([number], seed) >= rate
    lengths = lengths_of(seed.lines.ids)  # of all lines of the batch
    kept = tf.random.stateless_uniform([tf.reduce_sum(lengths)], seed.key) >= rate
    starts, ends = (
        tf.gather(each, seed.lines.places)
        for each in (tf.cumsum(lengths, exclusive=True), tf.cumsum(lengths))
    )
    return tf.gather(kept, tf.ragged.range(starts, ends).values)


def uniform(width: int, number: tf.Tensor, seed: AnySeed) -> tf.Tensor:
    """Numbers in [0, 1) for `number` lines, [number, width]."""
    if not isinstance(seed, Seed):
        return tf.random.stateless_uniform([number, width], seed)
    drawn = tf.random.stateless_uniform([seed.lines.number, width], seed.key)
    return tf.gather(drawn, seed.lines.places)


def categorical(logits: tf.Tensor, points: tf.Tensor) -> tf.Tensor:
    """For each line of logits [n, C], places drawn by their exponentials, int32 [n, m].

    points [n, m] in [0, 1) are what has been drawn: where in the sum of exponentials a place is.

    A block of places is drawn first, then a place of it: sums over all of C are made once, and in
    parts, so that single precision will do.
    """
    num_lines, num_places = tf.unstack(tf.shape(logits))
    weights = tf.exp(logits - tf.reduce_max(logits, axis=1, keepdims=True))
    blocks = tf.reshape(
        tf.pad(weights, [[0, 0], [0, -num_places % _BLOCK]]),
        [num_lines, (num_places + _BLOCK - 1) // _BLOCK, _BLOCK],
    )
    ends = tf.cumsum(tf.reduce_sum(blocks, axis=2), axis=1)  # [n, blocks]
    points = points * ends[:, -1:]
    chosen = tf.searchsorted(ends, points, side="right")
    chosen = tf.minimum(chosen, tf.shape(ends)[1] - 1)  # rounding may leave a point at the end
    before = tf.gather(tf.pad(ends, [[0, 0], [1, 0]]), chosen, batch_dims=1)
    inner = tf.cumsum(tf.gather(blocks, chosen, batch_dims=1), axis=2)  # [n, width, _BLOCK]
    places = tf.math.count_nonzero(inner <= (points - before)[:, :, None], axis=2, dtype=tf.int32)
    return tf.minimum(chosen * _BLOCK + tf.minimum(places, _BLOCK - 1), num_places - 1)
