"""Settings of tasks/retrieval.py."""

from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from multitask_recommender.interactions import Interactions
from multitask_recommender.tasks.settings._task import TaskSettings, not_binary

_FULL_ITEMS = 20_000  # 4,096 queries against as many items: 312 MiB of scores


class Settings(TaskSettings):
    predicts_label: ClassVar[bool] = False

    loss: Literal["softmax", "bpr", "bpr_max"] = "softmax"
    negatives: Literal["auto", "full", "in_batch", "sampled", "drawn"] = Field(
        "auto",
        description="What a positive is compared with: all items; the batch's; drawn ones and the "
        "batch's (sampled); or drawn ones alone, as sessions want it, whose items in a batch are "
        "alike. auto: all of up to 20,000 items, else the batch's (bpr: drawn ones).",
    )
    num_negatives: int = Field(
        512,
        gt=0,
        description="How many are drawn: a batch; for bpr a row, where each costs as much as one "
        "more row (try 1), or with hardness a user.",
    )
    score_l2: float = Field(
        0.0, ge=0, description="Of bpr_max: how much the scores of its negatives are held down."
    )
    negatives_power: float = Field(
        0.0, ge=0, le=1, description="Items are drawn by count ** power; 0 is uniform."
    )
    hardness: float = Field(
        0.0,
        ge=0,
        description="Of bpr with negatives full: they are drawn by count ** negatives_power * "
        "exp(hardness * score), for each user of a batch, who scores all items (batch_by user, "
        "best). 0 does not look at scores; 1 draws them as a softmax weighs them.",
    )
    slope: float = Field(
        1.0,
        gt=0,
        description="Of bpr: differences of scores are multiplied by it. The less, the more alike "
        "pairs count, those in the wrong order and the others; hard negatives want that.",
    )
    temperature: float = Field(1.0, gt=0, description="Scores are divided by it.")
    logq: bool = Field(True, description="Correct for how often an item is met as a negative.")
    remove_accidental_hits: bool = Field(
        True, description="A row's own item is not also one of its negatives."
    )
    remove_positives: bool = Field(
        False, description="Nor are the user's other training positives."
    )
    positive: str | None = Field(
        None, description="The label whose 1 makes a row a positive; by default every row is one."
    )

    user_power: float = Field(
        1.0,
        ge=0,
        le=1,
        description="A user counts by the number of his training positives to this power: 1, every "
        "row alike; 0, every user alike.",
    )
    precision: Literal["float32", "bfloat16"] | None = Field(
        None,
        description="Of the product of queries and candidates in a softmax; null: that of "
        "training.precision. bfloat16 keeps three digits.",
    )
    exposed_weight: float = Field(
        0.0,
        ge=0,
        description="How many times more an item counts among the negatives of a user who was "
        "shown it and left it: whose training rows of it are no positives. In-batch and sampled "
        "softmax see those that the batch holds: batch_by user, best.",
    )

    def negatives_among(self, num_items: int) -> str:
        """`negatives`, with what auto means for so many items."""
        if self.negatives != "auto":
            return self.negatives
        if num_items <= _FULL_ITEMS:
            return "full"
        return "sampled" if self.loss == "bpr" else "in_batch"

    @model_validator(mode="after")
    def _exposures_are_told_from_positives(self) -> "Settings":
        if self.exposed_weight and self.positive is None:
            raise ValueError("exposed_weight needs `positive`: else no row is without one.")
        if self.exposed_weight and self.loss != "softmax":
            raise ValueError(f"exposed_weight is for softmax, not for {self.loss}.")
        return self

    @model_validator(mode="after")
    def _only_bpr_max_holds_scores_down(self) -> "Settings":
        if self.score_l2 and self.loss != "bpr_max":
            raise ValueError(f"score_l2 is for bpr_max, not for {self.loss}.")
        return self

    @model_validator(mode="after")
    def _bpr_draws(self) -> "Settings":
        if self.loss == "bpr" and self.negatives == "in_batch":
            raise ValueError("bpr draws its negatives: use negatives sampled, full or auto.")
        return self

    @model_validator(mode="after")
    def _hardness_is_of_bpr_among_all_items(self) -> "Settings":
        if self.hardness and (self.loss, self.negatives) != ("bpr", "full"):
            raise ValueError(
                "hardness is for bpr with negatives full, not for "
                f"{self.loss} with negatives {self.negatives}."
            )
        return self

    @model_validator(mode="after")
    def _slope_is_of_bpr(self) -> "Settings":
        if self.slope != 1 and self.loss != "bpr":
            raise ValueError(f"slope is for bpr, not for {self.loss}.")
        return self

    def missing_from(self, train: Interactions, where: str) -> list[str]:
        if self.positive is None:
            return []
        return not_binary(train, self.positive, f"{where}.positive")

    def conflicts(self, config: Any) -> list[str]:
        others = [
            name for name, task in config.tasks.items() if isinstance(task.settings, Settings)
        ]
        if len(others) == 1 or config.tasks[others[0]].settings is not self:
            return []
        return [f"tasks {' and '.join(others)} both retrieve: at the most one task can."]
