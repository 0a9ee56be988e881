"""The least seconds that a stage could take on this machine: what stages are held against.

Of each only what no other way of doing it could leave out is counted, at the speeds of machine.py.
"""

from collections.abc import Callable, Mapping
from typing import Any

from _full_scale.machine import DIMENSION

Told = Mapping[str, Any]  # what a stage, or machine.bounds, said

_FLOPS_OF_HEADS = 6 * 194 * 32  # of a row: the bottom that they share
# Rows of tables that a row of a batch moves: user and item, read and put back, and their state.
_ROWS_MOVED = 8
_LOOKS = 2  # at each row's user: how many rows he has, and which of them this one is


def prepare(told: Told, machine: Told) -> tuple[float, float]:
    """Columns read and parts written, once each; each row counted for its user."""
    moved = told["bytes read"] + told["bytes held"]
    rows = _LOOKS * sum(told["rows"].values())
    return moved / machine["copied bytes/s"] + rows / machine["counted ids/s"], told["seconds"]


def train(told: Told, machine: Told) -> tuple[float, float] | None:
    """Of a row: its products, if its negatives are known, and its rows of tables."""
    if told["negatives"] is None:
        return None
    kind = "bf16" if told["precision"] == "bfloat16" else "f32"
    flops = 6 * (DIMENSION + 1) * told["negatives"] * told["positive share"] + _FLOPS_OF_HEADS
    moved = _ROWS_MOVED / machine["gathered rows/s"]
    return flops / machine[f"{kind} flop/s"] + moved, 1 / told["examples/s"]


def evaluate(told: Told, machine: Told) -> tuple[float, float]:
    """The model's: vectors of all items copied once, and their products with all users."""
    vectors = told["items"] * DIMENSION
    flops = 2 * vectors * told["users"]
    copied = 2 * 4 * vectors / machine["copied bytes/s"]
    return flops / machine["f32 flop/s"] + copied, told["model s"]


def export(told: Told, machine: Told) -> tuple[float, float]:
    """Its bytes written."""
    return told["bytes"] / machine["written bytes/s"], told["seconds"]


# The least seconds, and those that were taken; None where the least is not known.
LEAST: dict[str, Callable[[Told, Told], tuple[float, float] | None]] = {
    each.__name__: each for each in (prepare, train, evaluate, export)
}


def share(stage: str, found: Mapping[str, Told]) -> float | None:
    """Of the time that the stage took; None where the least is not known."""
    if stage not in LEAST or "bounds" not in found or unsaid(stage, found) is not None:
        return None
    seconds = LEAST[stage](found[stage], found["bounds"])
    return None if seconds is None else seconds[0] / seconds[1]


def unsaid(stage: str, found: Mapping[str, Told]) -> str | None:
    """What its share is of that neither the stage nor `bounds`, run by an older version, has said.

    None where nothing is missing.
    """
    if stage in LEAST and "bounds" in found:
        try:
            LEAST[stage](found[stage], found["bounds"])
        except KeyError as error:
            return error.args[0]
    return None
