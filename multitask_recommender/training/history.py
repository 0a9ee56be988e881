"""The history of a run: a row an epoch, as a CSV file and as TensorBoard curves."""

import csv
import pathlib
import shutil
from collections.abc import Mapping

import tensorflow as tf

from multitask_recommender import run_folder
from multitask_recommender.training._writing import writing

_TEXTS = ("phase", "data")
_KEYS = (*_TEXTS, "epoch")


class History:
    """Rows of `phase, epoch, seconds`, the mean losses, and the metrics of epochs validated.

    A folder that already holds a history goes on with it. Each row names its source of data, so
    that no figure of a stand-in is taken for the real thing.
    """

    def __init__(self, path: pathlib.Path, tensorboard: pathlib.Path, source: str) -> None:
        self._source = source
        self._path = path
        self._tensorboard = tensorboard
        self._writers: dict[str, tf.summary.SummaryWriter] = {}
        self.rows: list[dict] = []
        if path.exists():
            self.rows = [_parsed(row) for row in run_folder.read_history(path)]

    def keep(self, phase: str, last: int) -> None:
        """Forgets what was written after epoch `last` of a phase: it is about to be made again."""
        self.rows = [row for row in self.rows if row["phase"] != phase or int(row["epoch"]) <= last]
        # TensorBoard cannot be made to forget a point, so the curves are drawn anew.
        self._writers.pop(phase, None)
        shutil.rmtree(self._tensorboard / phase, ignore_errors=True)
        with writing(self._tensorboard):
            for row in self.of(phase):
                values = {name: value for name, value in row.items() if name not in _KEYS}
                self._draw(phase, row["epoch"], values)

    def of(self, phase: str) -> list[dict]:
        return [row for row in self.rows if row["phase"] == phase]

    def add(self, phase: str, epoch: int, values: Mapping[str, float]) -> None:
        self.rows.append({"phase": phase, "epoch": epoch, "data": self._source, **values})
        self._write()
        with writing(self._tensorboard):
            self._draw(phase, epoch, values)

    def _draw(self, phase: str, epoch: int, values: Mapping[str, float]) -> None:
        if phase not in self._writers:
            self._writers[phase] = tf.summary.create_file_writer(str(self._tensorboard / phase))
        with self._writers[phase].as_default(step=epoch):
            for name, value in values.items():
                tf.summary.scalar(name, value)
        self._writers[phase].flush()

    def _write(self) -> None:
        columns = list(dict.fromkeys(name for row in self.rows for name in row))
        with run_folder.aside(self._path) as unfinished, open(unfinished, "w", newline="") as file:
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            writer.writerows(self.rows)


def _parsed(row: Mapping[str, str]) -> dict:
    """The row as it was added: numbers are numbers, empty cells are absent."""
    texts = {name: row[name] for name in _TEXTS}
    values = {name: float(value) for name, value in row.items() if value and name not in texts}
    return {**texts, **values, "epoch": int(row["epoch"])}
