"""Settings of models/two_tower.py."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from multitask_recommender.errors import suggestion
from multitask_recommender.interactions import Interactions
from multitask_recommender.settings import Settings as Base
from multitask_recommender.tasks.settings._task import not_binary

Inputs = list[str]
Units = Annotated[int, Field(gt=0, le=65_536)]

_INPUTS = (
    "What vectors are the sum of: id, history (who was met in training), recent (of users: what "
    "was met before the event, the latest items), features by name."
)
_AS_RETRIEVAL = " By default as retrieval."


class Ranking(Base):
    """How the ranking tasks see users and items, where it is not as retrieval does."""

    dimension: int = Field(32, gt=0, le=65_536)
    user: Inputs | None = Field(None, min_length=1, description=_INPUTS + _AS_RETRIEVAL)
    item: Inputs | None = Field(None, min_length=1, description=_INPUTS + _AS_RETRIEVAL)
    dropout: float = Field(0.0, ge=0, lt=1, description="Of the product of user and item.")
    l2: float = Field(0.0, ge=0, description="Weight decay of the vectors that a batch uses.")
    bias_l2: float = Field(0.005, ge=0, description="Weight decay of user and item biases.")


class Settings(Base):
    embedding_dimension: int = Field(64, gt=0, le=65_536)
    embeddings: Literal["shared", "separate"] = Field(
        "shared",
        description="shared: one table a side and input for all tasks; ranking tasks read a "
        "projection to `ranking.dimension`. separate: ranking tasks have tables of their own.",
    )
    user: Inputs = Field(["id"], min_length=1, description=_INPUTS)
    item: Inputs = Field(["id"], min_length=1, description=_INPUTS)
    hidden_layers: list[Units] = Field([], description="ReLU layers of each tower, after the sum.")
    dropout: float = Field(0.0, ge=0, lt=1, description="Of the query, in training.")
    history_dropout: float = Field(0.0, ge=0, lt=1, description="Of what a user has met.")
    recent_length: int = Field(10, gt=0, le=10_000, description="Items that `recent` tells.")
    recent_positive: str | None = Field(
        None,
        description="The label whose 1 makes an event one that `recent` tells; by default that of "
        "retrieval.",
    )
    l2: float = Field(0.0, ge=0, description="Weight decay of the rows that a batch uses.")
    l2_power: float = Field(
        0.5, ge=0, le=1, description="A row is charged by its number of events to this power."
    )
    initial_stddev: float = Field(0.05, gt=0)
    ranking: Ranking | None = None

    @property
    def ranking_inputs(self) -> tuple[Inputs, Inputs]:
        """What ranking tasks read of users and of items."""
        if self.ranking is None:
            return self.user, self.item
        return self.ranking.user or self.user, self.ranking.item or self.item

    @property
    def reads_recent(self) -> bool:
        return any("recent" in inputs for inputs in (self.user, self.ranking_inputs[0]))

    @model_validator(mode="after")
    def _separate_tables_are_described(self) -> "Settings":
        if self.embeddings == "separate" and self.ranking is None:
            raise ValueError("separate embeddings need `ranking`, the tables of ranking tasks.")
        for key, inputs in (("user", self.user), ("item", self.item)):
            if len(set(inputs)) < len(inputs):
                raise ValueError(f"{key} names an input twice: {', '.join(inputs)}.")
        ranking = self.ranking
        if self.embeddings == "shared" and ranking and ranking.dimension > self.embedding_dimension:
            raise ValueError(
                f"ranking.dimension {ranking.dimension} exceeds embedding_dimension "
                f"{self.embedding_dimension}, of which it is a projection: embeddings are shared."
            )
        return self

    def inputs_read(self) -> dict[str, set[str]]:
        users, items = self.ranking_inputs
        return {"user": {*self.user, *users}, "item": {*self.item, *items}}

    def missing_from(self, train: Interactions, where: str) -> list[str]:
        ranking = self.ranking or Ranking()
        sides = (
            (train.users, {"user": self.user, "ranking.user": ranking.user}),
            (train.items, {"item": self.item, "ranking.item": ranking.item}),
        )
        faults = []
        if self.reads_recent:
            if train.timestamps is None:
                faults.append(
                    f"{where}.user names 'recent', but {train.source.name} has no timestamps: "
                    "which events come before another is not known."
                )
            if self.recent_positive is not None:
                faults += not_binary(train, self.recent_positive, f"{where}.recent_positive")
        for entities, inputs in sides:
            known = ["id", "history", *entities.features]
            if entities is train.users:
                known.insert(2, "recent")
            named = [(key, name) for key, names in inputs.items() for name in names or ()]
            faults += [
                f"{where}.{key} names '{name}', which the data does not have."
                f"{suggestion(name, known)} Inputs here: {', '.join(known)}."
                for key, name in named
                if name not in known
            ]
        return faults
