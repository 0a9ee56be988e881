"""Checkpoints of a training: each is a folder, whole or absent, that says what it belongs to.

`FOLDER/<step>/` holds the state (weights, optimizer, running means of losses) as TensorFlow writes
it, with a checksum of every tensor, and ABOUT: the place in training, and the identity of what is
trained. Order, dropout and negatives are functions of seed and step, so these two are the place in
the data and the state of all randomness. It is written aside, flushed to the disk and renamed, and
only then the one before goes: whenever a process is killed, a whole one is there.
"""

import contextlib
import dataclasses
import json
import pathlib
import shutil
from collections.abc import Iterator, Mapping
from typing import Any

import tensorflow as tf

from multitask_recommender import differences, run_folder
from multitask_recommender.errors import RunError, said_by_tensorflow
from multitask_recommender.training._writing import writing

ABOUT = "about.json"
_STATE = "state"


@dataclasses.dataclass(frozen=True)
class Checkpoints:
    """The checkpoints under a folder, of which the last one is kept.

    identity: what a checkpoint must share with whoever goes on from it: config, data, vocabulary.
    """

    folder: pathlib.Path
    identity: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def of(self, phase: str) -> "Checkpoints":
        """Those of one phase of training, in a folder of their own."""
        return Checkpoints(self.folder / phase, self.identity)

    @property
    def latest(self) -> pathlib.Path | None:
        """The folder of the last one, which is whole; None before the first."""
        if not self.folder.is_dir():
            return None
        steps = [int(path.name) for path in self.folder.iterdir() if path.name.isdecimal()]
        return self.folder / str(max(steps)) if steps else None

    def save(self, state: tf.train.Checkpoint, place: Mapping[str, int]) -> None:
        """Writes the state at a place in training, whose `step` names it; then removes the others.

        Raises RunError where it cannot be written; the one before is then as it was.
        """
        step = str(place["step"])
        if not (self.folder / step).exists():
            with self._aside(step) as folder:
                state.write(_state(folder))
                sizes = {path.name: path.stat().st_size for path in folder.iterdir()}
                about = {**place, "files": sizes, "identity": self.identity}
                (folder / ABOUT).write_text(json.dumps(about, indent=1) + "\n")
        for path in self.folder.iterdir():
            if path.name != step:
                shutil.rmtree(path)

    def restore(self, state: tf.train.Checkpoint) -> None:
        """Puts the last checkpoint, if there is one, in the state.

        Raises RunError where it is damaged, or is of another training: then it says what differs.
        """
        if self.latest is None:
            return
        self._check(self.latest)
        try:
            state.read(_state(self.latest)).assert_consumed()
        except tf.errors.OpError as error:
            raise RunError(_damaged(self.latest, said_by_tensorflow(error.message))) from error
        except (AssertionError, ValueError, IndexError) as error:
            reason = str(error).splitlines()[0]
            raise RunError(_damaged(self.latest, f"it does not fit the model: {reason}")) from error

    def _check(self, folder: pathlib.Path) -> None:
        try:
            about = json.loads((folder / ABOUT).read_text())
            sizes, identity = about["files"], about["identity"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise RunError(_damaged(folder, f"its {ABOUT} cannot be read ({error!r})")) from error
        for name, size in sizes.items():
            path = folder / name
            found = path.stat().st_size if path.exists() else 0
            if found != size:
                raise RunError(_damaged(folder, f"{name} has {found:,} of {size:,} bytes"))
        told = differences.told(identity, json.loads(json.dumps(self.identity)))
        if told:
            raise RunError(
                f"{folder} is a checkpoint of another training: {told}. Choose another --run-dir, "
                "or remove it to train from the beginning."
            )

    @contextlib.contextmanager
    def _aside(self, step: str) -> Iterator[pathlib.Path]:
        """A folder to write in, which becomes that of the step unless that fails."""
        folder = self.folder / f"{step}{run_folder.UNFINISHED}"
        shutil.rmtree(folder, ignore_errors=True)  # of a process that was killed
        try:
            with writing(self.folder):
                folder.mkdir(parents=True)
                yield folder
                run_folder.flush(folder)
                folder.rename(self.folder / step)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _state(folder: pathlib.Path) -> str:
    """Absolute: parameter servers read and write it too, and may work in another folder."""
    return str(folder.absolute() / _STATE)


def _damaged(folder: pathlib.Path, fault: str) -> str:
    return f"{folder} is damaged: {fault}. Remove it to train from the beginning."
