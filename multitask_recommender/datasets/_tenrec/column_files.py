"""Columns on disk for the cache of Tenrec: `.npy` files that grow, and what proves them whole.

Each is one contiguous array, which numpy maps into memory as it is.
"""

import math
import pathlib
import zlib
from collections.abc import Iterator, Mapping

import numpy as np

Proof = Mapping[str, int]  # the `bytes` of the values in a file, and their `crc32`

_HEADER_BYTES = 128  # numpy leaves room in it for any number of rows
_PIECE_BYTES = 1 << 24


class Column:
    """A `.npy` file that is appended to; `close` makes it one that numpy opens.

    With a proof, the file is gone on with, after what the proof is of.
    """

    def __init__(
        self, path: pathlib.Path, dtype: type, width: int | None = None, proof: Proof | None = None
    ) -> None:
        self._dtype, self._shape = np.dtype(dtype), () if width is None else (width,)
        self._bytes = proof["bytes"] if proof else 0
        self._crc = proof["crc32"] if proof else 0
        self._file = path.open("r+b" if proof else "wb")
        if not proof:
            self._write_header()
        self._file.seek(_HEADER_BYTES + self._bytes)
        self._file.truncate()

    @property
    def proof(self) -> dict[str, int]:
        return {"bytes": self._bytes, "crc32": self._crc}

    def append(self, values: np.ndarray) -> None:
        """Adds values [n] or [n, width]."""
        data = np.ascontiguousarray(values, self._dtype).reshape(-1).view(np.uint8)
        self._file.write(data)
        self._crc = zlib.crc32(data, self._crc)
        self._bytes += len(data)

    def flush(self) -> None:
        self._file.flush()

    def close(self) -> None:
        with self._file:
            self._file.seek(0)
            self._write_header()

    def _write_header(self) -> None:
        row_bytes = self._dtype.itemsize * math.prod(self._shape)
        form = {
            "descr": np.lib.format.dtype_to_descr(self._dtype),
            "fortran_order": False,
            "shape": (self._bytes // row_bytes, *self._shape),
        }
        np.lib.format.write_array_header_1_0(self._file, form)


def write(path: pathlib.Path, values: np.ndarray) -> dict[str, int]:
    """A whole column at once; its proof."""
    column = Column(path, values.dtype, values.shape[1] if values.ndim > 1 else None)
    column.append(values)
    column.close()
    return column.proof


def mapped(path: pathlib.Path) -> np.ndarray:
    """The column, read-only, of which only what is used is read from the disk."""
    return np.load(path, mmap_mode="r").view(np.ndarray)


def pieces(path: pathlib.Path) -> Iterator[np.ndarray]:
    """The rows of a finished column, some at a time."""
    with path.open("rb") as file:
        np.lib.format.read_magic(file)
        shape, _, dtype = np.lib.format.read_array_header_1_0(file)
        width = math.prod(shape[1:])
        count = max(1, _PIECE_BYTES // (dtype.itemsize * width)) * width
        while len(values := np.fromfile(file, dtype, count)):
            yield values.reshape(-1, *shape[1:])


def holds(path: pathlib.Path, proof: Proof) -> bool:
    """Whether a file begins with what the proof is of."""
    if not path.is_file():
        return False
    left, crc = proof["bytes"], 0
    with path.open("rb") as file:
        file.seek(_HEADER_BYTES)
        while data := file.read(min(left, _PIECE_BYTES)):
            crc = zlib.crc32(data, crc)
            left -= len(data)
    return left == 0 and crc == proof["crc32"]


def size(proof: Proof) -> int:
    """Of the whole file, in bytes."""
    return _HEADER_BYTES + proof["bytes"]
