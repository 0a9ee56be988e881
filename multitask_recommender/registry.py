"""The folders are the registry: a config name is a file name.

`models/lightgcn.py` is the model `lightgcn`; a dotted path (`my_package.my_model`) names a file of
the user's own. Only the chosen file is imported. Files that begin with an underscore are private.

A file that does not import TensorFlow holds its own `Settings`. One that does keeps them in
`<folder>/settings/<name>.py`, so that a config is checked without waiting for TensorFlow.
"""

import importlib
import importlib.util
import pathlib
import re
import types

from multitask_recommender.errors import ConfigError, suggestion
from multitask_recommender.settings import Settings

_ROOT = pathlib.Path(__file__).parent
_PACKAGE = __package__
_OFFERS = {  # what a file of each folder holds
    "models": "Model",
    "sharing": "Sharing",
    "weighting": "Weighting",
    "tasks": "Task",
    "datasets": "read",
    "baselines": "fit",
    "index": "Index",
}
_OWN_SETTINGS = re.compile(r"^class Settings\b", re.MULTILINE)


def names(kind: str) -> list[str]:
    """The names in a folder, in alphabetical order: `names("models")`."""
    return sorted(
        path.stem
        for path in (_ROOT / kind).glob("*.py")
        if path.stem.isidentifier() and not path.stem.startswith("_")
    )


def load(kind: str, name: str) -> types.ModuleType:
    """Imports the file of that name, or the module at a dotted path.

    Raises ConfigError where that is no such option.
    """
    module = importlib.import_module(_path(kind, name))
    if not hasattr(module, _OFFERS[kind]):
        raise ConfigError(
            f"The module {name} has no {_OFFERS[kind]}, which is what {kind} are looked up for."
        )
    return module


def settings_class(kind: str, name: str) -> type[Settings]:
    """The `Settings` of a file; a file without settings of its own has no keys, and no import."""
    path = _path(kind, name)
    if "." not in name:
        if (_ROOT / kind / "settings" / f"{name}.py").exists():
            path = f"{_PACKAGE}.{kind}.settings.{name}"
        elif not _OWN_SETTINGS.search((_ROOT / kind / f"{name}.py").read_text(encoding="utf-8")):
            return Settings
    return getattr(importlib.import_module(path), "Settings", Settings)


def _path(kind: str, name: str) -> str:
    if "." in name:
        try:
            found = importlib.util.find_spec(name)
        except (ImportError, ValueError) as error:
            raise ConfigError(f"No module {name} for {kind}: {error}.") from error
        if found is None:
            raise ConfigError(f"No module {name} for {kind}.")
        return name
    known = names(kind)
    if name not in known:
        raise ConfigError(
            f"No {kind}/{name}.py.{suggestion(name, known)} Available {kind}: {', '.join(known)}."
        )
    return f"{_PACKAGE}.{kind}.{name}"
