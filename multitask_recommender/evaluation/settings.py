"""How runs are evaluated."""

from typing import Annotated, Literal

import pydantic

from multitask_recommender import settings

ProtocolName = Literal["full", "unfiltered", "sampled"]
CutOff = Annotated[int, pydantic.Field(ge=1)]


class Settings(settings.Settings):
    protocols: list[ProtocolName] = ["full", "unfiltered"]
    cutoffs: Annotated[list[CutOff], pydantic.Field(min_length=1)] = [1, 5, 10, 20, 50, 100]
    # Bounds one block of scores. Each of up to four threads holds one, and about as much again.
    block_megabytes: Annotated[int, pydantic.Field(ge=1, le=4096)] = 64
    vectors: Literal["float32", "float16"] = pydantic.Field(
        "float32",
        description="How item vectors are kept while items are ranked. float16 takes half the "
        "memory, and rounds to three digits.",
    )
    # Of the protocol `sampled`: how many are drawn for each held-out row, and by which seed, where
    # the source does not give them.
    negatives: Annotated[int, pydantic.Field(ge=1, le=10_000)] = 99
    seed: Annotated[int, pydantic.Field(ge=0)] = 42
    users: int | None = pydantic.Field(
        None,
        ge=2,
        description="Evaluate so many held-out users, drawn by the seed, where there are more (a "
        "catalogue of millions takes seconds a hundred users): means over users then have 95 % "
        "intervals, in `protocol`. null: all of them.",
    )

    @pydantic.field_validator("cutoffs")
    @classmethod
    def _check_cutoffs(cls, cutoffs: list[int]) -> list[int]:
        if sorted(set(cutoffs)) != cutoffs:
            raise ValueError(f"cut-offs must ascend without repetition, found {cutoffs}")
        return cutoffs
