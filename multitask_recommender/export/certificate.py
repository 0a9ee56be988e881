"""The parity certificate: what an export, loaded anew, answers, against the model in Python."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from multitask_recommender.errors import RunError
from multitask_recommender.export.golden import TOLERANCE, Request
from multitask_recommender.export.raw_ids import RawIds
from multitask_recommender.export.reference import Arrays, Asked, Reference
from multitask_recommender.histories import Rows


@dataclasses.dataclass(frozen=True)
class Ids:
    """Of users and of items, and what each user has seen."""

    users: RawIds
    items: RawIds
    seen: Rows

    def asked(self, request: Request, weights: dict[str, float], excludes_seen: bool) -> Asked:
        """A `recommend` request in dense ids."""
        inputs = request.inputs
        user = int(self.users.dense(inputs["user_id"])[0])
        history, excluded = (
            self.items.dense(inputs[name][0]).tolist() if name in inputs else []
            for name in ("history", "exclude_ids")
        )
        history = [item for item in history if item]
        if excludes_seen:
            splits, members = self.seen
            excluded += [*members[splits[user] : splits[user + 1]].tolist(), *history]
        own = {name: inputs[f"weight_{name}"][0] for name in weights if f"weight_{name}" in inputs}
        chosen = sorted({item for item in excluded if item})
        return Asked(user, history, chosen, inputs["k"][0], weights | own)


@dataclasses.dataclass(frozen=True)
class Parity:
    """The largest differences between what an export answers and what the model does.

    They are relative to the size of the value where that is above 1: float32 has seven digits.
    """

    requests: int
    scores: float
    predictions: float

    def check(self) -> None:
        """Raises RunError above the tolerance."""
        worst = max(self.scores, self.predictions)
        if not worst <= TOLERANCE:
            raise RunError(
                f"The export does not answer as the model does: they differ by {worst:.2g}, the "
                f"tolerance is {TOLERANCE:g}. It was not written; this is a fault of the library."
            )


def compare(
    reference: Reference,
    items: RawIds,
    asked: Sequence[Asked],
    answers: Sequence[Arrays],
    is_exact: bool,
) -> Parity:
    """Answers of one row each. An approximate index may leave items out: then the scores of those
    that it found are compared, else those of every place.
    """
    scores, predictions = [0.0], [0.0]
    for request, answer in zip(asked, answers, strict=True):
        number = int(answer["num_items"][0])
        found = items.dense(answer["item_ids"][0][:number])
        of_found = reference.of_items(request, found)
        if set(found.tolist()) & set(request.excluded):
            raise RunError("The export answers items that were to be left out: a fault of ours.")
        expected = reference.recommend(request) if is_exact else of_found
        if len(expected["scores"]) != number:
            raise RunError(
                f"The export answers {number} items where the model has {len(expected['scores'])}."
            )
        for values in (expected["scores"], of_found["scores"]):
            scores.append(_difference(answer["scores"][0][:number], values))
        for label in of_found.keys() - {"item_ids", "scores", "retrieved"}:
            predictions.append(_difference(answer[label][0][:number], of_found[label]))
    return Parity(len(asked), max(scores), max(predictions))


def _difference(found: np.ndarray, expected: np.ndarray) -> float:
    if not len(found):
        return 0.0
    return float(np.max(np.abs(found - expected) / np.maximum(np.abs(expected), 1.0)))
