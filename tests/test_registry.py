"""The folders are the registry."""

import sys

import pytest

from multitask_recommender import registry
from multitask_recommender.errors import ConfigError
from multitask_recommender.settings import Settings


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package with two models, of which one says on import that it was imported."""
    files = {
        "shop/__init__.py": "",
        "shop/models/__init__.py": "",
        "shop/models/near.py": "Model = NAME = 'near'\n",
        "shop/models/apart.py": "raise AssertionError('apart was imported')\n",
        "shop/models/_base.py": "",
        "shop/models/not-a-name.py": "",
        "shop/models/settings/apart.py": (
            "from multitask_recommender import settings\n"
            "class Settings(settings.Settings):\n"
            "    depth: int = 2\n"
        ),
        "shop/splits/__init__.py": "",
        "shop/splits/own.py": (
            "from multitask_recommender import settings\n"
            "class Settings(settings.Settings):\n"
            "    seed: int = 1\n"
        ),
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(registry, "_ROOT", tmp_path / "shop")
    monkeypatch.setattr(registry, "_PACKAGE", "shop")
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] == "shop"]:
        del sys.modules[name]


def test_the_names_are_the_public_files_in_order(package):
    assert registry.names("models") == ["apart", "near"]


def test_only_the_chosen_file_is_imported(package):
    assert registry.load("models", "near").NAME == "near"
    assert "shop.models.apart" not in sys.modules


def test_a_dotted_path_names_a_module_of_the_users_own(package):
    assert registry.load("models", "shop.models.near").NAME == "near"


def test_a_module_that_is_no_model_is_not_taken_for_one(package):
    with pytest.raises(ConfigError, match="The module shop.splits.own has no Model, which is what"):
        registry.load("models", "shop.splits.own")


def test_settings_beside_a_file_are_found_without_importing_it(package):
    settings = registry.settings_class("models", "apart")

    assert settings().model_dump() == {"depth": 2}
    assert "shop.models.apart" not in sys.modules


def test_settings_in_the_file_itself_are_found(package):
    assert registry.settings_class("splits", "own")().model_dump() == {"seed": 1}


def test_the_settings_of_a_dotted_path_are_those_of_its_module(package):
    assert registry.settings_class("models", "shop.splits.own")().model_dump() == {"seed": 1}


def test_a_file_without_settings_has_no_keys_and_is_not_imported(package):
    assert registry.settings_class("models", "near") is Settings
    assert "shop.models.near" not in sys.modules


def test_an_unknown_name_is_answered_with_the_nearest_and_all(package):
    with pytest.raises(ConfigError) as error:
        registry.load("models", "naer")

    assert str(error.value) == (
        "No models/naer.py. Did you mean 'near'? Available models: apart, near."
    )


@pytest.mark.parametrize("name", ["nowhere.model", "shop.nothing", "..models", "shop..models"])
def test_a_dotted_path_to_nothing_is_a_config_error(package, name):
    with pytest.raises(ConfigError, match=r"No module .* for models"):
        registry.load("models", name)
