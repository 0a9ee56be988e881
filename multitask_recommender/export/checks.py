"""What an export refuses, within its graph: every server then answers with a sentence."""

from collections.abc import Mapping

import tensorflow as tf

_MOST = 1e6  # that a weight may be


def batch_size(inputs: Mapping[str, tf.Tensor]) -> tf.Tensor:
    """B: inputs are of B rows each, or of one, which stands for all."""
    sizes = {name: tf.shape(value)[0] for name, value in inputs.items()}
    size = tf.reduce_max(tf.stack(list(sizes.values())))
    checks = []
    for name, own in sizes.items():
        checks.append(check(own > 0, f"the batch is empty: {name} has rows", own))
        differ = f"batch sizes differ, which are to be 1 or that of all: {name} has"
        checks.append(check((own == 1) | (own == size), differ, own, size))
    with tf.control_dependencies([each for each in checks if each is not None]):
        return tf.identity(size)  # whatever reads it waits for the checks


def checked_k(inputs: Mapping[str, tf.Tensor], num_items: int) -> dict[str, tf.Tensor]:
    """The inputs, whose k is one: whatever reads it waits for the check."""
    k = inputs["k"]
    wanted = f"k must be 1..{num_items}, the number of items, and is"
    done = check(tf.reduce_all((k >= 1) & (k <= num_items)), wanted, k)
    with tf.control_dependencies([] if done is None else [done]):
        return {**inputs, "k": tf.identity(k)}


def check_weight(name: str, weight: tf.Tensor) -> None:
    # Beyond that, sums overflow in single precision, and infinite scores have no order.
    sound = tf.reduce_all((weight >= 0) & (weight <= _MOST))  # no NaN is
    check(sound, f"{name} must be a number from 0 to {_MOST:,.0f}, and is", weight)


def check_number(name: str, ids: tf.Tensor) -> None:
    check(
        tf.shape(ids)[1] > 0, f"{name} must hold an item for each row; its shape is", tf.shape(ids)
    )


def check_lengths(lengths: tf.Tensor, width: tf.Tensor) -> None:
    sound = tf.reduce_all((lengths >= -1) & (lengths <= width))
    check(sound, "history_length must be -1 (all), or 0 to the columns of history; found", lengths)


def check_ids(name: str, ids: tf.Tensor) -> None:
    """Numbers below -1 are nobody's; what is merely unknown is answered."""
    if ids.dtype.is_integer:
        check(tf.reduce_all(ids >= -1), f"{name} must not be negative, but -1 for none; found", ids)


def check(condition: tf.Tensor, sentence: str, *found: tf.Tensor) -> tf.Operation | None:
    """Raises InvalidArgumentError with the sentence and the first values found, in the graph."""
    return tf.debugging.Assert(condition, [sentence, *found], summarize=8)
