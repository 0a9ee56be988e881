"""An export whose items change: the next version, without training and without the data.

The items of a service change daily, its model is trained weekly. What the next version is made of
is in the one before it: the model's functions as they were traced, its tables with other rows
(export/frozen.py), and what training told. Scores of items that stay are those of before, to the
last bit.
"""

import dataclasses
import pathlib
import tempfile
from typing import TYPE_CHECKING, Any

import numpy as np

from multitask_recommender import assembly, exporting, record, report, run_folder
from multitask_recommender.config import Config, load
from multitask_recommender.errors import RunError
from multitask_recommender.export import folder as export_folder

if TYPE_CHECKING:
    from multitask_recommender.export.cascade import Parts
    from multitask_recommender.export.certificate import Trial
    from multitask_recommender.export.changes import Changes
    from multitask_recommender.export.frozen_scorer import FrozenScorer
    from multitask_recommender.export.previous import Previous
    from multitask_recommender.export.reference import Reference
    from multitask_recommender.export.saved import Saved
    from multitask_recommender.index.tuning.tune import Tuned

_COMPARED_USERS, _COMPARED_ITEMS = 20, 500  # whose predictions are held against those of before
_ITEMS_AT_ONCE = 1 << 16  # that are made vectors of


def reindex(
    place: pathlib.Path, items_path: pathlib.Path, out: pathlib.Path | None = None
) -> pathlib.Path:
    """Writes the next version of an export with the items of a file added, replaced or removed.

    place: of a version, or of a base path, whose latest it is. out: the base path of the next one,
    by default that of the export. Returns its folder. Raises DataError for a file that cannot be
    used, RunError where the index finds too little, items that stay would be answered otherwise, or
    another process wrote a version meanwhile.
    """
    exported = export_folder.latest(place)
    config_path = exported / export_folder.EXTRA / run_folder.CONFIG
    config, base = load(config_path), out or exported.absolute().parent

    from multitask_recommender.export import card, items_file, write
    from multitask_recommender.export.changes import Changes
    from multitask_recommender.export.previous import Previous

    with report.working(f"reading {exported} and {items_path}"):
        previous = Previous.read(exported)
        listed = items_file.read(items_path, previous.are_numbers, previous.facts.item_features)
        changes = Changes.of(listed, previous.items, previous.facts.num_items)
    report.warn(_warnings(changes))
    with export_folder.new_version(base) as (version, folder):
        _check_is_latest(place, exported)
        before = _ranked(previous, previous.saved, changes)
        tuned, trial = _saved(config, previous, changes, folder)
        about = {"model": export_folder.name_of(base), "version": version}
        with report.working("comparing the next version with the model"):
            written = write.proved(folder, about, trial)
        largest = largest_change(before, _ranked(previous, written.saved, changes))
        change = {**_change(previous, changes), "largest_change": largest}
        run = {name: value for name, value in previous.card.items() if name not in _OF_A_VERSION}
        run["reindexed"] = [*previous.card.get("reindexed", ()), change]
        card.write(folder, about, run, tuned, written)
        run_folder.write_text(
            folder / export_folder.EXTRA / run_folder.CONFIG, config_path.read_text()
        )
    _show(change)
    report.show_written([base / str(version)])
    return base / str(version)


_OF_A_VERSION = {"model", "version", "signatures", "parity", "index"}  # of a card; not of its run


def _check_is_latest(place: pathlib.Path, exported: pathlib.Path) -> None:
    """Raises RunError where another version came while this one was read."""
    latest = export_folder.latest(place)
    if latest != exported:
        raise RunError(
            f"{latest} was written while {exported} was read: the next version would be without "
            "its changes. Nothing was written; run it again."
        )


def _saved(
    config: Config, previous: "Previous", changes: "Changes", folder: pathlib.Path
) -> "tuple[Tuned | None, Trial]":
    """Writes the SavedModel of the next version: see exporting.py."""
    from multitask_recommender.export import write

    settings = config.export.resolved(config.evaluation.protocols)
    with report.working("writing the next version"), tempfile.TemporaryDirectory() as aside:
        parts, tuned, trial = _next(config, previous, changes, pathlib.Path(aside))
        write.save(folder, parts, settings)
    return tuned and tuned.without_index(), trial


def _next(
    config: Config, previous: "Previous", changes: "Changes", aside: pathlib.Path
) -> "tuple[Parts, Tuned | None, Trial]":
    """What the next version is made of, its index, and what it is tried with."""
    from multitask_recommender.export.certificate import Ids
    from multitask_recommender.export.frozen_scorer import FrozenScorer
    from multitask_recommender.export.raw_ids import RawIds

    vectors, tuned = _vectors(previous, changes), None
    parts = previous.parts(changes, aside)
    facts, users = parts.model.facts, previous.users
    raw_ids = changes.raw_ids(previous.items)
    scorer = FrozenScorer(parts, vectors, users, RawIds(raw_ids))
    if vectors is not None:
        asking = exporting.tuning_users(config, parts.known.met_users)
        tuned = exporting.tuned_index(config, vectors, scorer.embed(asking))
        facts = facts.model_copy(update={"index": tuned.name})
        parts = dataclasses.replace(
            parts,
            model=dataclasses.replace(parts.model, facts=facts),
            index=tuned.index,
            alike=exporting.alike(vectors, facts.bias_coordinates, tuned),
        )
    settings = config.export.resolved(config.evaluation.protocols)
    ids = Ids(users, RawIds(raw_ids[: facts.num_items]), parts.known.seen)
    trial = exporting.trial_of(facts, settings, _reference(config, parts, scorer), ids)
    return parts, tuned, trial


def _vectors(previous: "Previous", changes: "Changes") -> np.ndarray | None:
    """Retrieval vectors [I, D] of the items afterwards: as they were, and those that are told of.

    The tables of the model have their new rows from here on.
    """
    import tensorflow as tf

    index = previous.facts.index
    if index is None:
        previous.grow(changes)
        return None
    before = previous.vectors(assembly.index_class(index))
    previous.grow(changes)
    vectors = np.empty((changes.num_items, before.shape[1]), np.float32)
    vectors[: changes.kept] = before[changes.sources[: changes.kept] - 1]
    told = changes.told
    try:
        for start in range(0, len(told), _ITEMS_AT_ONCE):
            ids = told[start : start + _ITEMS_AT_ONCE]
            found = previous.saved.module.model.embed_items(tf.constant(ids, tf.int32))
            vectors[ids - 1] = found.numpy()
    except tf.errors.OpError as error:
        raise RunError(
            "The model keeps a number of items in its graph, so that there cannot be more: its "
            f"tables of items are to be ItemTables (layers/item_table.py). {error.message}"
        ) from error
    return vectors


def _reference(config: Config, parts: "Parts", scorer: "FrozenScorer") -> "Reference":
    from multitask_recommender.export.reference import Reference
    from multitask_recommender.export.vectors import Vectors

    model = parts.model
    labels, biases = model.facts.labels, model.facts.bias_coordinates

    def gain(label: str) -> Any:
        return lambda values: model.gains(dict.fromkeys(labels, values[None]))[label].numpy()[0]

    missing = {
        name: np.zeros((1, 1) if feature.has_several else 1, np.int32)
        if feature.has_words
        else np.full(1, np.nan, np.float32)
        for name, feature in model.facts.context.items()
    }
    popularity = parts.known.popularity[: model.facts.num_items]
    return Reference(
        scorer=scorer,
        gains={label: gain(label) for label in labels},
        retrieval=model.facts.retrieval,
        popularity=popularity,
        retrieve=min(config.export.retrieve, len(popularity)),
        missing=missing,
        vectors=None if scorer.items is None else Vectors(scorer.items, biases),
    )


def _ranked(previous: "Previous", saved: "Saved", changes: "Changes") -> dict[str, np.ndarray]:
    """Scores and predictions of some users for some of the items about which nothing changes."""
    generator = np.random.default_rng(0)
    same = generator.permutation(changes.same)[:_COMPARED_ITEMS]
    users = 1 + generator.permutation(previous.users.number)[:_COMPARED_USERS]
    if not len(same):
        return {}
    items = previous.items.raw(changes.sources[same - 1])
    return previous.ranked(saved, previous.users.raw(users), items)


def largest_change(before: dict[str, np.ndarray], after: dict[str, np.ndarray]) -> float:
    """Of what is predicted of items that stay: 0 where it is the same to the last bit.

    Raises RunError above the tolerance of an export.
    """
    from multitask_recommender.export.golden import TOLERANCE
    from multitask_recommender.export.vectors import difference

    changes = {name: difference(after[name], values) for name, values in before.items()}
    for name, largest in changes.items():
        if not largest <= TOLERANCE:
            raise RunError(
                f"{name} of items that stay would not be what it was; it differs by up to "
                f"{largest:.2g}. Nothing was written; this is a fault of the library."
            )
    return max(changes.values(), default=0.0)


def _change(previous: "Previous", changes: "Changes") -> dict[str, Any]:
    """For the card."""
    return {
        "from_version": previous.folder.absolute().name,
        "items": changes.num_items,
        "kept": changes.kept - changes.replaced,
        "replaced": changes.replaced,
        "added": changes.added,
        "removed": changes.removed,
        "begin": _begin(previous, changes),
        "warnings": _warnings(changes),
        "versions": record.versions(),
    }


def _begin(previous: "Previous", changes: "Changes") -> str:
    """What new items are to the model, in a sentence."""
    if changes.added == changes.returned:
        return "No item is new."
    told = sorted(changes.listed.features)
    parts = [f"what the model makes of their {', '.join(told)}"] if told else []
    if previous.begins_with_mean():
        parts.append("the mean of what was learnt of the items that training met")
    return f"New items begin with {' and '.join(parts)}; strangers get them last."


def _warnings(changes: "Changes") -> list[str]:
    found = []
    if changes.not_found:
        found.append(f"{changes.not_found} items to be removed are not in the export.")
    if changes.returned:
        found.append(f"{changes.returned} items were removed before: they are back, as they were.")
    if changes.unchanged:
        found.append(
            f"{changes.unchanged} items are in the export already and stay as they are: the file "
            "tells no feature of theirs."
        )
    for name, number in changes.listed.not_learnt.items():
        found.append(f"{number} values of {name} are none that the model has learnt: missing.")
    return found


def _show(change: dict[str, Any]) -> None:
    columns = ["kept", "replaced", "added", "removed", "items"]
    cells = {"items": [f"{change[column]:,}" for column in columns]}
    report.show_table(
        f"from version {change['from_version']}", [*columns[:-1], "now"], cells, "items"
    )
    report.say(change["begin"])
    if change["largest_change"]:
        report.say(f"Scores of items that stay differ by up to {change['largest_change']:.1e}.")
