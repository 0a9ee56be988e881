"""Work on columns of hundreds of millions of rows, a block at a time: memory is that of a block.

numpy makes an index of eight bytes a row of every mask and of every 32-bit id that it looks up or
counts, which takes more memory than the columns themselves.
"""

import itertools
import math
import mmap
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import tensorflow as tf

_BLOCK = 1 << 22  # rows
_ALIGNMENT = 64  # bytes, of what TensorFlow takes over as it is


def blocks(num_rows: int) -> Iterator[slice]:
    """All rows, in order."""
    starts = range(0, num_rows, _BLOCK)
    return (slice(start, min(start + _BLOCK, num_rows)) for start in starts)


def empty(shape: tuple[int, ...], dtype: np.dtype | type) -> np.ndarray:
    """An array to be filled, which `tensor` can hand to TensorFlow without a copy."""
    size = math.prod(shape) * np.dtype(dtype).itemsize
    buffer = np.empty(size + _ALIGNMENT, np.uint8)
    start = -buffer.ctypes.data % _ALIGNMENT
    return buffer[start : start + size].view(dtype).reshape(shape)


def tensor(array: np.ndarray) -> "tf.Tensor":
    """The array as a tensor: the same memory, which must not be written to from here on.

    A copy where it is not as `empty` makes arrays: no number, not aligned, read-only or with gaps.
    """
    import tensorflow as tf

    is_aligned = array.ctypes.data % _ALIGNMENT == 0 and array.flags.c_contiguous
    if not is_aligned or not array.flags.writeable or not array.size or array.dtype == bool:
        return tf.constant(array)
    return tf.experimental.dlpack.from_dlpack(array.__dlpack__())


def take(column: np.ndarray, rows: np.ndarray | slice) -> np.ndarray:
    """column[rows]: of positions or of a mask, as `empty` makes arrays; of a slice, a view."""
    if isinstance(rows, slice):
        return column[rows]
    rows = np.asarray(rows)
    is_mask = rows.dtype == bool
    if is_mask and len(rows) != len(column):
        raise IndexError(f"A mask of {len(rows)} rows was given for a column of {len(column)}.")
    number = int(np.count_nonzero(rows)) if is_mask else len(rows)
    taken = empty((number, *column.shape[1:]), column.dtype)
    end = 0
    for block in blocks(len(rows) if number else 0):
        if is_mask:
            places = np.flatnonzero(rows[block])
            # All of them are there: "raise", which asks, would fill a buffer first.
            np.take(column[block], places, axis=0, out=taken[end : end + len(places)], mode="clip")
            end += len(places)
            _unload(column[block])
        else:
            taken[block] = column[rows[block]]
    return taken


def joined(parts: Sequence[np.ndarray]) -> np.ndarray:
    """One after the other, as `empty` makes arrays."""
    shape = (sum(map(len, parts)), *parts[0].shape[1:])
    return np.concatenate(parts, out=empty(shape, np.result_type(*parts)))


def _unload(values: np.ndarray) -> None:
    """Of a mapped file: counts as memory no more, until it is read again. Else nothing."""
    owner = values.base
    while isinstance(owner, np.ndarray):
        owner = owner.base
    file = owner.obj if isinstance(owner, memoryview) else None
    if isinstance(file, mmap.mmap) and values.size:
        start = values.ctypes.data - np.frombuffer(file, np.uint8).ctypes.data
        start -= start % mmap.PAGESIZE
        file.madvise(mmap.MADV_DONTNEED, start, values.nbytes)


def count(ids: np.ndarray, num_ids: int, chosen: np.ndarray | None = None) -> np.ndarray:
    """How often each of 0..num_ids - 1 occurs, int64 [num_ids]; larger ids do not count.

    `chosen` is a mask of the rows that do.
    """
    totals = np.zeros(num_ids, np.int64)
    for block in blocks(len(ids)):
        part = ids[block] if chosen is None else ids[block][chosen[block]]
        totals += np.bincount(part, minlength=num_ids)[:num_ids]
    return totals


def sums(
    ids: np.ndarray, values: np.ndarray, num_ids: int, chosen: np.ndarray | None = None
) -> np.ndarray:
    """The sums of the values [N] of each of 0..num_ids - 1, float64 [num_ids], in their order.

    `chosen` as in `count`; no id is larger.
    """
    totals = np.zeros(num_ids)
    for block in blocks(len(ids)):
        rows = slice(None) if chosen is None else chosen[block]
        np.add.at(totals, ids[block][rows], values[block][rows].astype(np.float64))
    return totals


def mark(ids: np.ndarray, num_ids: int, chosen: np.ndarray) -> np.ndarray:
    """A mask [num_ids] of the ids that occur in the chosen rows, a mask of them."""
    marks = np.zeros(num_ids, bool)
    for block in blocks(len(ids)):
        marks[ids[block][chosen[block]]] = True
    return marks


def look_up(table: np.ndarray, ids: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """table[ids], as `empty` makes arrays or in `out`, which may be the ids themselves."""
    found = empty((len(ids), *table.shape[1:]), table.dtype) if out is None else out
    for block in blocks(len(ids)):
        found[block] = table[ids[block]]
    return found


def runs(ids: np.ndarray) -> list[slice]:
    """Blocks of all rows that no id is on both sides of; one block, where ids do not ascend."""
    bounds = [0]
    for block in blocks(len(ids) - 1):
        before, after = ids[block], ids[block.start + 1 : block.stop + 1]
        if (after < before).any():
            return [slice(0, len(ids))]
        changes = np.flatnonzero(after != before)
        if len(changes):
            bounds.append(block.start + int(changes[-1]) + 1)
    bounds.append(len(ids))
    return [slice(*each) for each in itertools.pairwise(bounds)]
