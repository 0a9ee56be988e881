"""The folder of a run: complete or absent, and worked on by one."""

import json
import subprocess
import sys

import pytest

from multitask_recommender import run_folder
from multitask_recommender.errors import ConfigError, RunError


@pytest.fixture
def run_dir(tmp_path):
    return tmp_path / "deep" / "run"


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_run_appears_when_it_is_complete(run_dir):
    with run_folder.open_partial(run_dir, "a: 1\n") as folder:
        assert not run_dir.exists()
        (folder / "metrics.json").write_text("{}")

    assert names(run_dir.parent) == ["run"]
    assert names(run_dir) == ["config.yaml", "metrics.json"]
    assert (run_dir / "config.yaml").read_text() == "a: 1\n"
    run_folder.check_complete(run_dir)


def test_what_fails_is_left_to_be_resumed_by_the_same_config(run_dir):
    with pytest.raises(ZeroDivisionError), run_folder.open_partial(run_dir, "a: 1\n") as folder:
        (folder / "half").write_text("done")
        raise ZeroDivisionError
    assert not run_dir.exists()

    with run_folder.open_partial(run_dir, "a: 1\n") as folder:
        assert (folder / "half").read_text() == "done"

    assert (run_dir / "half").exists()


def test_another_config_does_not_go_on_with_it(run_dir):
    with pytest.raises(KeyError), run_folder.open_partial(run_dir, "a: 1\n"):
        raise KeyError

    with pytest.raises(
        ConfigError,
        match="run.partial was begun with another config, other data or other versions: "
        "a is 1 there and 2 here. Remove the folder or choose",
    ):
        with run_folder.open_partial(run_dir, "a: 2\n"):
            pytest.fail("it was opened")
    assert (run_dir.with_name("run.partial") / "config.yaml").read_text() == "a: 1\n"


def test_a_damaged_config_is_said_to_be_damaged(run_dir):
    with pytest.raises(KeyError), run_folder.open_partial(run_dir, "a: 1\n") as folder:
        (folder / "config.yaml").write_text("a: [")
        raise KeyError

    with pytest.raises(ConfigError, match="its config.yaml is damaged"):
        with run_folder.open_partial(run_dir, "a: 1\n"):
            pytest.fail("it was opened")


def test_a_file_that_cannot_be_written_is_named(tmp_path):
    """Python does not say where a disk was full."""
    with pytest.raises(RunError, match="m.json cannot be written: No space left on device.$"):
        with run_folder.aside(tmp_path / "m.json") as unfinished:
            unfinished.write_text("half")
            raise OSError(28, "No space left on device")

    assert names(tmp_path) == []


@pytest.mark.parametrize("make", ["mkdir", "touch"])
def test_what_exists_is_never_written_over(run_dir, make):
    run_dir.parent.mkdir()
    getattr(run_dir, make)()

    with pytest.raises(ConfigError, match="run exists: choose another --run-dir, or remove it"):
        with run_folder.open_partial(run_dir, "a: 1\n"):
            pytest.fail("it was opened")
    assert names(run_dir.parent) == ["run"]


def test_two_processes_do_not_work_in_one_folder(run_dir):
    code = f"""if True:
        import pathlib
        from multitask_recommender import errors, run_folder
        try:
            with run_folder.open_partial(pathlib.Path({str(run_dir)!r}), "a: 1"):
                print("opened")
        except errors.RunError as error:
            print(error)
    """
    with run_folder.open_partial(run_dir, "a: 1"):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    assert done.stdout == f"Another training is at work in {run_dir}.partial.\n"
    assert run_dir.exists()


def test_a_folder_that_is_no_run_is_said_to_be_none(run_dir):
    with pytest.raises(ConfigError, match="run does not exist.$"):
        run_folder.check_complete(run_dir)
    run_dir.mkdir(parents=True)
    with pytest.raises(ConfigError, match="run is not a run: it holds no metrics.json with its"):
        run_folder.check_complete(run_dir)

    run_dir.rmdir()
    with pytest.raises(KeyError), run_folder.open_partial(run_dir, "a: 1\n"):
        raise KeyError
    with pytest.raises(ConfigError, match="run.partial is unfinished: train again to resume it"):
        run_folder.check_complete(run_dir)


def test_files_are_whole_or_absent(tmp_path):
    path = tmp_path / "m.json"
    run_folder.write_json(path, {"a": 0.1})

    with pytest.raises(ValueError, match="JSON compliant"):
        run_folder.write_json(path, {"a": float("nan")})

    assert json.loads(path.read_text()) == {"a": 0.1}
    assert names(tmp_path) == ["m.json"]


def test_where_nothing_can_be_written_is_said_before_any_work(tmp_path):
    (tmp_path / "file").touch()

    with pytest.raises(ConfigError, match="file is no folder to write in"):
        run_folder.check_absent(tmp_path / "file" / "run")
    with pytest.raises(ConfigError, match="is a folder, expected the name of a file"):
        run_folder.check_writable(tmp_path)
    run_folder.check_writable(tmp_path / "new" / "m.json")


def test_the_lock_is_free_again_after_a_failure(run_dir):
    for _ in range(2):
        with pytest.raises(RunError, match="x"), run_folder.open_partial(run_dir, "a"):
            raise RunError("x")


def test_a_history_is_read_as_text(tmp_path):
    (tmp_path / "history.csv").write_text("phase,epoch,loss\nsearch,1,0.5\nrefit,1,\n")

    assert run_folder.read_history(tmp_path / "history.csv") == [
        {"phase": "search", "epoch": "1", "loss": "0.5"},
        {"phase": "refit", "epoch": "1", "loss": ""},
    ]
