"""What the doctor finds."""

import importlib.metadata

import pytest

from multitask_recommender import doctor


def test_the_pins_are_those_of_the_requirements():
    pins = dict(doctor.pins())

    assert pins["tensorflow"] == "2.20.0"
    assert pins["pydantic"].startswith("2.")
    assert all(pins.values())


def test_a_package_that_is_there_has_its_version_and_no_fault():
    assert doctor.inspect("pyyaml") == (importlib.metadata.version("pyyaml"), None)


def test_a_package_that_is_missing_is_a_fault():
    assert doctor.inspect("no-such-package") == (None, "not installed")


def test_a_package_that_does_not_import_is_a_fault(monkeypatch, tmp_path):
    (tmp_path / "broken.py").write_text("raise OSError('undefined symbol\\nmore')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(doctor.MODULES, "pyyaml", "broken")

    version, fault = doctor.inspect("pyyaml")

    assert version == importlib.metadata.version("pyyaml")
    assert fault == "does not import: OSError: undefined symbol"


@pytest.fixture
def without_gpu(monkeypatch):
    monkeypatch.setattr(doctor, "_gpus", lambda: "none")


@pytest.mark.parametrize(
    ("found", "line", "is_sound"),
    [
        (("2.0", None), "numpy                        2.0", True),
        (("1.9", None), "numpy                        1.9  warning: 2.0 is pinned", True),
        ((None, "not installed"), "numpy                        -  FAULT: not installed", False),
    ],
)
def test_a_line_for_each_package(found, line, is_sound, monkeypatch, without_gpu):
    monkeypatch.setattr(doctor, "pins", lambda: [("numpy", "2.0")])
    monkeypatch.setattr(doctor, "inspect", lambda name: found)

    python, *others = doctor.diagnose()

    assert python[0].startswith("python")
    assert others == [(line, is_sound), (f"{'gpu':29}none", True)]


def test_a_finding_is_told_before_the_next_is_looked_for(monkeypatch, without_gpu):
    """Importing a package may take seconds."""
    inspected = []
    monkeypatch.setattr(doctor, "pins", lambda: [("numpy", "2.0"), ("tensorflow", "2.0")])
    monkeypatch.setattr(doctor, "inspect", lambda name: (inspected.append(name), (name, None))[1])

    findings = doctor.diagnose()
    next(findings), next(findings)

    assert inspected == ["numpy"]
