"""What the workers beside the chief do: its steps, until it says how it ended."""

import contextlib
import pathlib
import tempfile
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import tensorflow as tf

from multitask_recommender.errors import ConfigError, RunError
from multitask_recommender.interactions import Interactions
from multitask_recommender.training import _sigterm, strategy
from multitask_recommender.training.checkpoints import Checkpoints
from multitask_recommender.training.loop import STEPS, Training
from multitask_recommender.training.replicas import Replicas
from multitask_recommender.training.settings import Settings

END = 0  # what the chief tells at last, with its exit status


def follow(
    settings: Settings,
    build: Callable[[Interactions], Any],
    rows_of: Mapping[int, Interactions],
) -> None:
    """Takes part in every phase of the chief's; rows_of are those that each learns from.

    Raises as the chief has ended, where it failed.
    """
    replicas = strategy.replicas(settings)
    word, number = replicas.hear()
    while word != END:
        with replicas.scope():
            model = build(rows_of[word])
        batches = model.batches(
            rows_of[word], settings.batch_size, settings.seed, settings.batch_by
        )
        with tempfile.TemporaryDirectory() as nothing:
            checkpoints = Checkpoints(pathlib.Path(nothing))
            training = Training(model, batches, settings, checkpoints, replicas)
            steps = training.rounds()
            word, number = replicas.hear()
            while word == STEPS:
                steps(number)
                word, number = replicas.hear()
    _end_as(number)


@contextlib.contextmanager
def taking_part(settings: Settings) -> Iterator[Replicas]:
    """The replicas of a training; where the block ends, however it does, the others are told.

    Raises RunError where another worker is lost.
    """
    replicas = strategy.replicas(settings)
    try:
        yield replicas
    except tf.errors.OpError as error:
        # Between the lines that say where in the code, the one that says what.
        lines = [line.strip() for line in error.message.splitlines()]
        reason = next((line for line in lines if "Collective ops is aborted" in line), lines[0])
        raise RunError(
            f"The cluster has stopped: {reason.rstrip('.')}. Give all processes the same command "
            "again: the training goes on from its last checkpoint."
        ) from error
    except BaseException as error:
        if replicas.is_chief:
            replicas.tell(END, _status(error))
        raise
    if replicas.is_chief:
        replicas.tell(END, 0)


def _status(error: BaseException) -> int:
    """The exit status that the command line has for an error."""
    if isinstance(error, ConfigError):
        return 2
    if isinstance(error, SystemExit) and isinstance(error.code, int):
        return error.code
    return 1


def _end_as(status: int) -> None:
    if not status:
        return
    text = f"The chief has ended with status {status}: see its own output."
    if status == 2:
        raise ConfigError(text)
    if status == _sigterm.EXIT_STATUS:
        raise SystemExit(status)
    raise RunError(text)
