"""Settings of the section `export`: what a trained run becomes, and what it answers by default."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from multitask_recommender.settings import Settings as Base

Weight = Annotated[float, Field(ge=0)]


class Settings(Base):
    when_trained: bool = Field(
        False, description="Export at the end of training, into the run's folder `export`."
    )
    retrieve: int = Field(
        500, gt=0, description="Items that are retrieved for the ranking tasks to score."
    )
    k: int = Field(10, gt=0, description="Items of an answer, where a request does not say it.")
    weights: dict[str, Weight] = Field(
        {},
        description="How much each task counts in the order of an answer, where a request does not "
        "say it. By default 1 for retrieval and 0 for the others; without retrieval, 1 for all.",
    )
    exclude_seen: Literal["auto"] | bool = Field(
        "auto",
        description="Leave out what the user met in training, and the history of the request, "
        "where a request does not say it. auto: as the run was evaluated, true where `full` is "
        "among evaluation.protocols.",
    )
    recall: float = Field(
        0.99,
        gt=0,
        le=1,
        description="Of an approximate index, against the exact one at 100: below, it is refused.",
    )
    tables: Literal["float32", "float16"] = Field(
        "float32",
        description="How the vectors of ids are kept, from which answers are made. float16 takes "
        "half the bytes and rounds to three digits; vectors in an index stay float32.",
    )
    golden_requests: int = Field(
        20, gt=0, description="Requests that are kept with their answers, to try servers with."
    )

    def resolved(self, protocols: Sequence[str]) -> "Settings":
        """With `exclude_seen` as a run with these protocols of evaluation means it."""
        if self.exclude_seen != "auto":
            return self
        return self.model_copy(update={"exclude_seen": "full" in protocols})

    def conflicts(self, config: object) -> list[str]:
        tasks = list(config.tasks)
        return [
            f"export.weights names '{name}', which is no task. Tasks here: {', '.join(tasks)}."
            for name in self.weights
            if name not in tasks
        ]
