"""The prepared columns of Tenrec: Arrow IPC files, each with one column in one record batch.

Nothing is compressed, so that a column is one array in the file as it is in memory: numpy maps it,
and any reader of Arrow opens it. Imports pyarrow.
"""

import io
import mmap
import pathlib
import zlib

import numpy as np
import pyarrow as pa

from multitask_recommender.datasets._tenrec import column_files
from multitask_recommender.datasets._tenrec.column_files import Proof

_PIECE_BYTES = 1 << 20  # written while the processor still holds what was checksummed


class _Proved(io.RawIOBase):
    """A file to write, which knows the checksum of its bytes."""

    def __init__(self, path: pathlib.Path) -> None:
        self._file = path.open("wb")
        self._crc = 0

    @property
    def proof(self) -> Proof:
        return {"bytes": self.tell(), "crc32": self._crc}

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._file.tell()

    def write(self, data: bytes | pa.Buffer) -> int:
        view = memoryview(data).cast("B")
        for first in range(0, len(view), _PIECE_BYTES):
            piece = view[first : first + _PIECE_BYTES]
            self._crc = zlib.crc32(piece, self._crc)
            self._file.write(piece)
        return len(view)

    def close(self) -> None:
        self._file.close()
        super().close()


def write(path: pathlib.Path, values: np.ndarray) -> Proof:
    """Values [n] or, as lists of a fixed size, [n, M]; the proof is of the whole file.

    Values that are mapped pass through: memory holds what the system likes to keep of them.
    """
    array = pa.array(values.reshape(-1))  # numpy's own memory
    if values.ndim > 1:
        array = pa.FixedSizeListArray.from_arrays(array, values.shape[1])
    batch = pa.record_batch([array], names=[path.stem])
    with _Proved(path) as file:
        with pa.ipc.new_file(file, batch.schema) as writer:
            writer.write_batch(batch)
        return file.proof


def mapped(path: pathlib.Path) -> np.ndarray:
    """The column, read-only, of which only what is used is read from the disk.

    Its memory is that of a `mmap`, as whoever takes rows from it may want to know (columns.py).
    """
    with path.open("rb") as file:
        pages = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    whole = pa.py_buffer(pages)
    column = pa.ipc.open_file(whole).get_batch(0).column(0)
    is_list = pa.types.is_fixed_size_list(column.type)
    numbers = column.values if is_list else column
    kind, first = numbers.type.to_pandas_dtype(), numbers.buffers()[1].address - whole.address
    values = np.frombuffer(pages, kind, len(numbers), first) if len(numbers) else np.empty(0, kind)
    return values.reshape(-1, column.type.list_size) if is_list else values


def holds(path: pathlib.Path, proof: Proof) -> bool:
    """Whether a file is what the proof is of, supposing that it is of the same size."""
    return column_files.holds(path, proof, first=0)
