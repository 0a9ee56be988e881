"""The wheel: holds what commands need, requires what is pinned, and runs outside the checkout."""

import email
import os
import pathlib
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile

import pytest

from multitask_recommender import __version__

ROOT = pathlib.Path(__file__).parents[1]
SOURCES = ("multitask_recommender", "pyproject.toml", "setup.py", "requirements.txt")
SOURCES += ("README.md", "LICENSE", "MANIFEST.in")
TINY = """
dataset: {name: synthetic, users: 30, items: 20, rows: 300}
model: {name: two_tower, embedding_dimension: 4}
tasks: {retrieval: {weight: 1.0}, rating: {weight: 1.0}}
training: {epochs: 1, batch_size: 100, refit: false}
"""


def run(*command: object, cwd: pathlib.Path) -> subprocess.CompletedProcess:
    without = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    return subprocess.run(
        list(map(str, command)), cwd=cwd, env=without, capture_output=True, text=True
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> pathlib.Path:
    """Built from a copy, as building leaves folders beside the sources."""
    copy, built = tmp_path_factory.mktemp("copy"), tmp_path_factory.mktemp("built")
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, copy / name)
    pip = (sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--quiet")
    done = run(*pip, "--disable-pip-version-check", "--wheel-dir", built, copy, cwd=copy)
    assert done.returncode == 0, done.stderr
    (path,) = built.iterdir()
    return path


@pytest.fixture(scope="module")
def command(wheel, tmp_path_factory) -> pathlib.Path:
    """The installed console command, in an environment that sees the packages of this one."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False, symlinks=True)
    pip = (sys.executable, "-m", "pip", "--python", folder / "bin" / "python", "install")
    done = run(*pip, "--no-deps", "--no-index", "--quiet", wheel, cwd=folder)
    assert done.returncode == 0, done.stderr
    (packages,) = folder.glob("lib/python*/site-packages")
    (packages / "these.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder / "bin" / "multitask-recommender"


def test_it_holds_every_module_and_the_page(wheel):
    with zipfile.ZipFile(wheel) as file:
        held = set(file.namelist())

    package = ROOT / "multitask_recommender"
    wanted = [*package.rglob("*.py"), *(package / "serving" / "static").iterdir()]
    assert {str(path.relative_to(ROOT)) for path in wanted} <= held
    assert not [name for name in held if name.startswith(("tests", "serving", "docs"))]


def test_it_requires_the_pins_of_which_those_of_development_are_an_extra(wheel):
    with zipfile.ZipFile(wheel) as file:
        (name,) = (name for name in file.namelist() if name.endswith(".dist-info/METADATA"))
        told = email.message_from_bytes(file.read(name))

    required = told.get_all("Requires-Dist")
    pins = [line for line in (ROOT / "requirements.txt").read_text().split("\n") if "==" in line]
    assert len(required) == len(pins)
    assert "tensorflow==2.20.0" in required
    assert any(line.startswith("pytest==") and 'extra == "dev"' in line for line in required)
    assert not any(line.startswith("pytest==") and "extra" not in line for line in required)
    assert (told["Version"], told["License-Expression"]) == (__version__, "Apache-2.0")


def test_the_console_command_helps_from_anywhere(command, tmp_path):
    done = run(command, "--help", cwd=tmp_path)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("usage: multitask-recommender ")


@pytest.mark.slow
def test_an_installed_wheel_trains_outside_the_checkout(command, tmp_path):
    (tmp_path / "config.yaml").write_text(TINY)

    done = run(command, "train", "--run-dir", "run", cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    names = {path.name for path in (tmp_path / "run").iterdir()}
    assert {"metrics.json", "curves.png", "checkpoints"} <= names
