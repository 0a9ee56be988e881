"""A finished run asked why: the reasons for the score of an item, as a table and as a file."""

import dataclasses
import pathlib
from typing import Any

from multitask_recommender import assembly, record, report, run_folder
from multitask_recommender.config import load
from multitask_recommender.ensembles.recipe import is_ensemble
from multitask_recommender.errors import ConfigError
from multitask_recommender.experiment import Experiment
from multitask_recommender.explanation import IN_HISTORY, Explainer, Explanation
from multitask_recommender.export.raw_ids import RawIds
from multitask_recommender.interactions import Entities


def explain(
    run_dir: pathlib.Path, pair: tuple[str, str], top: int, json_path: pathlib.Path | None = None
) -> None:
    """Explains the scores of a user and an item, by their ids as in the data.

    Shows the reasons that raise the first score most; the file holds all. Raises ConfigError for
    ids that the run does not know.
    """
    run_folder.check_complete(run_dir)
    if is_ensemble(run_dir):
        raise ConfigError(f"{run_dir} is an ensemble: explain its members, one by one.")
    if json_path is not None:
        run_folder.check_writable(json_path)
    config = load(run_dir / run_folder.CONFIG)
    experiment = Experiment(config, assembly.read(config))
    train = experiment.data.train
    record.check_same_data(run_dir / run_folder.CONFIG, train.source)
    user, item = _dense(train.users, pair[0], "user"), _dense(train.items, pair[1], "item")
    with report.working("scoring without each reason"):
        found = Explainer(experiment, experiment.restore(run_dir))(user, item)
    _show(found, pair, top, train.num_items)
    report.warn(train.source.warnings)
    if json_path is not None:
        written = dataclasses.asdict(found) | {"user": pair[0], "item": pair[1]}
        run_folder.write_json(json_path, {**written, "dataset": train.source.name})
        report.show_written([json_path])


def _dense(entities: Entities, word: str, kind: str) -> int:
    """The id of a raw one. Raises ConfigError where it is not of the vocabulary."""
    known = entities.vocabulary
    raw: Any = word
    if known.dtype.kind in "iu":
        try:
            raw = int(word)
        except ValueError as error:
            raise ConfigError(f"{word!r} is no {kind}: ids are whole numbers here.") from error
    found = int(RawIds(known).dense([raw])[0])
    if not found:
        some = ", ".join(map(str, known[:3]))
        raise ConfigError(
            f"{word!r} is no {kind} that the run knows: it knows {len(known):,}, such as {some}."
        )
    return found


def _show(found: Explanation, pair: tuple[str, str], top: int, num_items: int) -> None:
    tasks = list(found.scores)
    rows = {"score": [*map(report.shown, found.scores.values())]}
    for reason in found.reasons[:top]:
        told = "item" if reason.source == IN_HISTORY else f"{reason.source}'s"
        value = f" = {reason.value}" if reason.value else ""
        name = f"{told} {reason.name}{value}"
        rows[f"without {name}"] = [f"{-reason.effects[task]:+.4f}" for task in tasks]
    report.show_table(f"user {pair[0]}, item {pair[1]}", tasks, rows, bold="score")
    if found.place is not None:
        report.say(f"Place {found.place} of {num_items} items, those seen left out.")
    left = len(found.reasons) - top
    if left > 0:
        report.say(f"{left} more reasons raise it less, or lower it: see --json and --top.")
    for note in found.notes:
        report.say(note)
