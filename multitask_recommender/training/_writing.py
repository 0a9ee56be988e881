"""Files of a training: a disk that fills is the user's to mend, not a traceback."""

import contextlib
import pathlib
from collections.abc import Iterator

import tensorflow as tf

from multitask_recommender.errors import RunError


@contextlib.contextmanager
def writing(place: pathlib.Path) -> Iterator[None]:
    """Raises RunError where TensorFlow, or Python, cannot write what it is asked to."""
    try:
        yield
    except tf.errors.OpError as error:
        reason = error.message.rpartition("; ")[2].partition(" [Op:")[0]
        raise RunError(f"{place} cannot be written: {reason}.") from error
    except OSError as error:
        raise RunError(f"{place} cannot be written: {error.strerror}.") from error
