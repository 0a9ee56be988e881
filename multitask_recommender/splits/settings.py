"""Settings of splits: which cut, how large its parts, and its seed."""

from typing import Any, Literal

import pydantic

from multitask_recommender.settings import Settings as StrictSettings

Name = Literal[
    "random",
    "time",
    "user_order",
    "leave_last_out",
    "given",
    "tenrec_ctr",
    "tenrec_mtl",
    "tenrec_topn",
    "tenrec_sbr",
]

_OF_PAIRS = ("random", "time", "user_order", "leave_last_out")
_DRAWN = ("random", "given")  # validation is drawn out of train
_TENTHS = {"test": 0.1, "validation": 1 / 9}  # 8:1:1, validation being of what is not test
_LAST_TWO = {"test": 1 / 30, "validation": 1 / 29}  # of a session of full length
_PROTOCOLS = {  # the sizes that papers fix, and in words
    "tenrec_ctr": (_TENTHS, "is 8:1:1"),
    "tenrec_mtl": (_TENTHS, "is 8:1:1"),
    "tenrec_topn": (_TENTHS, "is 8:1:1"),
    "tenrec_sbr": (_LAST_TWO, "tests on the last click, and validates on the one before"),
}


class Settings(StrictSettings):
    name: Name = "random"
    test: float = pydantic.Field(0.2, ge=0, lt=1)
    validation: float = pydantic.Field(0.1, ge=0, lt=1)  # of what is not test; 0 for none
    validation_by: Literal["share", "user", "session"] = pydantic.Field(
        "share",
        description="random and given: what is drawn for validation. share: so large a share of "
        "the pairs, as `validation` says. user: one pair of each user who has two or more. "
        "session, of given alone: the last event of the users whose events ended last, so large a "
        "share of those with two or more; what they met before is told, and not learnt from.",
    )
    seed: int = pydantic.Field(42, ge=0)
    fold: str | None = None  # MovieLens 100k: u1 .. u5, ua, ub
    leak_free: bool = pydantic.Field(
        False, description="tenrec_*: by each user's order, instead of at random as in the paper."
    )

    @property
    def is_in_order(self) -> bool:
        """Whether what is held out of a user comes after what is learnt of him."""
        by_order = self.name in ("time", "user_order", "leave_last_out", "tenrec_sbr")
        return by_order or self.leak_free or self.validation_by == "session"

    @property
    def asks_for_next(self) -> bool:
        """Whether a held-out row is the first after all that its user is known to have met."""
        return self.name in ("leave_last_out", "tenrec_sbr") or self.validation_by == "session"

    @property
    def keeps_pairs(self) -> bool:
        """Whether no pair of user and item is in two parts, by how rows are cut."""
        return self.name in _OF_PAIRS or self.leak_free

    @pydantic.model_validator(mode="after")
    def _fold_is_of_given_splits(self) -> "Settings":
        if self.fold is not None and self.name != "given":
            raise ValueError(f"fold is {self.fold!r}, which goes with name 'given' only")
        return self

    @pydantic.model_validator(mode="after")
    def _validation_is_drawn(self) -> "Settings":
        drawn_by = {"share": (self.name,), "user": _DRAWN, "session": ("given",)}
        if self.name not in drawn_by[self.validation_by]:
            raise ValueError(
                f"validation_by is {self.validation_by!r}, which goes with "
                f"{' and '.join(drawn_by[self.validation_by])}: {self.name!r} draws no validation"
                + (" of whole users" if self.name in _DRAWN else "")
            )
        return self

    @pydantic.model_validator(mode="before")
    @classmethod
    def _protocols_have_sizes_of_their_own(cls, values: Any) -> Any:
        """So that a resolved config says what the parts were."""
        if not isinstance(values, dict):
            return values
        name = values.get("name")
        own = cls.sizes_of(name)
        for key, share in own.items():
            if values.get(key, share) != share:
                raise ValueError(
                    f"{key} is {values[key]}, but {name} {_PROTOCOLS[name][1]}: leave {key} out"
                )
        return {**values, **own}

    @staticmethod
    def sizes_of(name: Any) -> dict[str, float]:
        """The settings of a cut that has sizes of its own; none of others."""
        return _PROTOCOLS.get(str(name), ({}, ""))[0]

    @pydantic.model_validator(mode="after")
    def _leaks_are_of_protocols(self) -> "Settings":
        if self.leak_free and not self.name.startswith("tenrec_"):
            raise ValueError(f"leak_free goes with the tenrec_* splits, not with {self.name!r}")
        return self
