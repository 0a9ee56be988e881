"""A trained model -> a SavedModel that answers requests: written, loaded anew, held against it."""

import dataclasses
import gc
import pathlib
from typing import Any

import tensorflow as tf

from multitask_recommender.errors import RunError, said_by_tensorflow
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


def save(folder: pathlib.Path, parts: Parts, settings: Settings) -> None:
    """Writes the SavedModel of an export into a folder that is not there.

    Raises RunError where it cannot be written.
    """
    module = tf.Module()
    # A SavedModel of the functions, and of what they read of the model's functions: no more.
    module.cascade, module.model = Cascade(parts, settings), parts.model.functions
    functions = signatures(parts, module.cascade, settings)
    options = tf.saved_model.SaveOptions(namespace_whitelist=["Scann"])
    try:
        tf.saved_model.save(module, str(folder), signatures=functions, options=options)
    except tf.errors.OpError as error:
        reason = said_by_tensorflow(error.message)
        raise RunError(f"{folder} cannot be written: {reason}.") from error
    (folder / EXTRA).mkdir()
    frozen.write(folder, parts.model.facts)


def proved(folder: pathlib.Path, about: dict[str, Any], trial: Trial) -> Written:
    """Loads what was saved anew, and writes its golden requests and their warm-up beside it.

    about: `model` and `version`. Raises RunError where it does not answer as the model does, or
    cannot be read.
    """
    gc.collect()  # graphs and what they read are cycles, as large as what is loaded
    try:
        saved = Saved(folder)
    except tf.errors.OpError as error:
        reason = said_by_tensorflow(error.message)
        raise RunError(f"{folder} cannot be read again: {reason}.") from error
    answers = golden.answered(saved, trial.requests)
    parity = trial.parity(answers)
    parity.check()
    about = {**about, "vocabulary": golden.vocabulary_checksums(folder)}
    golden.write(folder, about, trial.requests, answers)
    golden.write_warm_up(folder, about["model"], trial.requests, saved)
    return Written(parity, saved)
