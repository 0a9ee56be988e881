"""Long columns, worked on in blocks: here of four rows."""

import mmap
import pathlib

import numpy as np
import pytest

from multitask_recommender import columns

IDS = np.array([3, 1, 3, 0, 2, 3, 5, 1, 1, 4], np.int32)  # three blocks of 4, 4 and 2


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(columns, "_BLOCK", 4)


def test_rows_are_taken_by_mask_by_position_and_by_slice():
    values, mask = np.arange(20.0).reshape(10, 2), IDS % 2 == 1

    np.testing.assert_array_equal(columns.take(values, mask), values[mask])
    np.testing.assert_array_equal(columns.take(values, np.array([9, 0, 9])), values[[9, 0, 9]])
    np.testing.assert_array_equal(columns.take(values, np.array([-1])), values[[-1]])
    with pytest.raises(IndexError, match="index 10 is out of bounds"):
        columns.take(values, np.array([2, 10]))
    with pytest.raises(IndexError, match="A mask of 11 rows was given for a column of 10"):
        columns.take(values, np.ones(11, bool))
    assert columns.take(values, slice(2, 5)).base is not None
    assert columns.take(IDS, np.zeros(10, bool)).shape == (0,)


def test_what_is_joined_is_handed_to_tensorflow_without_a_copy():
    parts = np.arange(7, dtype=np.int32), np.arange(3, dtype=np.int32)

    joined = columns.joined(parts)

    np.testing.assert_array_equal(joined, [0, 1, 2, 3, 4, 5, 6, 0, 1, 2])
    assert joined.dtype == np.int32
    tensor = columns.tensor(joined)
    joined[0] = 9
    assert tensor[0] == 9
    assert columns.joined([np.ones((2, 3), bool), np.zeros((1, 3), bool)]).shape == (3, 3)


def test_ids_are_counted_and_those_beyond_are_not():
    assert columns.count(IDS, 4).tolist() == [1, 3, 1, 3]
    assert columns.count(IDS, 7, chosen=IDS != 1).tolist() == [1, 0, 1, 3, 1, 1, 0]
    assert columns.count(IDS[:0], 2).tolist() == [0, 0]


def test_values_are_summed_by_id_in_the_order_of_the_rows():
    """By hand where numbers are round, and in the order of bincount where they are not."""
    assert columns.sums(IDS, np.arange(10), 6).tolist() == [3, 1 + 7 + 8, 4, 0 + 2 + 5, 9, 6]
    assert columns.sums(IDS, np.arange(10), 6, chosen=IDS != 1).tolist() == [3, 0, 4, 7, 9, 6]
    values = np.random.default_rng(1).normal(size=10).astype(np.float32)
    expected = np.bincount(IDS, values.astype(np.float64))
    np.testing.assert_array_equal(columns.sums(IDS, values, 6), expected)


def test_what_is_taken_of_a_mapped_file_counts_as_memory_no_more(tmp_path, monkeypatch):
    """Of 8 MiB that were read, the system may keep what it reads ahead."""
    monkeypatch.setattr(columns, "_BLOCK", 1 << 20)
    path = tmp_path / "column"
    path.write_bytes(np.arange(1 << 21, dtype=np.int32).tobytes())
    with path.open("rb") as file:
        pages = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    column = np.frombuffer(pages, np.int32)
    before = _resident_kilobytes(path) if column.sum() else 0

    taken = columns.take(column, np.arange(len(column)) % 1024 == 5)

    assert taken.tolist() == list(range(5, 1 << 21, 1024))
    assert before > 8000 and _resident_kilobytes(path) < 2000
    assert column[-1] == (1 << 21) - 1  # and can be read again


def _resident_kilobytes(path):
    lines = iter(pathlib.Path("/proc/self/smaps").read_text().splitlines())
    of_file = next(line for line in lines if line.endswith(str(path))) and lines
    return next(int(line.split()[1]) for line in of_file if line.startswith("Rss:"))


def test_ids_of_chosen_rows_are_marked():
    chosen = np.array([1, 0, 0, 0, 1, 0, 0, 0, 0, 1], bool)

    assert columns.mark(IDS, 7, chosen).tolist() == [False, False, True, True, True, False, False]


def test_tables_are_looked_up():
    table = np.array([10, 11, 12, 13, 14, 15], np.int16)

    assert columns.look_up(table, IDS).tolist() == (IDS + 10).tolist()
    assert columns.look_up(table, IDS).dtype == np.int16
    ids = IDS.copy()
    assert columns.look_up(table, ids, out=ids) is ids
    assert ids.tolist() == (IDS + 10).tolist()


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        ([1, 1, 2, 2, 2, 2, 2, 3, 3, 4], [(0, 2), (2, 7), (7, 9), (9, 10)]),
        ([1, 1, 1, 1, 1, 1], [(0, 6)]),
        ([1, 2, 3, 4, 5, 4], [(0, 6)]),  # they do not ascend
        ([7], [(0, 1)]),
    ],
)
def test_runs_never_part_an_id(ids, expected):
    found = columns.runs(np.array(ids, np.int32))

    assert [(each.start, each.stop) for each in found] == expected


class TestTensor:
    def test_is_the_memory_of_an_aligned_array(self):
        array = columns.take(IDS, IDS > 0)
        found = columns.tensor(array)

        assert array.ctypes.data % 64 == 0
        array[0] = 77
        assert found.numpy().tolist() == array.tolist()

    def test_copies_what_tensorflow_cannot_take_over(self):
        whole = columns.empty((11,), np.int32)
        whole[:] = np.arange(11)
        locked = columns.take(IDS, IDS > 0)
        locked.flags.writeable = False
        for array in (whole[1:], whole[::2], locked, whole[:0], whole > 3):
            np.testing.assert_array_equal(columns.tensor(array).numpy(), array)

    def test_keeps_the_memory_after_the_array(self):
        found = columns.tensor(columns.take(IDS, np.arange(10)))
        for _ in range(3):
            columns.empty((10,), np.int32)[:] = -1

        assert found.numpy().tolist() == IDS.tolist()
