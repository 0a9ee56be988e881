"""What the programs in this folder read and write: `python PROGRAM FOLDER EPOCHS [NAME]`.

Each runs in the environment of its library, and knows nothing of ours. FOLDER/train.npz holds pairs
(users and items [N], from 1) and how many there are of each; what an epoch ends with is written as
FOLDER/001.npz: vectors of users [U + 1, D] and items [I, D], row 0 of users being nobody, and the
seconds of the processor since the start that went into training.
"""

import pathlib
import time
from typing import Any

import numpy as np


class Curve:
    """A stopwatch that stands still while vectors are written."""

    def __init__(self, folder: str) -> None:
        self._folder = pathlib.Path(folder)
        self._number, self._spent = 0, 0.0
        self._started = time.process_time()

    def start(self) -> None:
        self._started = time.process_time()

    def stop(self) -> None:
        self._spent += time.process_time() - self._started

    def write(self, users: np.ndarray, items: np.ndarray) -> None:
        """After `stop`."""
        self._number += 1
        path = self._folder / f"{self._number:03}.npz"
        np.savez(path, users=users, items=items, seconds=self._spent)


def fit(model: Any, rows: Any, folder: str, epochs: int) -> None:
    """Of a model of Keras', any of them, with embeddings `users` and `items`."""
    curve = Curve(folder)
    for _ in range(epochs):
        curve.start()
        model.fit(rows, epochs=1, verbose=0)
        curve.stop()
        curve.write(model.users.embeddings.numpy(), model.items.embeddings.numpy()[1:])


def read(folder: str) -> dict[str, np.ndarray]:
    with np.load(pathlib.Path(folder) / "train.npz") as file:
        return dict(file)
