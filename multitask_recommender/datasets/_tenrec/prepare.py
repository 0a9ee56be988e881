"""From a file of Tenrec to columns on disk, piece by piece; see `tenrec`. Imports pyarrow.

Memory is that of a few pieces and of the items, whatever the length of the file. Every so many
bytes the state is saved, from which broken-off work goes on.
"""

import collections
import contextlib
import dataclasses
import hashlib
import pathlib
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, BinaryIO

import numpy as np
from rich import progress
from rich.console import Console

from multitask_recommender.datasets._tenrec import faults, saved_state
from multitask_recommender.datasets._tenrec.column_files import Column
from multitask_recommender.datasets._tenrec.finish import NUMBER, VALUE, finish
from multitask_recommender.datasets._tenrec.items import Items
from multitask_recommender.datasets._tenrec.layouts import FIRST_CLICKS, Layout
from multitask_recommender.datasets._tenrec.rows import UNOBSERVED, Rows, differ, parse
from multitask_recommender.datasets._tenrec.saved_state import State
from multitask_recommender.errors import DataError
from multitask_recommender.schema import ITEM_ID, TIMESTAMP, USER_ID

PIECE_BYTES = 1 << 22  # larger ones leave the processor's caches, and are slower
SAVED_BYTES = 1 << 29  # of the file, from one saved state to the next
_LONGEST_LINE = 1 << 20  # bytes; what is longer is no line of Tenrec's
_WORKERS = 2  # that parse; all else keeps less than a core busy


@dataclasses.dataclass(frozen=True)
class File:
    """What is read, and how many rows of it (None: all)."""

    path: pathlib.Path
    layout: Layout
    max_rows: int | None


def prepare(file: File, folder: pathlib.Path) -> dict[str, Any]:
    """Fills a folder with columns, or goes on doing so; what the cache has to know of them.

    Raises DataError for the first faulty line, or where there are no rows.
    """
    with contextlib.ExitStack() as stack:
        stream, advance = stack.enter_context(file.path.open("rb")), stack.enter_context(_bar(file))
        work, checksum = _resumed(file, folder, stream, advance)
        stack.callback(work.close)
        parsers = stack.enter_context(ThreadPoolExecutor(_WORKERS))
        hasher = stack.enter_context(ThreadPoolExecutor(1))
        waiting: collections.deque = collections.deque()
        left = None if file.max_rows is None else file.max_rows - work.state.rows
        for lines in _pieces(stream, left):
            rows = parsers.submit(parse, lines, file.layout)
            waiting.append((rows, lines, hasher.submit(_updated, checksum, lines)))
            if len(waiting) > _WORKERS:
                work.add(*waiting.popleft())
            advance(len(lines))
        while waiting:
            work.add(*waiting.popleft())
        if not work.state.rows:
            raise DataError(
                f"{file.path} is empty: it has columns, but no rows. Download it again."
            )
        work.save()
    return finish(folder, file.layout, work.state, work.items)


def _resumed(
    file: File, folder: pathlib.Path, stream: BinaryIO, advance: Callable[[int], None]
) -> tuple["_Work", Any]:
    """The work as it was left, where the file still begins with what was read of it; else anew."""
    saved = saved_state.load(folder)
    if saved is not None:
        state, arrays = saved
        checksum = _md5(stream, state.offset, advance)
        if checksum.hexdigest() == state.md5:
            return _Work(file, folder, state, arrays), checksum
        stream.seek(0)
        advance(-state.offset)
    for path in folder.iterdir():
        path.unlink()
    state = State(offset=file.layout.num_bytes)
    return _Work(file, folder, state, {}), _md5(stream, state.offset, advance)


class _Work:
    """The columns, the items and the state, which rows are added to."""

    def __init__(
        self, file: File, folder: pathlib.Path, state: State, arrays: dict[str, np.ndarray]
    ) -> None:
        self.state = state
        self.items = Items(file.layout.of_items)
        if arrays:
            self.items.restore(arrays)
        self._file, self._folder = file, folder
        self._saved_at = state.offset
        self._last = {  # the values of the last user
            name: arrays[f"last {name}"] for name in _user_features(file.layout) if arrays
        }
        self._columns = {
            name: Column(folder / f"{name}.npy", dtype, width, state.columns.get(name))
            for name, (dtype, width) in _forms(file.layout).items()
        }

    def add(self, parsed: Future[Rows | None], lines: bytes, checksum: Future[str]) -> None:
        """The next piece; the checksum is of all that was read up to its end."""
        state, rows = self.state, parsed.result()
        if rows is None or (len(rows.user_ids) and rows.user_ids[0] < state.last_user):
            first = state.lines + 1
            faults.raise_first(self._file.path, lines, first, state.last_user, self._file.layout)
        if len(rows.user_ids):
            self._add_users(rows)
            self._add_rows(rows)
        state.lines += rows.num_lines
        state.offset += len(lines)
        state.md5 = checksum.result()
        if state.offset - self._saved_at >= SAVED_BYTES:
            self.save()

    def save(self) -> None:
        for column in self._columns.values():
            column.flush()
        self.state.columns = {name: column.proof for name, column in self._columns.items()}
        last = {f"last {name}": values for name, values in self._last.items()}
        saved_state.save(self._folder, self.state, {**self.items.state(), **last})
        self._saved_at = self.state.offset

    def close(self) -> None:
        with contextlib.ExitStack() as stack:  # all of them, even if one fails
            for column in self._columns.values():
                stack.callback(column.close)

    def _add_users(self, rows: Rows) -> None:
        """The first row of each user; and each row's dense id, as users come in order."""
        state = self.state
        users = rows.user_ids[rows.starts]  # [s]
        goes_on = int(users[0] == state.last_user)  # 1: the first is the last of before
        lengths = np.diff(np.append(rows.starts, len(rows.user_ids)))
        dense = np.arange(len(users), dtype=np.int32) + (state.users + 1 - goes_on)
        self._columns[USER_ID].append(np.repeat(dense, lengths))
        self._columns["users-raw_id"].append(users[goes_on:])
        for name, values in rows.of_users.items():
            new = values[goes_on:]
            if name == FIRST_CLICKS:
                self._columns[f"{NUMBER}{name}"].append(self.items.numbers(new))
            else:
                self._columns[f"{VALUE}{name}"].append(new)
            is_torn = goes_on and differ(values[0], self._last[name]).any()
            conflicts = [users[:1]] if is_torn else []
            self._count_conflicts(name, np.concatenate([*conflicts, rows.conflicts[name]]))
            self._last[name] = values[-1]
        state.users += len(users) - goes_on
        state.last_user = int(users[-1])

    def _count_conflicts(self, name: str, users: np.ndarray) -> None:
        count, last = self.state.conflicts.get(name, [0, 0])
        new = np.unique(users[users > last])
        if len(new):
            self.state.conflicts[name] = [count + len(new), int(new[-1])]

    def _add_rows(self, rows: Rows) -> None:
        state, columns = self.state, self._columns
        count = len(rows.item_ids)
        numbers = self.items.numbers(rows.item_ids)
        self.items.note(numbers, rows.of_items)
        columns[f"{NUMBER}{ITEM_ID}"].append(numbers)
        columns[TIMESTAMP].append(np.arange(state.rows, state.rows + count, dtype=np.int32))
        for name, values in rows.labels.items():
            columns[f"label-{name}"].append(values)
            nulls = int(np.count_nonzero(values == UNOBSERVED))
            state.unobserved[name] = state.unobserved.get(name, 0) + nulls
        for name, values in rows.of_rows.items():
            columns[f"context-{name}"].append(values)
            lost = rows.overflowed[name]
            state.overflowed[name] = state.overflowed.get(name, 0) + lost
        state.rows += count


def _user_features(layout: Layout) -> list[str]:
    return [*layout.of_users, *([FIRST_CLICKS] if layout.history else [])]


def _forms(layout: Layout) -> dict[str, tuple[type, int | None]]:
    """Type and width of each column that grows."""
    forms: dict[str, tuple[type, int | None]] = {
        USER_ID: (np.int32, None),
        f"{NUMBER}{ITEM_ID}": (np.int32, None),
        TIMESTAMP: (np.int32, None),
        "users-raw_id": (np.int64, None),
    }
    forms |= {f"label-{name}": (np.uint8, None) for name in layout.labels}
    forms |= {f"context-{name}": (np.float32, None) for name in layout.of_rows}
    forms |= {f"{VALUE}{name}": (np.float64, None) for name in layout.of_users}
    if layout.history:
        forms[f"{NUMBER}{FIRST_CLICKS}"] = (np.int32, len(layout.history))
    return forms


def _pieces(stream: BinaryIO, max_lines: int | None) -> Iterator[bytes]:
    """The rest of the file, cut after line breaks; the last piece may lack its own."""
    left = max_lines
    while left != 0 and (piece := stream.read(PIECE_BYTES)):
        piece += stream.readline(_LONGEST_LINE)
        if left is not None:
            piece = _first_lines(piece, left)
            left -= piece.count(b"\n")
        yield piece


def _first_lines(piece: bytes, count: int) -> bytes:
    if piece.count(b"\n") <= count:
        return piece
    ends = np.flatnonzero(np.frombuffer(piece, np.uint8) == ord("\n"))
    return piece[: ends[count - 1] + 1]


def md5(path: pathlib.Path, num_bytes: int) -> str:
    """Of the first bytes of a file."""
    with path.open("rb") as stream:
        return _md5(stream, num_bytes).hexdigest()


def _md5(
    stream: BinaryIO, num_bytes: int, advance: Callable[[int], None] = lambda num_bytes: None
) -> Any:
    """Of the next bytes."""
    md5, left = hashlib.md5(usedforsecurity=False), num_bytes
    while data := stream.read(min(left, PIECE_BYTES)):
        md5.update(data)
        left -= len(data)
        advance(len(data))
    return md5


def _updated(checksum: Any, lines: bytes) -> str:
    checksum.update(lines)
    return checksum.hexdigest()


@contextlib.contextmanager
def _bar(file: File) -> Iterator[Callable[[int], None]]:
    """A bar over the bytes of the file, gone when all is read."""
    columns = (
        progress.TextColumn("{task.description}"),
        progress.BarColumn(),
        progress.DownloadColumn(),
        progress.TransferSpeedColumn(),
        progress.TimeRemainingColumn(),
    )
    console = Console()
    with progress.Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task(f"Preparing {file.path.name}", total=file.path.stat().st_size)
        yield lambda num_bytes: bar.advance(task, num_bytes)
