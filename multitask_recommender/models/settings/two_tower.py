"""Settings of models/two_tower.py."""

from typing import Literal

from pydantic import Field, model_validator

from multitask_recommender.errors import suggestion
from multitask_recommender.interactions import Interactions
from multitask_recommender.settings import Settings as Base

Inputs = list[str]

_INPUTS = "What vectors are the sum of: id, history (who was met in training), features by name."


class Ranking(Base):
    """The space in which ranking tasks read users and items."""

    dimension: int = Field(32, gt=0)
    user: Inputs | None = Field(None, description=_INPUTS + " Separate embeddings only.")
    item: Inputs | None = Field(None, description=_INPUTS + " Separate embeddings only.")
    dropout: float = Field(0.0, ge=0, lt=1, description="Of the product of user and item.")
    l2: float = Field(0.0, ge=0)
    bias_l2: float = Field(0.005, ge=0)


class Settings(Base):
    embedding_dimension: int = Field(64, gt=0)
    embeddings: Literal["shared", "separate"] = Field(
        "shared",
        description="shared: one table a side for all tasks; ranking tasks read the first "
        "`ranking.dimension` coordinates. separate: ranking tasks have tables of their own.",
    )
    user: Inputs = Field(["id"], min_length=1, description=_INPUTS)
    item: Inputs = Field(["id"], min_length=1, description=_INPUTS)
    hidden_layers: list[int] = Field([], description="ReLU layers of each tower, after the sum.")
    dropout: float = Field(0.0, ge=0, lt=1, description="Of the query, in training.")
    history_dropout: float = Field(0.0, ge=0, lt=1, description="Of what a user has met.")
    l2: float = Field(0.0, ge=0, description="Weight decay of the rows that a batch uses.")
    l2_power: float = Field(
        0.5, ge=0, le=1, description="A row is charged by its number of events to this power."
    )
    initial_stddev: float = Field(0.05, gt=0)
    ranking: Ranking | None = None

    @model_validator(mode="after")
    def _inputs_have_tables(self) -> "Settings":
        if self.embeddings == "separate" and self.ranking is None:
            raise ValueError("separate embeddings need `ranking`, the tables of ranking tasks.")
        ranking = self.ranking
        if self.embeddings == "shared" and ranking and ranking.dimension > self.embedding_dimension:
            raise ValueError(
                f"ranking.dimension {ranking.dimension} exceeds embedding_dimension "
                f"{self.embedding_dimension}, of which it is a part when embeddings are shared."
            )
        if self.embeddings == "shared" and ranking and (ranking.user or ranking.item):
            raise ValueError(
                "ranking.user and ranking.item choose the inputs of separate embeddings; with "
                "shared ones both tasks read model.user and model.item."
            )
        return self

    def missing_from(self, train: Interactions, where: str) -> list[str]:
        ranking = self.ranking or Ranking()
        sides = (
            (train.users, {"user": self.user, "ranking.user": ranking.user}),
            (train.items, {"item": self.item, "ranking.item": ranking.item}),
        )
        faults = []
        for entities, inputs in sides:
            known = ["id", "history", *entities.features]
            named = [(key, name) for key, names in inputs.items() for name in names or ()]
            faults += [
                f"{where}.{key} names '{name}', which the data does not have."
                f"{suggestion(name, known)} Inputs here: {', '.join(known)}."
                for key, name in named
                if name not in known
            ]
        return faults
