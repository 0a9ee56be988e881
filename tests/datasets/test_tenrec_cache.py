"""The prepared columns of a file of Tenrec: where they are, and when they are made anew."""

import errno
import fcntl
import itertools
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from multitask_recommender.datasets import tenrec
from multitask_recommender.datasets._tenrec import (
    arrow_files,
    cache,
    column_files,
    prepare,
    saved_state,
)
from multitask_recommender.errors import DataError

HEADER = "user_id,item_id,click,follow,like,share,video_category,watching_times,gender,age"


def rows_of(users, count=400):
    rng = np.random.default_rng(users)
    ids = np.sort(rng.integers(1, users + 1, count))
    return [
        f"{user},{rng.integers(1, 300)},{rng.integers(2)},0,0,0,1,{rng.integers(9)},{user % 3},1"
        for user in ids
    ]


def write(path, rows):
    path.write_text("\n".join([HEADER, *rows]) + "\n")


@pytest.fixture
def file(elsewhere, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(elsewhere / "home"))
    path = elsewhere / "data" / "QB-video.csv"
    path.parent.mkdir()
    write(path, rows_of(users=20))
    return path


@pytest.fixture
def prepared(monkeypatch):
    """Where a file was read, in turn, into which folder."""
    calls = []
    original = prepare.prepare

    def counted(file, folder):
        calls.append(folder)
        return original(file, folder)

    monkeypatch.setattr(prepare, "prepare", counted)
    return calls


@pytest.fixture
def parsed(monkeypatch):
    """The pieces that were read so far, of a file that is read and saved by a thousand bytes."""
    monkeypatch.setattr(prepare, "PIECE_BYTES", 1000)
    monkeypatch.setattr(prepare, "SAVED_BYTES", 1000)
    parse, pieces = prepare.parse, []

    def counted(lines, layout):
        pieces.append(lines)
        return parse(lines, layout)

    monkeypatch.setattr(prepare, "parse", counted)
    return pieces


def read(path, **settings):
    return tenrec.read(tenrec.Settings(scenario="qb_video", path=str(path), **settings))


def rows_in(found):
    raw_users, raw_items = found.users.raw_ids, found.items.raw_ids
    click, times = found.labels["click"], found.context["watching_times"].values
    columns = (raw_users[found.user_ids - 1], raw_items[found.item_ids - 1], click, times)
    return np.stack(columns, axis=1).tolist()


def expected(rows):
    fields = [row.split(",") for row in rows]
    return [[int(row[0]), int(row[1]), int(row[2]), int(row[7])] for row in fields]


def assert_read(path, rows=None):
    """Each row as it is in the file, which holds those of the fixture unless others are given."""
    found = read(path)
    assert rows_in(found) == expected(rows or rows_of(users=20))
    return found


def break_off(path, module, name, nth=1):
    """Reads the file until a function is called for the nth time."""
    original, calls = getattr(module, name), itertools.count(1)

    def interrupted(*arguments):
        if next(calls) == nth:
            raise KeyboardInterrupt
        return original(*arguments)

    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(module, name, interrupted)
        read(path)


def beside(path):
    return path.parent / ".multitask_recommender" / "QB-video.qb_video"


def test_a_second_start_uses_what_the_first_has_made(file, prepared):
    first, second = assert_read(file), assert_read(file)

    assert len(prepared) == 1
    assert first.source == second.source
    assert [path.name for path in beside(file).parent.iterdir()] == ["QB-video.qb_video"]


def test_the_checksum_is_that_of_the_file(file):
    import hashlib

    assert read(file).source.files == {str(file): hashlib.md5(file.read_bytes()).hexdigest()}


def test_the_cache_is_where_it_is_asked_for(file, elsewhere):
    read(file, cache=str(elsewhere / "here"))

    (folder,) = (elsewhere / "here").iterdir()
    assert folder.name.startswith("QB-video.qb_video-")
    assert not beside(file).exists()


def test_the_first_rows_have_a_cache_of_their_own(file, prepared):
    assert (len(read(file)), len(read(file, max_rows=7)), len(read(file))) == (400, 7, 400)
    assert len(prepared) == 2


def with_another_last_click(rows):
    user, item, click, rest = rows[-1].split(",", 3)
    return [*rows[:-1], f"{user},{item},{1 - int(click)},{rest}"]


@pytest.mark.parametrize(
    "other",
    [rows_of(users=30), with_another_last_click(rows_of(users=20))],
    ids=["another file", "of the same size"],
)
def test_what_is_put_in_its_place_is_read(file, prepared, other):
    before = read(file)
    write(file, other)

    assert_read(file, other)
    assert len(prepared) == 2
    assert rows_in(before) == expected(rows_of(users=20))  # columns outlive their cache


def test_a_file_touched_but_the_same_is_not_read_again(file, prepared, monkeypatch):
    read(file)
    os.utime(file, ns=(1, 1))
    read(file)
    monkeypatch.setattr(prepare, "md5", lambda *arguments: pytest.fail("known by now"))
    read(file)

    assert len(prepared) == 1


def cut(path):
    with path.open("r+b") as column:
        column.truncate(path.stat().st_size - 4)


def flip(path):
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def retype(path):
    about = json.loads(path.read_text())
    about["columns"]["item_id"]["form"][0] = "<f4"
    path.write_text(json.dumps(about))


def older(path):
    about = json.loads(path.read_text())
    path.write_text(json.dumps({**about, "reader": 0}))


@pytest.mark.parametrize(
    ("name", "harm", "said"),
    [
        ("user_id.arrow", cut, r"user_id.arrow has \d,\d+ bytes, not those that were written"),
        ("label-click.arrow", flip, "label-click.arrow is not what was written"),
        ("about.json", retype, r"it is damaged \(ValueError: item_id is <i4 \(400,\)\)"),
        ("items-raw_id.arrow", os.remove, r"it is damaged \(FileNotFoundError"),
        ("about.json", older, "it is of version 0 of the reader, this is"),
        ("about.json", cut, "it is of version None of the reader, this is"),
    ],
)
def test_what_cannot_be_trusted_is_made_anew(file, prepared, capsys, name, harm, said):
    read(file)
    harm(beside(file) / name)
    capsys.readouterr()

    assert_read(file)
    assert len(prepared) == 2
    assert re.search(f"is made anew: {said}", capsys.readouterr().out)


def test_a_cache_copied_with_its_file_is_used(file, prepared, elsewhere):
    """Copies have times of their own; their content is what it was."""
    read(file)
    shutil.copytree(file.parent, elsewhere / "copy", copy_function=shutil.copyfile)

    assert_read(elsewhere / "copy" / file.name)
    assert len(prepared) == 1


@pytest.mark.parametrize("harm", [None, cut, flip])
def test_broken_off_work_goes_on(file, monkeypatch, parsed, harm):
    """Except where what it left is not whole."""
    monkeypatch.setattr(prepare, "SAVED_BYTES", 3000)
    break_off(file, prepare, "parse", nth=8)
    partial = beside(file).with_name("QB-video.qb_video.partial")
    if harm is not None:
        column = partial / "user_id.npy"
        saved = json.loads(str(np.load(partial / "state.npz")["counts"]))["columns"]["user_id"]
        os.truncate(column, 128 + saved["bytes"])  # a header, and what was saved
        harm(column)
    parsed.clear()

    found = assert_read(file)

    pieces = -(-file.stat().st_size // 1000)
    assert len(parsed) < pieces - 2 if harm is None else len(parsed) >= pieces - 1
    assert not partial.exists()
    assert found.users.features["gender"].values[1:].tolist() == [
        code for user in found.users.raw_ids for code in [user % 3]
    ]


@pytest.mark.parametrize("nth", [1, 5, 12])
def test_work_broken_off_at_its_very_end_goes_on(file, parsed, nth):
    """When columns are turned into files of Arrow, of which some are there already."""
    break_off(file, arrow_files, "write", nth)
    parsed.clear()

    assert_read(file)

    assert not parsed
    assert {path.suffix for path in beside(file).iterdir()} == {".arrow", ".json"}


@pytest.mark.parametrize("is_same", [True, False])
def test_work_of_another_version_is_not_gone_on_with(file, monkeypatch, parsed, is_same):
    break_off(file, prepare, "finish")
    if not is_same:
        monkeypatch.setattr(saved_state, "READER", saved_state.READER + 1)
    parsed.clear()

    assert_read(file)

    assert (not parsed) == is_same  # all was read


def test_work_on_another_file_is_not_gone_on_with(file, parsed):
    break_off(file, prepare, "finish")
    write(file, rows_of(users=30))

    assert_read(file, rows_of(users=30))


READ = """
import sys
from multitask_recommender.datasets import tenrec
from multitask_recommender.datasets._tenrec import prepare
prepare.PIECE_BYTES = prepare.SAVED_BYTES = 2000
found = tenrec.read(tenrec.Settings(scenario="qb_video", path=sys.argv[1]))
print("rows", len(found), int(found.user_ids.sum()), int(found.item_ids.sum()))
"""


def start(file):
    root = pathlib.Path(tenrec.__file__).parents[2]
    return subprocess.Popen(
        [sys.executable, "-c", READ, str(file)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(root)},
    )


def test_processes_that_prepare_at_once_do_not_disturb_each_other(file):
    write(file, rows_of(users=500, count=20_000))

    outputs = [process.communicate()[0] for process in [start(file) for _ in range(3)]]

    assert sum("Prepared 20,000 rows" in output for output in outputs) == 1
    assert len({output.strip().splitlines()[-1] for output in outputs}) == 1
    assert outputs[0].strip().splitlines()[-1].startswith("rows 20000 ")
    assert [path.name for path in beside(file).parent.iterdir()] == ["QB-video.qb_video"]


def test_a_killed_process_holds_nobody_up_and_its_work_goes_on(file):
    write(file, rows_of(users=500, count=100_000))
    process = start(file)
    state = beside(file).with_name("QB-video.qb_video.partial") / "state.npz"
    while not state.exists() and process.poll() is None:
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert state.exists()

    assert_read(file, rows_of(users=500, count=100_000))
    assert [path.name for path in beside(file).parent.iterdir()] == ["QB-video.qb_video"]


def test_who_waits_for_another_process_says_so(file, capsys):
    folder = beside(file).parent
    folder.mkdir()
    lock = (folder / "QB-video.qb_video.lock").open("w")
    fcntl.flock(lock, fcntl.LOCK_EX)
    threading.Timer(0.3, lock.close).start()

    assert len(read(file)) == 400
    output = capsys.readouterr().out
    assert "Another process is preparing" in output
    assert "waiting for it" in output


@pytest.mark.parametrize(
    ("files", "method"),
    [(column_files.Column, "append"), (arrow_files._Proved, "write")],
    ids=["while the file is read", "while files of Arrow are written"],
)
def test_a_full_disk_beside_the_file_is_said_and_another_place_used(
    file, monkeypatch, capsys, files, method
):
    original = getattr(files, method)

    def elsewhere_only(column, values):
        if ".multitask_recommender" in str(column._file.name):
            raise OSError(errno.ENOSPC, "No space left on device")
        return original(column, values)

    monkeypatch.setattr(files, method, elsewhere_only)

    assert len(read(file)) == 400
    output = capsys.readouterr().out
    assert "Nothing can be prepared in" in output
    assert "No space left on device" in output
    assert "home/multitask_recommender" in output
    assert not beside(file).parent.exists()
    assert len(read(file)) == 400


def test_where_no_place_has_room_the_places_and_the_remedy_are_named(file, monkeypatch, elsewhere):
    usage = shutil.disk_usage(elsewhere)._replace(free=10)
    monkeypatch.setattr(cache.shutil, "disk_usage", lambda folder: usage)

    with pytest.raises(DataError, match="cannot be kept in .*too little room.* nor in .*home"):
        read(file)
    with pytest.raises(DataError, match="name a folder with room for them in dataset.cache"):
        read(file, cache=str(elsewhere / "mine"))
    assert [path.name for path in elsewhere.rglob("*") if path.is_file()] == ["QB-video.csv"]


def test_a_cache_that_is_a_file_is_refused(file):
    with pytest.raises(DataError, match="cannot be kept in .*QB-video.csv .*exists"):
        read(file, cache=str(file))


def test_a_cache_that_can_only_be_read_is_used(file, prepared, monkeypatch):
    read(file)
    os_open = os.open

    def read_only(path, flags, *more):
        if flags & os.O_CREAT:
            raise OSError(errno.EROFS, "Read-only file system")
        return os_open(path, flags, *more)

    monkeypatch.setattr(cache.os, "open", read_only)

    assert len(read(file)) == 400
    assert len(prepared) == 1


def test_a_file_that_changes_while_it_is_read_is_refused(file, monkeypatch):
    def touched(lines, layout, parse=prepare.parse):
        os.utime(file, ns=(1, 1))
        return parse(lines, layout)

    monkeypatch.setattr(prepare, "parse", touched)

    with pytest.raises(DataError, match="QB-video.csv changed while it was read"):
        read(file)
    assert not beside(file).parent.exists()
