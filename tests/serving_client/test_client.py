"""The face: what it imports, and that it can be copied away."""

import pathlib
import shutil
import subprocess
import sys

import pytest

SERVING = pathlib.Path(__file__).parents[2] / "serving"
PROBE = """
import sys
{how}
assert client.Client and client.main
heavy = {{"tensorflow", "tensorflow_serving", "multitask_recommender", "numpy", "keras"}}
print(sorted(heavy & {{name.split(".")[0] for name in sys.modules}}))
"""
WAYS = {
    "by its path": "sys.path.insert(0, {folder!r}); import client",
    "as a part of its folder": "sys.path.insert(0, {parent!r}); from serving import client",
    "by its file": (
        "import importlib.util as u; s = u.spec_from_file_location('client', {file!r}); "
        "client = u.module_from_spec(s); s.loader.exec_module(client)"
    ),
}


@pytest.fixture
def copied(tmp_path) -> pathlib.Path:
    """The client alone, away from the project."""
    folder = tmp_path / "serving"
    folder.mkdir()
    shutil.copy(SERVING / "client.py", folder)
    shutil.copytree(SERVING / "recommender_client", folder / "recommender_client")
    return folder


@pytest.mark.parametrize("way", WAYS)
def test_it_imports_neither_tensorflow_nor_the_project(copied, way, tmp_path):
    how = WAYS[way].format(folder=str(copied), parent=str(tmp_path), file=str(copied / "client.py"))

    done = subprocess.run(
        [sys.executable, "-c", PROBE.format(how=how)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.stdout.strip(), done.stderr) == ("[]", "")


def test_it_runs_as_a_script(copied, tmp_path):
    done = subprocess.run(
        [sys.executable, str(copied / "client.py"), "similar", "--rest", "http://127.0.0.1:9"]
        + ["--item", "x", "--attempts", "1"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert "http://127.0.0.1:9/v1/models/recommender/metadata: UNAVAILABLE" in done.stderr
