"""The parity certificate: what an export, loaded anew, answers, against the model in Python."""

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np

from multitask_recommender.errors import RunError
from multitask_recommender.export.golden import TOLERANCE, Request
from multitask_recommender.export.raw_ids import RawIds
from multitask_recommender.export.reference import Arrays, Asked, Expected, Reference
from multitask_recommender.export.vectors import ExpectedAlike, ExpectedQuery, difference
from multitask_recommender.histories import Rows

_ALIKE, _EMBEDS = "similar_items", "embed_query"


@dataclasses.dataclass(frozen=True)
class Ids:
    """Of users and of items, and what each user has seen."""

    users: RawIds
    items: RawIds
    seen: Rows

    def asked(self, request: Request, weights: dict[str, float], excludes_seen: bool) -> Asked:
        """A request in dense ids; weights and whether to leave out, where it does not say it."""
        inputs = request.inputs
        user = int(self.users.dense(inputs["user_id"])[0])
        history, excluded = (
            self.items.dense(inputs[name][0]).tolist() if name in inputs else []
            for name in ("history", "exclude_ids")
        )
        history = [item for item in history if item]
        if inputs.get("exclude_seen", [excludes_seen])[0]:
            splits, members = self.seen
            excluded += [*members[splits[user] : splits[user + 1]].tolist(), *history]
        own = {name: inputs[f"weight_{name}"][0] for name in weights if f"weight_{name}" in inputs}
        # Of items that were removed, whose ids are higher, only histories know.
        chosen = sorted({item for item in excluded if 0 < item <= self.items.number})
        items = None
        if "item_ids" in inputs:
            items = self.items.dense(inputs["item_ids"][0]).tolist()
        return Asked(user, history, chosen, inputs.get("k", [0])[0], weights | own, items)


@dataclasses.dataclass(frozen=True)
class Parity:
    """The largest differences between what an export answers and what the model does.

    They are relative to the size of the value where that is above 1: float32 has seven digits.
    """

    requests: int
    scores: float
    predictions: float

    def check(self) -> None:
        """Raises RunError above the tolerance, and where something is no number."""
        worst = float(np.max([self.scores, self.predictions]))
        if not worst <= TOLERANCE:
            raise RunError(
                f"The export does not answer as the model does: they differ by {worst:.2g}, the "
                f"tolerance is {TOLERANCE:g}. It was not written; this is a fault of the library."
            )


@dataclasses.dataclass(frozen=True)
class Trial:
    """Golden requests, and what the model has for them.

    is_exact: whether the index of the export finds the best items; else it may miss some.
    """

    requests: Sequence[Request]
    expected: Sequence[Expected | ExpectedQuery | ExpectedAlike]
    items: RawIds
    is_exact: bool

    @classmethod
    def of(
        cls,
        requests: Sequence[Request],
        reference: Reference,
        ids: Ids,
        weights: dict[str, float],
        excludes_seen: bool,
        is_exact: bool,
    ) -> "Trial":
        """Asks the model, which must not be frozen yet."""
        by_retrieval = {name: float(name == reference.retrieval) for name in weights}
        expected = []
        for request in requests:
            if request.signature == _ALIKE:
                expected.append(_alike(request, reference, ids.items, is_exact))
                continue
            own = by_retrieval if request.signature == "retrieve" else weights
            asked = ids.asked(request, own, excludes_seen)
            embeds = request.signature == _EMBEDS
            expected.append(reference.query(asked) if embeds else reference.expect(asked))
        return cls(requests, expected, ids.items, is_exact)

    def parity(self, answers: Sequence[Arrays]) -> Parity:
        """Raises RunError where an answer holds what it must not, or too little."""
        scores, predictions = [0.0], [0.0]
        for expected, answer in zip(self.expected, answers, strict=True):
            is_list = isinstance(expected, Expected)
            found = self._of_list(expected, answer) if is_list else expected.differences(answer)
            for name, value in found:
                (scores if name == "scores" else predictions).append(value)
        return Parity(len(answers), float(np.max(scores)), float(np.max(predictions)))

    def _of_list(self, expected: Expected, answer: Arrays) -> Iterator[tuple[str, float]]:
        answer = {name: values[0] for name, values in answer.items()}
        if expected.asked.items is None:
            number, wanted = int(answer["num_items"]), len(expected.best)
            if number != wanted:
                raise RunError(f"The export answers {number} items where the model has {wanted}.")
            answer = {n: v[:number] for n, v in answer.items() if n not in ("num_items", "source")}
            found = self.items.dense(answer["item_ids"])
            if set(found.tolist()) & set(expected.asked.excluded):
                raise RunError(
                    "The export answers items that were to be left out: a fault of ours."
                )
            if self.is_exact and not expected.is_tied:
                yield "scores", difference(answer["scores"], expected.best)
        else:
            found = np.array(expected.asked.items)
        order = np.argsort(expected.items, kind="stable")
        places = np.searchsorted(expected.items, found, sorter=order)
        places = order[np.minimum(places, len(order) - 1)] if len(order) else places
        # Of what an approximate index finds beyond the exact candidates nothing is known here.
        known = expected.items[places] == found if len(found) else np.zeros(0, bool)
        yield "scores", difference(answer["scores"][known], expected.scores[places[known]])
        for label in expected.predictions.keys() & answer.keys():
            values = expected.predictions[label][places[known]]
            yield label, difference(answer[label][known], values)


def _alike(request: Request, reference: Reference, items: RawIds, is_exact: bool) -> ExpectedAlike:
    item = int(items.dense(request.inputs["item_id"])[0])
    cosines = reference.vectors.cosines(item)
    return ExpectedAlike(item, cosines, request.inputs["k"][0], items, is_exact)
