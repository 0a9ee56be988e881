"""The model card of an export: what it was made of, how good it is, what it cannot do."""

import dataclasses
import pathlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from multitask_recommender import run_folder
from multitask_recommender.export.folder import EXTRA
from multitask_recommender.export.golden import TOLERANCE
from multitask_recommender.schema import TRAIN, VALIDATION

if TYPE_CHECKING:
    from multitask_recommender.export.write import Written
    from multitask_recommender.index.tuning.tune import Tuned

FILE = "model_card"
# Of the metrics, those that a person wants to see first; the JSON holds all.
_SHOWN = ("recall@20", "ndcg@20", "mrr@20", "top_100_categorical_accuracy", "auc", "ece")
_SHOWN += ("log_loss", "root_mean_squared_error", "mean_absolute_error")
_LIMITS = """
- Users and items that training has not met are unknown. Such a user is answered from the history of
  the request, if the model reads histories, else by popularity; `source` says which.
- Only what is retrieved is ranked.
- Probabilities are as calibrated as the table says, for rows like those of training.
"""


def write(
    folder: pathlib.Path,
    about: dict[str, Any],
    run: dict[str, Any],
    tuned: "Tuned | None",
    written: "Written",
) -> None:
    """model_card.json, for programs, and model_card.md, for people, into assets.extra.

    about: `model` and `version`; run: its config, dataset, versions and what metrics.json holds.
    """
    card = {
        **about,
        "signatures": written.saved.signatures,
        "parity": dataclasses.asdict(written.parity) | {"tolerance": TOLERANCE},
        "index": None if tuned is None else _index(tuned),
        **run,
    }
    run_folder.write_json(folder / EXTRA / f"{FILE}.json", card)
    run_folder.write_text(folder / EXTRA / f"{FILE}.md", "\n".join(_lines(card)) + "\n")


def _index(tuned: "Tuned") -> dict[str, Any]:
    def told(point: Any) -> dict[str, Any]:
        settings = point.settings.model_dump(mode="json")
        return {**settings, "recall": point.recall, "speed": point.speed}

    return {
        "name": tuned.name,
        "note": tuned.note,
        "chosen": told(tuned.chosen),
        "curve": [told(point) for point in tuned.curve],
    }


def _lines(card: dict[str, Any]) -> Iterator[str]:
    config, dataset, parity = card["config"], card["dataset"], card["parity"]
    yield f"# {card['model']}, version {card['version']}\n"
    yield f"- Model: {_of_model(card)} x {{{', '.join(config['tasks'])}}}"
    yield f"- Data: {dataset['name']}, {dataset['users']} users, {dataset['items']} items"
    yield f"- Learnt from: {_learnt_from(card)}"
    yield from (f"- **{warning}**" for warning in dataset["warnings"])
    for change in card.get("reindexed", ()):
        yield _of_change(change)
    worst = max(parity["scores"], parity["predictions"])
    yield f"- Parity: {parity['requests']} requests answered as by the model, within {worst:.1e}"
    yield _of_index(card["index"])
    versions = card["versions"]
    yield (
        f"- Made by multitask_recommender {versions['multitask_recommender']} (commit "
        f"{versions['commit']}), TensorFlow {versions['tensorflow']}"
    )
    yield "\n## Measured on test\n\n| | model | popularity |\n|---|---|---|"
    for name, value in card["metrics"].items():
        if name.startswith("test/") and name.endswith(_SHOWN):
            other = card["baselines"]["popularity"].get(name)
            yield f"| {name} | {value:.4f} | {'-' if other is None else f'{other:.4f}'} |"
    yield "\n## Out of vocabulary\n"
    for part, rates in dataset["unknown"].items():
        told = ", ".join(f"{name} {rate:.2%}" for name, rate in _flat(rates))
        yield f"- {part}: {told or 'nothing'}"
    yield f"\n## Limits\n{_LIMITS.rstrip()}"


def _of_model(card: dict[str, Any]) -> str:
    """An ensemble is its members: the config that it has names one model alone."""
    if "ensemble" in card:
        names = ", ".join(member["name"] for member in card["ensemble"]["members"])
        return f"{card['ensemble']['method']} ensemble of {names}"
    return " x ".join(card["config"][section]["name"] for section in ("model", "sharing"))


def _learnt_from(card: dict[str, Any]) -> str:
    parts = card["protocol"]["trained_on"]
    unused = card["dataset"]["parts"].get(VALIDATION, {}).get("rows", 0)
    if parts != TRAIN or not unused:
        return parts
    return f"{parts} alone (training.refit is false: {unused} rows of validation are unused)"


def _of_change(change: dict[str, Any]) -> str:
    counts = ", ".join(f"{change[key]} {key}" for key in ("kept", "replaced", "added", "removed"))
    return (
        f"- **Reindexed** from version {change['from_version']} without training: {counts}, which "
        f"makes {change['items']} items. {change['begin']} Scores of the others differ by "
        f"{change['largest_change']:.1e}. What is measured below is of before"
    )


def _flat(rates: Any, name: str = "") -> Iterator[tuple[str, float]]:
    if isinstance(rates, dict):
        for key, value in rates.items():
            yield from _flat(value, f"{name}.{key}" if name else key)
    elif isinstance(rates, float | int):
        yield name, rates


def _of_index(index: dict[str, Any] | None) -> str:
    if index is None:
        return "- Index: none. The model only ranks; candidates are the most popular items"
    note = f" ({index['note']})" if index["note"] else ""
    recall = f"{index['chosen']['recall']:.4f} of the exact best 100"
    return f"- Index: {index['name']}, which finds {recall}{note}"
