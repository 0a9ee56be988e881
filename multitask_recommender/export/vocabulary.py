"""Raw ids, or other words, and the numbers that the model knows them by: files of an export."""

import pathlib

import numpy as np
import tensorflow as tf

from multitask_recommender.errors import RunError
from multitask_recommender.export.raw_ids import NO_NUMBER, NO_WORD

_LINE, _NUMBER, _FIRST = (
    tf.lookup.TextFileIndex.WHOLE_LINE,
    tf.lookup.TextFileIndex.LINE_NUMBER,
    0,
)

_WORDS = 1 << 16  # written at a time: as Python's texts they take more than a model's vectors


def read_words(path: pathlib.Path, are_numbers: bool) -> np.ndarray:
    """The words [V] of such a file: int64, or str in an array of objects."""
    lines = path.read_bytes().decode().split("\n")[:-1]
    return np.array(lines, object).astype(np.int64 if are_numbers else object)


class Vocabulary(tf.Module):
    """Words, a line each in a file that the SavedModel copies; the word of line n has the id n.

    Args:
      words: strings or int64 [V].
      path: of the file that is written; its name is kept in the export.

    Raises RunError where a word cannot be a line: it is empty, or holds a line break; or where the
    number -1 is one, which stands for none.
    """

    def __init__(self, words: np.ndarray, path: pathlib.Path) -> None:
        super().__init__()
        self.dtype = tf.int64 if np.asarray(words).dtype.kind in "iu" else tf.string
        self.size = len(words)
        with path.open("wb") as file:
            for start in range(0, self.size, _WORDS):
                texts = [str(word) for word in words[start : start + _WORDS].tolist()]
                self._check(texts, path.stem)
                file.write("".join(f"{text}\n" for text in texts).encode())
        column = _FIRST if self.dtype == tf.int64 else _LINE
        self._ids = self._words = None
        if self.size:  # a table of no lines is refused
            lookup = tf.lookup
            self._ids = lookup.StaticHashTable(
                lookup.TextFileInitializer(str(path), self.dtype, column, tf.int64, _NUMBER), -1
            )
            self._words = lookup.StaticHashTable(
                lookup.TextFileInitializer(str(path), tf.int64, _NUMBER, self.dtype, column),
                self.nobody,
            )

    @property
    def nobody(self) -> str | int:
        """The word that stands for none."""
        return NO_WORD if self.dtype == tf.string else NO_NUMBER

    def ids(self, words: tf.Tensor) -> tf.Tensor:
        """int32, from 1; 0 for what is no word here. Of any shape."""
        if self._ids is None:
            return tf.zeros_like(words, tf.int32)
        return tf.cast(self._ids.lookup(words), tf.int32) + 1

    def words(self, ids: tf.Tensor) -> tf.Tensor:
        """The words of ids of any shape; `nobody` for 0."""
        if self._words is None:
            return tf.fill(tf.shape(ids), tf.constant(self.nobody, self.dtype))
        return self._words.lookup(tf.cast(ids, tf.int64) - 1)

    def _check(self, texts: list[str], what: str) -> None:
        for text in texts:
            if not text or "\n" in text or "\r" in text:
                raise RunError(
                    f"An id of {what} is {text!r}: an export keeps a line for each, so that it may "
                    "be neither empty nor hold a line break. Rename it in the data."
                )
        are_numbers = self.dtype == tf.int64  # comparing takes longer than all else here
        negative = [text for text in texts if are_numbers and text.startswith("-")]
        if negative:
            raise RunError(
                f"An id of {what} is {negative[0]}: requests take no negative numbers, of which "
                f"{NO_NUMBER} stands for none. Rename it in the data."
            )
