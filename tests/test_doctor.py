"""What the doctor finds, and what he says mends it."""

import importlib.metadata
import pathlib
import shutil
import subprocess
import sys

import pytest

from multitask_recommender import doctor
from multitask_recommender.doctor import Finding, Pin

ROOT = pathlib.Path(doctor.__file__).parents[1]


def test_the_pins_are_those_of_the_requirements():
    pins = {pin.name: pin for pin in doctor.pins()}

    assert pins["tensorflow"] == Pin("tensorflow", "2.20.0", for_tests=False)
    assert pins["pydantic"].version.startswith("2.")
    assert pins["pytest"].for_tests
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    assert len(pins) == sum("==" in line for line in lines)


def test_an_installed_wheel_tells_its_pins(monkeypatch, tmp_path):
    told = ["numpy==2.4.6", "protobuf==6.33.6", 'pytest==9.2.0; extra == "dev"']
    monkeypatch.setattr(doctor, "_REQUIREMENTS", tmp_path / "absent.txt")
    monkeypatch.setattr(importlib.metadata, "requires", lambda name: told)

    assert list(doctor.pins()) == [
        Pin("numpy", "2.4.6", False),
        Pin("protobuf", "6.33.6", False),
        Pin("pytest", "9.2.0", True),
    ]


def pin(name="pyyaml", version=None, for_tests=False) -> Pin:
    return Pin(name, version or importlib.metadata.version("pyyaml"), for_tests)


def test_a_package_that_is_there_has_its_version_and_no_fault():
    assert doctor.inspect(pin()) == Finding("pyyaml", importlib.metadata.version("pyyaml"))


def test_another_version_than_the_pinned_one_is_a_warning():
    finding = doctor.inspect(pin(version="0.1"))

    assert (finding.fault, finding.warning) == ("", "0.1 is pinned")
    assert finding.remedy == f"{sys.executable} -m pip install 'pyyaml==0.1'"


def test_a_package_that_is_missing_is_a_fault():
    finding = doctor.inspect(pin("no-such-package", "1.0"))

    assert (finding.found, finding.fault) == ("-", "not installed")
    assert finding.remedy.endswith("-m pip install 'no-such-package==1.0'")


def test_a_package_for_tests_alone_is_missed_by_tests_alone():
    finding = doctor.inspect(pin("no-such-package", "1.0", for_tests=True))

    assert (finding.fault, finding.warning) == ("", "not installed: tests need it")


def test_a_package_that_does_not_import_is_a_fault(monkeypatch, tmp_path):
    (tmp_path / "broken.py").write_text("raise OSError('undefined symbol\\nmore')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(doctor.MODULES, "pyyaml", "broken")

    finding = doctor.inspect(pin())

    assert finding.found == importlib.metadata.version("pyyaml")
    assert finding.fault == "does not import: OSError: undefined symbol"
    assert finding.remedy.endswith("--force-reinstall --no-deps")


@pytest.mark.parametrize(
    ("finding", "lines"),
    [
        (Finding("numpy", "2.0"), ["numpy                        2.0"]),
        (
            Finding("numpy", "1.9", warning="2.0 is pinned", remedy="pip ..."),
            ["numpy                        1.9  warning: 2.0 is pinned", "    -> pip ..."],
        ),
        (
            Finding("numpy", "-", fault="not installed", remedy="pip ..."),
            ["numpy                        -  FAULT: not installed", "    -> pip ..."],
        ),
    ],
)
def test_a_finding_is_a_line_and_its_remedy_another(finding, lines):
    assert str(finding).splitlines() == lines


def test_a_finding_is_told_before_the_next_is_looked_for(monkeypatch):
    """Importing a package may take seconds."""
    inspected = []
    monkeypatch.setattr(doctor, "pins", lambda: [pin("numpy"), pin("tensorflow")])
    monkeypatch.setattr(doctor, "inspect", lambda each: inspected.append(each.name))

    findings = doctor.diagnose()
    next(findings), next(findings)

    assert inspected == ["numpy"]


def test_operations_of_scann_that_do_not_load_are_a_warning_with_another_index(monkeypatch):
    monkeypatch.setitem(sys.modules, "scann", None)  # importing it fails

    finding = doctor._scann()

    assert (finding.found, finding.fault) == ("-", "")
    assert finding.warning.startswith("do not load: ")
    assert "--index ivf" in finding.remedy


def test_a_driver_without_a_gpu_in_tensorflow_is_a_warning(monkeypatch):
    import tensorflow as tf

    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [])
    monkeypatch.setattr(shutil, "which", lambda name: "/usr/bin/nvidia-smi")

    finding = doctor._gpus()

    assert finding.found == "none visible to TensorFlow"
    assert finding.warning == "there is an NVIDIA driver"
    assert finding.remedy.endswith("'tensorflow[and-cuda]==2.20.0'")


@pytest.mark.parametrize(("least", "warning"), [(1, ""), (1 << 60, "may be too little")])
def test_memory(least, warning, monkeypatch):
    monkeypatch.setattr(doctor, "_LEAST_MEMORY", least)

    assert doctor._memory().warning == warning
    assert " GiB available, " in doctor._memory().found


@pytest.mark.parametrize(("least", "warning"), [(1, ""), (1 << 60, "little room")])
def test_disk(least, warning, monkeypatch, tmp_path):
    monkeypatch.setattr(doctor, "_LEAST_DISK", least)

    assert doctor._disk(tmp_path).warning == warning


def test_data_that_is_here_is_told_with_its_settings_and_other_with_a_command(elsewhere, ml_100k):
    (elsewhere / "data").mkdir()
    ml_100k.rename(elsewhere / "data" / "ml-100k")

    findings = {finding.name: finding for finding in doctor._data()}

    assert findings["movielens 100k"] == Finding(
        "movielens 100k", "data/ml-100k  dataset.name=movielens dataset.variant=100k"
    )
    assert findings["movielens 1m"].found == "not here"
    assert findings["movielens 1m"].remedy.startswith("curl -O https://files.grouplens.org/")
    assert not any(finding.fault for finding in findings.values())


def test_this_machine_is_sound():
    """Every package imports, also one whose distribution is not called like its module."""
    done = subprocess.run(
        [sys.executable, "-m", "multitask_recommender", "doctor"],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )

    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "no fault"), done.stdout
