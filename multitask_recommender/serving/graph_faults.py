"""What a graph says when it refuses its inputs, without what TensorFlow says around it."""

import re

import tensorflow as tf

from multitask_recommender.serving.faults import Fault, Kind

_KINDS = {
    tf.errors.INVALID_ARGUMENT: Kind.INVALID,
    tf.errors.OUT_OF_RANGE: Kind.INVALID,
    tf.errors.FAILED_PRECONDITION: Kind.INVALID,
    tf.errors.RESOURCE_EXHAUSTED: Kind.BUSY,
    tf.errors.UNAVAILABLE: Kind.UNAVAILABLE,
    tf.errors.DEADLINE_EXCEEDED: Kind.DEADLINE,
    tf.errors.UNIMPLEMENTED: Kind.UNIMPLEMENTED,
}
# What stands before the sentence, and the node that said it behind.
_TRACES = "<stack traces unavailable>\n"
_NODE = re.compile(r"\s*\[\[\{\{.*", re.DOTALL)
_FIRST_OF_SEVERAL = re.compile(r"\(0\) \w+:\s*(.*?)(?=\n\s*\(1\)|\Z)", re.DOTALL)
_ASSERTION = re.compile(r"(?:assertion failed: )?\[.*\]", re.DOTALL)
_PART = re.compile(r"\[((?:\[.*?\]|.)*?)\]", re.DOTALL)  # of it; values of rows are in brackets


def fault_of(error: tf.errors.OpError, signature: str) -> Fault:
    """The fault that an error of TensorFlow's is to who sent the request."""
    kind = _KINDS.get(error.error_code, Kind.INTERNAL)
    return Fault(kind, f"Signature {signature!r}: {sentence(error.message)}")


def sentence(message: str) -> str:
    """The part of a message that a graph's author wrote."""
    text = message.rpartition(_TRACES)[2]
    if several := _FIRST_OF_SEVERAL.search(text):
        text = several[1]
    text = _NODE.sub("", text).strip()
    if _ASSERTION.fullmatch(text):  # tf.debugging: each part of its message in brackets
        text = " ".join(_PART.findall(text))
    text = re.sub(r"\.\.+(?=\s|$)", ".", " ".join(text.split()))
    return text if text.endswith((".", "!")) else f"{text}."
