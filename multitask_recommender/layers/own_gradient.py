"""A gradient of one's own that is forgotten with its graph.

`tf.custom_gradient` enters each use in a graph into a registry of the whole process, which
`tf.gradients` reads. Whatever is there stays, with its graph and all that it has captured, tables
of weights among it: a process that trains one model after another would keep all of them. All
gradients here are those of a tape, which remembers its functions by itself.
"""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

# Private: nothing else takes an entry away again.
from tensorflow.python.framework.ops import gradient_registry as _registry


def own_gradient(function: Callable[..., Any]) -> Callable[..., Any]:
    """As `tf.custom_gradient`: `function` gives its results, and what makes gradients of theirs.

    Only a tf.GradientTape that is at work where it is called knows of that gradient.
    """
    with_gradient = tf.custom_gradient(function)

    def called(*tensors: tf.Tensor) -> Any:
        results = with_gradient(*tensors)
        if not tf.executing_eagerly():
            # Its own entry: what other threads enter meanwhile is theirs.
            operation = tf.nest.flatten(results)[0].op
            del _registry._registry[operation.get_attr("_gradient_op_type").decode()]
        return results

    return called
