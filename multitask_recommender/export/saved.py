"""A saved export, loaded: its signatures, with defaults for what a request leaves out."""

import pathlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

Arrays = dict[str, np.ndarray]
SCANN_OPERATIONS = b"Scann>"


class Saved:
    """signature, {input: values} -> {output: values}, by the SavedModel's graph alone."""

    def __init__(self, folder: pathlib.Path) -> None:
        proto = saved_model_pb2.SavedModel()
        content = (folder / "saved_model.pb").read_bytes()
        if SCANN_OPERATIONS in content:
            import scann  # noqa: F401  registers its operations
        proto.ParseFromString(content)
        self._defaults = {
            name: {key: tf.make_ndarray(value) for key, value in definition.defaults.items()}
            for name, definition in proto.meta_graphs[0].signature_def.items()
        }
        self._loaded = tf.saved_model.load(str(folder))
        self._kinds = {
            name: function.structured_input_signature[1]
            for name, function in self._loaded.signatures.items()
        }

    @property
    def module(self) -> Any:
        """What was saved, as far as TensorFlow knows it: variables and functions by their names."""
        return self._loaded

    @property
    def signatures(self) -> list[str]:
        return sorted(self._loaded.signatures)

    def inputs(self, signature: str) -> list[str]:
        """The names of its inputs."""
        return sorted(self._kinds[signature])

    def kind(self, signature: str, name: str) -> tf.DType:
        """The type of an input."""
        return self._kinds[signature][name].dtype

    def is_number(self, name: str) -> bool:
        """Whether the ids of an input of `recommend` are numbers; else they are text."""
        return self.kind("recommend", name) == tf.int64

    def __call__(self, signature: str, inputs: Mapping[str, object]) -> Arrays:
        given = self._defaults[signature] | dict(inputs)
        kinds = self._kinds[signature]
        tensors = {name: tf.constant(value, kinds[name].dtype) for name, value in given.items()}
        found = self._loaded.signatures[signature](**tensors)
        return {name: value.numpy() for name, value in found.items()}
