"""Rows that were met before, and items that are the same."""

from collections.abc import Iterator, Sequence

import numpy as np

from multitask_recommender import columns
from multitask_recommender.interactions import Entities, Interactions
from multitask_recommender.pairs import count_among, keys_of
from multitask_recommender.schema import TEST, VALIDATION
from multitask_recommender.splits import Splits
from multitask_recommender.traps._trap import Trap

_MIX = np.uint64(0x9E3779B97F4A7C15)  # 2**64 over the golden ratio: spreads what is multiplied
_UNOBSERVED = np.float32(-1e30)


def find(splits: Splits) -> list[Trap]:
    repeated = []
    if not splits.keeps_pairs:
        repeated += _repeated([splits.train], splits.validation, VALIDATION)
        repeated += _repeated([splits.train, splits.validation], splits.test, TEST)
    return [*repeated, *_duplicates(splits.train.items)]


def _repeated(earlier: Sequence[Interactions], later: Interactions, part: str) -> list[Trap]:
    pairs = count_among(keys_of(later), map(keys_of, _blocks(earlier)))
    if not pairs:
        return []
    exact = count_among(_digests(later), map(_digests, _blocks(earlier)))
    return [
        Trap(
            "same_row_in_train_and_test",
            "warning",
            f"{pairs:,} of {len(later):,} {part} rows have a pair of user and item that was learnt "
            f"from, {exact:,} of them with the same labels{_and_time(later)}: what was memorised "
            "counts as predicted there. If a row is not an exposure of its own, drop the "
            "repetitions, or use a split that keeps pairs together (split.name=random).",
        )
    ]


def _blocks(parts: Sequence[Interactions]) -> Iterator[Interactions]:
    return (rows.take(block) for rows in parts for block in columns.blocks(len(rows)))


def _and_time(rows: Interactions) -> str:
    return " and time" if rows.has_clock else ""


def _digests(rows: Interactions) -> np.ndarray:
    """One uint64 [N] for pair, labels and time together; equal by chance once in 2**64."""
    digests = keys_of(rows).view(np.uint64)
    for column in _columns(rows):
        digests *= _MIX
        digests ^= digests >> np.uint64(29)
        digests += column
    return digests


def _columns(rows: Interactions) -> Iterator[np.ndarray]:
    """Labels, and time, as unsigned integers [N]."""
    for name, values in rows.labels.items():
        column = np.where(rows.is_observed(name), values, _UNOBSERVED).astype(np.float32)
        yield (column + np.float32(0)).view(np.uint32)  # + 0 makes one zero of two
    if rows.has_clock:  # where time is a row's place, no two are of the same
        yield rows.timestamps.astype(np.int64).view(np.uint64)


def _duplicates(items: Entities) -> list[Trap]:
    """Candidates of one raw id, or of ids that differ in blanks, case or leading zeros alone."""
    raw_ids = items.raw_ids[: items.num_known]
    traps = []
    same = _surplus(raw_ids)
    if len(same):
        traps.append(
            Trap(
                "duplicate_candidates",
                "error",
                f"{len(same):,} of {len(raw_ids):,} items have the id of another item, such as "
                f"{same[0].item()!r}: they would stand side by side. Give each item one id.",
            )
        )
    if raw_ids.dtype.kind in "iu":
        return traps
    forms = _forms(raw_ids)
    alike = len(_surplus(forms)) - len(same)
    if alike:
        form = _surplus(forms)[0]
        examples = " and ".join(map(repr, np.unique(raw_ids[forms == form])[:2].tolist()))
        traps.append(
            Trap(
                "duplicate_candidates",
                "warning",
                f"{alike:,} of {len(raw_ids):,} items have an id that differs from another's in "
                f"blanks, case or zeros alone, such as {examples}: if they are the same item, "
                "write it in one way.",
            )
        )
    return traps


def _surplus(ids: np.ndarray) -> np.ndarray:
    """The ids that occur again, once for each time after the first."""
    in_order = np.sort(ids)
    return in_order[1:][in_order[1:] == in_order[:-1]]


def _forms(raw_ids: np.ndarray) -> np.ndarray:
    """Ids without what people and spreadsheets change: blanks, case, `012` and `12.0` for 12."""
    import polars as pl

    texts = pl.Series(raw_ids).cast(pl.String).str.strip_chars().str.to_lowercase()
    return texts.str.replace(r"^0*(\d+?)(\.0+)?$", "$1").to_numpy()
