"""What the settings of models share that read what a user has met so far, in its order."""

from pydantic import Field

from multitask_recommender.interactions import Interactions
from multitask_recommender.models.settings._inputs import SideSettings
from multitask_recommender.tasks.settings._task import not_binary


class SessionSettings(SideSettings):
    embedding_dimension: int = Field(64, gt=0, le=65_536)
    session_length: int = Field(
        50, gt=0, le=10_000, description="Items of a history that are read: the latest ones."
    )
    history_positive: str | None = Field(
        None,
        description="The label whose 1 makes an event one that histories tell; by default that of "
        "retrieval, if there is one.",
    )
    tied: bool = Field(
        True, description="What a history reads of items are the vectors that are retrieved."
    )
    normalise: bool = Field(
        False, description="Retrieve by the cosine of state and item; try a temperature of 0.07."
    )
    item_bias: bool = Field(
        True, description="Items have a bias in retrieval, which begins at the log of popularity."
    )
    input_dropout: float = Field(0.0, ge=0, lt=1, description="Of the items of a history.")
    dropout: float = Field(0.0, ge=0, lt=1, description="Of the state, in training.")
    l2: float = Field(0.0, ge=0, description="Weight decay of the rows that a batch uses.")
    l2_power: float = Field(
        0.5, ge=0, le=1, description="A row is charged by its number of events to this power."
    )
    initial_stddev: float = Field(0.05, gt=0)

    @property
    def reads_recent(self) -> bool:
        return True

    def missing_from(self, train: Interactions, where: str) -> list[str]:
        faults = []
        if train.timestamps is None:
            faults.append(
                f"{where} reads what came before an event, but {train.source.name} has no "
                "timestamps: take a model without sessions, such as two_tower, or data with times."
            )
        if self.history_positive is not None:
            faults += not_binary(train, self.history_positive, f"{where}.history_positive")
        return faults + super().missing_from(train, where)
