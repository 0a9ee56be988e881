"""The client: typed questions to an exported recommender, over REST or gRPC."""

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self

from .answers import Answer, Embedding, answers, embeddings
from .endpoint import Endpoint, Interface, Model, Signature
from .errors import ServingError, UsageError
from .queries import Query, Row, columns, completed
from .retries import Retries, call
from .tensors import Id, Nested

DEFAULT_RETRIES = Retries()


class Client:
    """Asks one model of one endpoint; threads may share it.

    A call takes at most `timeout_s` seconds, its retries included, and twice that where it is the
    first and asks for the model's interface. It raises UsageError where a request cannot be made
    and ServingError where it is not answered.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        model: Model,
        timeout_s: float = 5.0,
        retries: Retries = DEFAULT_RETRIES,
    ) -> None:
        self.endpoint = endpoint
        self.model = model
        self._timeout_s = timeout_s
        self._retries = retries
        self._interface: Interface | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.endpoint.close()

    def recommend(self, query: Query) -> Answer:
        """The best items for a user, with what each task predicts."""
        return self.recommend_batch([query])[0]

    def recommend_batch(self, queries: Sequence[Query]) -> list[Answer]:
        return answers(self._ask("recommend", [query.row() for query in queries]))

    def retrieve(self, query: Query) -> Answer:
        """The nearest items by the index alone, without the tasks' predictions."""
        return self.retrieve_batch([query])[0]

    def retrieve_batch(self, queries: Sequence[Query]) -> list[Answer]:
        return answers(self._ask("retrieve", [query.row() for query in queries]))

    def rank(self, query: Query, item_ids: Sequence[Id]) -> Answer:
        """What each task predicts of given items, in the order given."""
        return self.rank_batch([query], [item_ids])[0]

    def rank_batch(
        self, queries: Sequence[Query], item_ids: Sequence[Sequence[Id]]
    ) -> list[Answer]:
        """A list of items for each query."""
        if len(queries) != len(item_ids) or not all(item_ids):
            lengths = [len(each) for each in item_ids]
            raise UsageError(
                f"rank: {len(queries)} queries and lists of {lengths} items. "
                "Give each query a list of at least one item."
            )
        rows: list[Row] = [
            {**query.row(), "item_ids": list(ids)}
            for query, ids in zip(queries, item_ids, strict=True)
        ]
        return answers(self._ask("rank", rows), candidates=item_ids)

    def similar(self, item_id: Id, k: int | None = None, exclude_ids: Sequence[Id] = ()) -> Answer:
        """The items nearest to an item."""
        return self.similar_batch([item_id], k, exclude_ids)[0]

    def similar_batch(
        self, item_ids: Sequence[Id], k: int | None = None, exclude_ids: Sequence[Id] = ()
    ) -> list[Answer]:
        """Neighbours of each item; what is excluded is excluded from all."""
        rows: list[Row] = [
            {"item_id": item_id, "k": k, "exclude_ids": list(exclude_ids)} for item_id in item_ids
        ]
        return answers(self._ask("similar_items", rows))

    def embed(self, query: Query) -> Embedding:
        """A query's vector."""
        return self.embed_batch([query])[0]

    def embed_batch(self, queries: Sequence[Query]) -> list[Embedding]:
        return embeddings(self._ask("embed_query", [query.row() for query in queries]))

    def interface(self) -> Interface:
        """The version that answers and its signatures, asked for once.

        After a refusal it is asked for again by the next call: another version may be served.
        """
        if self._interface is None:
            self._interface = call(
                lambda left_s: self.endpoint.interface(self.model, left_s),
                self._timeout_s,
                self._retries,
            )
        return self._interface

    def signature(self, name: str) -> Signature:
        """A signature by its name; UsageError tells which there are."""
        signatures = self.interface().signatures
        if name not in signatures:
            known = ", ".join(sorted(signatures))
            raise UsageError(f"{self.model.name} has no signature {name}. It has: {known}.")
        return signatures[name]

    def predict(self, signature: str, inputs: Mapping[str, Nested]) -> dict[str, Nested]:
        """Outputs of columns: nested lists whose first dimension is the batch.

        An input that is left out has the export's default in every row, and a lone row is that of
        all.
        """
        found = self.signature(signature)
        inputs = completed(inputs, found)
        try:
            return call(
                lambda left_s: self.endpoint.predict(self.model, found, inputs, left_s),
                self._timeout_s,
                self._retries,
            )
        except ServingError as error:
            if not error.is_transient:
                self._interface = None
            raise

    def _ask(self, signature: str, rows: Sequence[Row]) -> dict[str, Nested]:
        return self.predict(signature, columns(rows, self.signature(signature)))
