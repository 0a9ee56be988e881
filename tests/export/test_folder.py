"""Versions under a base path: whole or absent, whatever happens to who writes them."""

import os
import signal
import subprocess
import sys
import textwrap

import pytest

from multitask_recommender.errors import ConfigError, RunError
from multitask_recommender.export.folder import latest, name_of, new_version, versions

WRITES = """
    import pathlib, sys, time
    from multitask_recommender.export.folder import new_version
    with new_version(pathlib.Path(sys.argv[1])) as (version, folder):
        folder.mkdir()
        (folder / "saved_model.pb").write_text("half of")
        print(version, flush=True)
        time.sleep(60)
"""


def written(base, text="whole"):
    with new_version(base) as (version, folder):
        folder.mkdir()
        (folder / "saved_model.pb").write_text(text)
    return version


def test_versions_count_from_one_and_nothing_else_is_left(tmp_path):
    base = tmp_path / "new" / "model"

    assert [written(base), written(base)] == [1, 2]

    assert versions(base) == [1, 2]
    assert sorted(path.name for path in base.iterdir()) == [".lock", "1", "2"]
    assert latest(base) == base / "2"
    assert latest(base / "1") == base / "1"


def test_what_fails_leaves_nothing(tmp_path):
    with pytest.raises(ZeroDivisionError), new_version(tmp_path) as (_, folder):
        folder.mkdir()
        _ = 1 / 0

    assert [path.name for path in tmp_path.iterdir()] == [".lock"]


def test_who_is_killed_leaves_the_version_before_and_the_next_one_cleans_up(tmp_path):
    written(tmp_path)
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(WRITES), tmp_path], stdout=subprocess.PIPE
    )
    assert process.stdout.readline() == b"2\n"
    with pytest.raises(RunError, match="Another export is at work in"):
        written(tmp_path)

    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()

    assert versions(tmp_path) == [1] and latest(tmp_path).name == "1"
    assert written(tmp_path) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == [".lock", "1", "2"]


def test_a_folder_without_a_version_is_no_export(tmp_path):
    (tmp_path / "notes").mkdir()

    with pytest.raises(ConfigError, match="is no export: it holds neither saved_model.pb nor"):
        latest(tmp_path)
    with pytest.raises(ConfigError, match="is no export"):
        latest(tmp_path / "absent")


def test_a_file_in_the_way_is_said(tmp_path):
    (tmp_path / "model").write_text("")

    with pytest.raises(ConfigError, match="is no folder to write in"):
        written(tmp_path / "model")


@pytest.mark.parametrize(
    ("base", "name"),
    [("models/films", "films"), ("runs/mine/export", "mine"), ("runs/mine.partial/export", "mine")],
)
def test_a_model_is_called_as_its_folder_or_its_run(base, name, tmp_path):
    assert name_of(tmp_path / base) == name


def test_only_whole_numbers_are_versions(tmp_path):
    for name in ("007", "0", "v3", "٣"):
        (tmp_path / name).mkdir()
    (tmp_path / "9").mkdir()  # of somebody else's, and empty

    assert versions(tmp_path) == [9]
    assert written(tmp_path) == 10
    (tmp_path / "11").mkdir()
    assert latest(tmp_path).name == "10"
