"""Which folders are exports, and what their models are called."""

import pytest

from multitask_recommender.errors import ConfigError, RunError
from multitask_recommender.serving.options import find_export


@pytest.fixture
def base(tmp_path):
    """Versions 2 and 10, and what is none: a name, a leading zero, a file, a half-written one."""
    base = tmp_path / "films"
    for name in ("2", "10", "007", "tmp", "11.partial"):
        (base / name).mkdir(parents=True)
        (base / name / "saved_model.pb").touch()
    (base / "12").touch()
    return base


def test_a_folder_of_versions_is_named_like_it_and_has_the_newest_first(base):
    export = find_export(base)

    assert (export.name, export.only) == ("films", None)
    assert export.versions() == [10, 2]
    assert export.folder(10) == base / "10"


def test_one_version_is_itself_alone(base):
    export = find_export(base / "2")

    assert (export.name, export.versions()) == ("films", [2])


def test_a_path_with_a_link_and_a_name_of_ones_own(base, tmp_path):
    (tmp_path / "link").symlink_to(base)

    assert find_export(tmp_path / "link").name == "films"
    assert find_export(base, "mine").name == "mine"


def test_a_missing_folder(tmp_path):
    with pytest.raises(RunError, match="nowhere is not a folder, expected an export"):
        find_export(tmp_path / "nowhere")


def test_a_folder_without_versions(tmp_path):
    with pytest.raises(RunError, match="holds no version: found no folder with a number"):
        find_export(tmp_path)


def test_a_model_that_is_no_version(base):
    with pytest.raises(RunError, match="holds a saved_model.pb, but 'tmp' is no version number"):
        find_export(base / "tmp")


@pytest.mark.parametrize("name", ["a/b", "a:predict", "50%", "a?b"])
def test_a_name_that_no_url_holds(base, name):
    with pytest.raises(ConfigError, match=r"The model's name is .* Name it with --name"):
        find_export(base, name)
