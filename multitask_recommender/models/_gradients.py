"""How tasks pull at the representation where they meet: to be told, and to be combined.

Gradients are those of each task's term of the loss, at the tensors of `Representation.cut`; a task
that does not read one of them has a gradient of 0 there. For T tasks a tensor's gradients are one
tensor with a leading axis of T.
"""

import itertools
from collections.abc import Mapping, Sequence

import tensorflow as tf

from multitask_recommender.layers.representation import Representation
from multitask_recommender.models._replicas import summed


def at_cut(
    tape: tf.GradientTape,
    terms: Mapping[str, tf.Tensor],
    cut: Sequence[tf.Tensor],
    scale: tf.Tensor | float = 1.0,
) -> list[tf.Tensor]:
    """The gradients of all terms at each tensor of the cut, [T, ...]; the tape is persistent.

    They are computed of the terms times `scale`, and divided by it (layers/loss_scale.py).
    """
    scale = tf.convert_to_tensor(scale)
    options = {"output_gradients": scale, "unconnected_gradients": tf.UnconnectedGradients.ZERO}
    found = [tape.gradient(term, list(cut), **options) for term in terms.values()]
    return [
        tf.stack([tf.convert_to_tensor(gradient) for gradient in each]) / scale
        for each in zip(*found, strict=True)
    ]


def products(gradients: Sequence[tf.Tensor]) -> tf.Tensor:
    """The products [T, T] of the tasks' gradients, over all tensors of the cut together."""
    flat = [tf.reshape(each, [each.shape[0], -1]) for each in gradients]
    return tf.add_n([tf.matmul(each, each, transpose_b=True) for each in flat])


def products_of_shares(gradients: Sequence[tf.Tensor], representation: Representation) -> tf.Tensor:
    """The products of a whole batch, from the gradients of a share of it, on every replica.

    Candidates are common to all shares, and their gradients add up; of the other tensors of the
    cut each share has lines of its own, whose products add up.
    """
    own, common = [], []
    for gradient, tensor in zip(gradients, representation.cut, strict=True):
        (common if representation.is_along_candidates(tensor) else own).append(gradient)
    total = summed(products(own))
    return total + products(summed(common)) if common else total


def norms_and_cosines(names: Sequence[str], products: tf.Tensor) -> dict[str, tf.Tensor]:
    """{"gradient_norm/like": ..., "gradient_cosine/click/like": ...} of products [T, T]."""
    norms = tf.sqrt(tf.linalg.diag_part(products))
    cosines = tf.math.divide_no_nan(products, norms[:, None] * norms)
    told = {f"gradient_norm/{name}": norms[place] for place, name in enumerate(names)}
    for (row, one), (column, other) in itertools.combinations(enumerate(names), 2):
        told[f"gradient_cosine/{one}/{other}"] = cosines[row, column]
    return told


def surgery(
    gradients: Sequence[tf.Tensor], cut: Sequence[tf.Tensor], shares: tf.Tensor
) -> tf.Tensor:
    """What is 0, and turns the plain sum of the gradients at the cut into that by shares [T].

    Added to the loss, it changes the gradient of what lies before the cut, and nothing behind it.
    """
    total = tf.zeros([])
    for gradient, tensor in zip(gradients, cut, strict=True):
        change = tf.stop_gradient(tf.tensordot(shares - 1.0, gradient, axes=1))
        total += tf.reduce_sum(change * (tensor - tf.stop_gradient(tensor)))
    return total
