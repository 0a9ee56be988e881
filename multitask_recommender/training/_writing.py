"""Files of a training: a disk that fills is the user's to mend, not a traceback."""

import contextlib
import pathlib
from collections.abc import Iterator

import tensorflow as tf

from multitask_recommender.errors import RunError, said_by_tensorflow


@contextlib.contextmanager
def writing(place: pathlib.Path) -> Iterator[None]:
    """Raises RunError where TensorFlow, or Python, cannot write what it is asked to."""
    try:
        yield
    except tf.errors.OpError as error:
        reason = said_by_tensorflow(error.message).rpartition("; ")[2]
        raise RunError(f"{place} cannot be written: {reason}.") from error
    except OSError as error:
        raise RunError(f"{place} cannot be written: {error.strerror}.") from error
