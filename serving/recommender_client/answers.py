"""What an export answers, one query at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .tensors import Id, Nested

# Outputs that are not a task's predictions.
_OF_EVERY_ANSWER = {"item_ids", "scores", "source", "num_items"}


@dataclass(frozen=True)
class Item:
    """`score` orders an answer; `predictions` by task: probabilities, stars of ratings."""

    id: Id
    score: float
    predictions: Mapping[str, float]


@dataclass(frozen=True)
class Answer:
    """Items in order, and what is known of the user: `user`, `history`, `features`, `popularity`.

    `source` is None for similar items. There are fewer than k items where others are left out.
    """

    items: tuple[Item, ...]
    source: str | None


@dataclass(frozen=True)
class Embedding:
    """A query's vector in the space of the items, and what it was made of."""

    vector: tuple[float, ...]
    source: str | None


def answers(
    outputs: Mapping[str, Nested], candidates: Sequence[Sequence[Id]] | None = None
) -> list[Answer]:
    """Answers of a batch: its own items, or those that were asked about, `candidates`.

    Rows are as long as the longest of the batch, or of all that the server joined; what lies
    beyond a row's own length is no answer.
    """
    ids = outputs["item_ids"] if candidates is None else candidates
    lengths = [len(row) for row in ids] if candidates is not None else outputs.get("num_items")
    tasks = [name for name in outputs if name not in _OF_EVERY_ANSWER]
    sources = outputs.get("source")
    return [
        Answer(
            items=tuple(
                Item(
                    id=ids[row][n],
                    score=outputs["scores"][row][n],
                    predictions={task: outputs[task][row][n] for task in tasks},
                )
                for n in range(lengths[row] if lengths else len(ids[row]))
            ),
            source=sources[row] if sources else None,
        )
        for row in range(len(ids))
    ]


def embeddings(outputs: Mapping[str, Nested]) -> list[Embedding]:
    """The vectors of a batch."""
    vectors = outputs["embedding"]
    sources = outputs.get("source") or [None] * len(vectors)
    return [
        Embedding(tuple(vector), source) for vector, source in zip(vectors, sources, strict=True)
    ]
