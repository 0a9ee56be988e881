"""What a graph said, out of what TensorFlow says."""

import pytest
import tensorflow as tf

from multitask_recommender.serving import graph_faults
from multitask_recommender.serving.faults import Kind

BEFORE = (
    "Graph execution error:\n\nDetected at node a/Assert defined at (most recent call last):\n"
    "<stack traces unavailable>\n"
)
AFTER = "\n\t [[{{node a/Assert}}]] [Op:__inference_signature_wrapper_207]"
SEVERAL = (
    "2 root error(s) found.\n  (0) INVALID_ARGUMENT:  assertion failed: [k is 0.]{}\n\t [[b/_9]]\n"
    "  (1) INVALID_ARGUMENT:  assertion failed: [w is nan.]{}\n0 successful operations."
)


@pytest.mark.parametrize(
    ("message", "sentence"),
    [
        (
            BEFORE + "weight_like : Tensor had NaN values" + AFTER,
            "weight_like : Tensor had NaN values.",
        ),
        (
            BEFORE + "assertion failed: [k must be at least 1..  ] [x (k:0) = ] [0]" + AFTER,
            "k must be at least 1. x (k:0) = 0.",
        ),
        (
            BEFORE + "Detected at node c defined at (most recent call last):\n"
            "<stack traces unavailable>\n" + SEVERAL.format(AFTER, AFTER),
            "k is 0.",
        ),
        (
            BEFORE + "assertion failed: [ids must not be negative; found] [[-7 1][2 3]]" + AFTER,
            "ids must not be negative; found [-7 1][2 3].",
        ),
        ("plain", "plain."),
        ("", "."),
    ],
)
def test_the_sentence_is_the_graphs(message, sentence):
    assert graph_faults.sentence(message) == sentence


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (tf.errors.InvalidArgumentError, Kind.INVALID),
        (tf.errors.ResourceExhaustedError, Kind.BUSY),
        (tf.errors.UnimplementedError, Kind.UNIMPLEMENTED),
        (tf.errors.InternalError, Kind.INTERNAL),
        (tf.errors.NotFoundError, Kind.INTERNAL),  # an operation or a file: nothing of the request
    ],
)
def test_the_kind_is_that_of_the_error(error, kind):
    fault = graph_faults.fault_of(error(None, None, "so it is"), "rank")

    assert (fault.kind, fault.sentence) == (kind, "Signature 'rank': so it is.")
