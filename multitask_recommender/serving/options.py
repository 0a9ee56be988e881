"""What `serve` is told by its arguments, and the export that it names. Free of TensorFlow."""

import dataclasses
import pathlib
from collections.abc import Mapping

from multitask_recommender.errors import ConfigError, RunError
from multitask_recommender.export.folder import MODEL_FILE, name_of


@dataclasses.dataclass(frozen=True)
class Limits:
    """What one request may ask for, and how many may run at once."""

    body_mib: int = 4
    k: int = 1_000
    ids: int = 10_000
    batch: int = 1_024
    requests: int = 32
    seconds: float = 30.0

    @property
    def body_bytes(self) -> int:
        return self.body_mib * 2**20


@dataclasses.dataclass(frozen=True)
class Options:
    """The export, where it is listened to, and what is allowed.

    labels: version numbers by label, served beside the newest. poll: seconds between two looks for
    new versions.
    """

    export: "Export"
    host: str = "127.0.0.1"
    rest_port: int = 8501
    grpc_port: int = 8500
    poll: float = 2.0
    labels: Mapping[str, int] = dataclasses.field(default_factory=dict)
    limits: Limits = Limits()


@dataclasses.dataclass(frozen=True)
class Export:
    """Versions of a model in a folder: all of them, or the `only` one that was named."""

    name: str
    base: pathlib.Path
    only: int | None = None

    def versions(self) -> list[int]:
        """The numbers of the version folders there are, complete or not, the newest first."""
        found = {int(each.name) for each in self.base.iterdir() if _is_version(each)}
        return sorted(found if self.only is None else found & {self.only}, reverse=True)

    def folder(self, version: int) -> pathlib.Path:
        return self.base / str(version)


def find_export(path: pathlib.Path, name: str | None = None) -> Export:
    """The export at a path: a model_base_path, or one version of it.

    name: what the model is called, else as its folder or its run. Raises RunError where nothing
    can be served, and ConfigError for a name that no URL could hold.
    """
    folder = path.resolve()
    if not folder.is_dir():
        raise RunError(f"{path} is not a folder, expected an export: a folder of versions, or one.")
    if (folder / MODEL_FILE).exists():
        if not _is_version(folder):
            raise RunError(
                f"{path} holds a {MODEL_FILE}, but {folder.name!r} is no version number. Move it "
                f"into a folder such as {path / '1'}, and serve {path}."
            )
        export = Export(name or name_of(folder.parent), folder.parent, int(folder.name))
    else:
        export = Export(name or name_of(folder), folder)
    if not export.versions():
        raise RunError(
            f"{path} holds no version: found no folder with a number for a name, such as "
            f"{path / '1' / MODEL_FILE}."
        )
    if not export.name or set(export.name) & set("/:%?#"):
        raise ConfigError(
            f"The model's name is {export.name!r}, expected one without any of / : % ? #, since it "
            "is part of URLs. Name it with --name."
        )
    return export


def _is_version(folder: pathlib.Path) -> bool:
    """Whether a folder is called like a version, in the one way to write its number."""
    name = folder.name
    return name.isascii() and name.isdigit() and str(int(name)) == name and folder.is_dir()
