"""What a signature asks of its inputs: the checks that stand before the graph.

B is the batch. An input is an array of B rows, or of one row that holds for all of them; what is
left out is filled in from the signature's defaults.
"""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
import tensorflow as tf
from tensorflow.core.framework.tensor_shape_pb2 import TensorShapeProto
from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef

from multitask_recommender.errors import suggestion
from multitask_recommender.serving.faults import Fault, invalid, shown
from multitask_recommender.serving.options import Limits

Arrays = dict[str, np.ndarray]
Shape = tuple[int | None, ...]

METHOD = tf.saved_model.PREDICT_METHOD_NAME
_K = "k"


@dataclasses.dataclass(frozen=True)
class Input:
    """One input: `place` names it in errors; strings are bytes, in arrays of objects."""

    place: str
    dtype: tf.DType
    shape: Shape | None  # None within it: any size; instead of it: any rank
    default: np.ndarray | None

    def check(self, shape: Sequence[int], limits: Limits) -> None:
        """Raises Fault for a shape that the graph would refuse, or that is beyond the limits."""
        expected = self.shape if self.shape is not None else (None,) * len(shape)
        fits = len(shape) == len(expected) and all(
            wanted in (None, found) for wanted, found in zip(expected, shape, strict=True)
        )
        if not fits:
            raise invalid(
                f"{self.place}: expected the shape {_shown(expected)}, found {_shown(shape)}."
            )
        if shape and shape[0] == 0:
            raise invalid(f"{self.place}: the batch is empty, expected at least one row.")
        if shape and shape[0] > limits.batch:
            raise invalid(
                f"{self.place}: found {shape[0]:,} rows, expected at most {limits.batch:,} "
                "(--max-batch)."
            )
        if max(shape[1:], default=0) > limits.ids:
            raise invalid(
                f"{self.place}: found {max(shape[1:]):,} values in a row, expected at most "
                f"{limits.ids:,} (--max-ids)."
            )


@dataclasses.dataclass(frozen=True)
class Signature:
    """A named function of a version: what goes in, and the names of what comes out."""

    name: str
    inputs: Mapping[str, Input]
    outputs: tuple[str, ...]
    limits: Limits

    def input(self, name: str) -> Input:
        if name not in self.inputs:
            raise invalid(
                f"Signature {self.name!r} has no input {shown(name)}."
                f"{suggestion(name, self.inputs)} Its inputs: {', '.join(self.inputs)}."
            )
        return self.inputs[name]

    def check_outputs(self, asked: Sequence[str]) -> None:
        for name in asked:
            if name not in self.outputs:
                raise invalid(
                    f"Signature {self.name!r} has no output {shown(name)}."
                    f"{suggestion(name, self.outputs)} Its outputs: {', '.join(self.outputs)}."
                )

    def complete(self, given: Arrays) -> Arrays:
        """All inputs, each with the batch's size: those given, checked, and defaults."""
        absent = self.inputs.keys() - given.keys()
        missing = sorted(name for name in absent if self.inputs[name].default is None)
        if missing:
            raise invalid(
                f"Signature {self.name!r} needs {', '.join(missing)}: not given, and without a "
                f"default. Given: {', '.join(sorted(given)) or 'nothing'}."
            )
        for name, array in given.items():
            self.inputs[name].check(array.shape, self.limits)
        self._check_k(given.get(_K))
        arrays = {name: self.inputs[name].default for name in absent} | given
        batch = self._batch(given)
        return {name: _repeated(arrays[name], batch) for name in self.inputs}

    def _check_k(self, k: np.ndarray | None) -> None:
        if k is not None and k.dtype.kind in "iu" and k.size and k.max() > self.limits.k:
            raise invalid(
                f"{self.inputs[_K].place}: found {k.max():,}, expected at most {self.limits.k:,} "
                "(--max-k)."
            )

    def _batch(self, given: Arrays) -> int:
        """How many rows the given inputs have; one row goes with any number."""
        rows = {name: len(array) for name, array in given.items() if array.ndim}
        sizes = set(rows.values()) - {1}
        if len(sizes) > 1:
            told = ", ".join(f"{name} {size:,}" for name, size in sorted(rows.items()))
            raise invalid(
                f"Signature {self.name!r}: the inputs differ in their number of rows: {told}. "
                "Expected one number, or 1 for what holds for all rows."
            )
        return sizes.pop() if sizes else 1


def read(name: str, definition: SignatureDef, limits: Limits) -> Signature:
    """The signature of a SignatureDef."""
    inputs = {
        key: Input(
            place=f"Input {key!r} of signature {name!r}",
            dtype=tf.dtypes.as_dtype(info.dtype),
            shape=_shape(info.tensor_shape),
            default=_default(definition, key),
        )
        for key, info in sorted(definition.inputs.items())
    }
    return Signature(name, inputs, tuple(sorted(definition.outputs)), limits)


def unknown(name: str, known: Sequence[str]) -> Fault:
    """The fault of a signature that there is none of."""
    hint = suggestion(name, known)
    return invalid(f"There is no signature {shown(name)}.{hint} There are: {', '.join(known)}.")


def _shape(proto: TensorShapeProto) -> Shape | None:
    if proto.unknown_rank:
        return None
    return tuple(None if dim.size < 0 else dim.size for dim in proto.dim)


def _default(definition: SignatureDef, key: str) -> np.ndarray | None:
    return tf.make_ndarray(definition.defaults[key]) if key in definition.defaults else None


def _repeated(array: np.ndarray, batch: int) -> np.ndarray:
    """One row as a batch of them."""
    is_row = array.ndim and len(array) == 1 and batch > 1
    return np.repeat(array, batch, axis=0) if is_row else array


def _shown(shape: Sequence[int | None]) -> str:
    return f"[{', '.join('any' if size is None else f'{size:,}' for size in shape)}]"
