"""Which traps are known and meant."""

from typing import Literal

from pydantic import Field

from multitask_recommender.settings import Settings as Base

Name = Literal[
    "constant_label",
    "duplicate_candidates",
    "future_history",
    "label_in_feature",
    "label_without_click",
    "never_positive",
    "post_exposure_input",
    "same_row_in_train_and_test",
]


class Settings(Base):
    allow: list[Name] = Field(
        [], description="Traps that are no error here: they are said, and training goes on."
    )
