"""A trained model -> a SavedModel that answers requests: written, loaded anew, held against it."""

import dataclasses
import pathlib
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from multitask_recommender.errors import RunError
from multitask_recommender.export import frozen, golden
from multitask_recommender.export.cascade import Cascade, Parts
from multitask_recommender.export.certificate import Parity, Trial
from multitask_recommender.export.folder import EXTRA
from multitask_recommender.export.saved import Saved
from multitask_recommender.export.settings import Settings
from multitask_recommender.export.signatures import signatures


@dataclasses.dataclass(frozen=True)
class Written:
    parity: Parity
    saved: Saved


def write(
    folder: pathlib.Path, about: dict[str, Any], parts: Parts, settings: Settings, trial: Trial
) -> Written:
    """Writes an export, its golden requests and their warm-up into a folder that is not there.

    about: `model` and `version`. Raises RunError where it does not answer as the model does, or
    cannot be written.
    """
    cascade = Cascade(parts, settings)
    try:
        save(folder, cascade, parts.model.functions, signatures(parts, cascade, settings))
        saved = Saved(folder)
    except tf.errors.OpError as error:
        raise RunError(f"{folder} cannot be written, or read again: {error.message}") from error
    answers = golden.answered(saved, trial.requests)
    parity = trial.parity(answers)
    parity.check()
    (folder / EXTRA).mkdir()
    frozen.write(folder, parts.model.facts)
    about = {**about, "vocabulary": golden.vocabulary_checksums(folder)}
    golden.write(folder, about, trial.requests, answers)
    golden.write_warm_up(folder, about["model"], trial.requests, saved)
    return Written(parity, saved)


def save(
    folder: pathlib.Path, cascade: Cascade, model: Any, functions: dict[str, Callable]
) -> None:
    """A SavedModel of the functions, and of what they read of the model's functions: no more."""
    module = tf.Module()
    module.cascade, module.model = cascade, model
    options = tf.saved_model.SaveOptions(namespace_whitelist=["Scann"])
    tf.saved_model.save(module, str(folder), signatures=functions, options=options)
