"""Data of Tenrec's full size, made up and written as the columns that Tenrec's reader keeps.

Rows are those of the dataset synthetic in the shape tenrec, scenario qk_video: users with tastes,
popular items; clicks, follows, likes, shares and times that follow from both. Of the exposures all
clicks are kept, and so many others that there is one for every three clicks. The columns lie where
the reader looks for what it has prepared, beside a file that holds the header alone: so they are
read as Tenrec is.

With tiles, one world of that part of the size is made, and stands there so many times, each with
users and items of its own: as large, in a fraction of the time, and easier than the whole.
"""

import hashlib
import pathlib
from collections.abc import Iterator

import numpy as np
from _timing import ROOT  # noqa: F401  (the package can be imported from here on)

from multitask_recommender import run_folder
from multitask_recommender.datasets import synthetic
from multitask_recommender.datasets._tenrec import arrow_files, cache, column_files
from multitask_recommender.datasets._tenrec.finish import path_of
from multitask_recommender.datasets._tenrec.saved_state import READER
from multitask_recommender.schema import ITEM_ID, TIMESTAMP, USER_ID

USERS, ITEMS, EXPOSURES, CLICKS = 5_022_750, 3_753_436, 493_458_970, 142_321_193
Columns = dict[str, np.ndarray]
SCENARIO = "qk_video"
LABELS = ("click", "follow", "like", "share")
_WATCHED = "watching_times"
_OTHERS = 1 / 3  # exposures without a click, for each click
_SEED = 7


def write(folder: pathlib.Path, fraction: float, tiles: int = 1) -> int:
    """Writes the columns; returns the number of rows."""
    source = folder / "QK-video.csv"
    place = folder / ".multitask_recommender" / f"{source.stem}.{SCENARIO}"
    place.mkdir(parents=True)
    header = (",".join([USER_ID, ITEM_ID, *LABELS, _WATCHED]) + "\n").encode()
    source.write_bytes(header)
    rows = _write_rows(place, _tiled(fraction / tiles, tiles))
    raw_ids = {
        "users": tiles * round(USERS * fraction / tiles),
        "items": tiles * round(ITEMS * fraction / tiles),
    }
    for table, number in raw_ids.items():
        np.save(place / f"{table}-raw_id.npy", np.arange(1, number + 1, dtype=np.int64))
    columns = {}
    for path in sorted(place.glob("*.npy")):
        proof = arrow_files.write(path_of(place, path.stem), column_files.mapped(path))
        columns[path.stem] = cache._signed(place, path.stem, proof)
        path.unlink()
    about = {
        "rows": rows,
        "read_bytes": len(header),
        "md5": hashlib.md5(header, usedforsecurity=False).hexdigest(),
        "columns": columns,
        "vocabularies": {},
        "unobserved": [],
        "warnings": [f"Made-up rows in the form of Tenrec {SCENARIO}."],
        "reader": READER,
        "file": {"bytes": len(header), "mtime_ns": source.stat().st_mtime_ns},
    }
    run_folder.write_json(place / "about.json", about)
    return rows


def _write_rows(place: pathlib.Path, blocks: Iterator[Columns]) -> int:
    kinds = {USER_ID: np.int32, ITEM_ID: np.int32, TIMESTAMP: np.int32}
    kinds |= {f"label-{label}": np.uint8 for label in LABELS}
    kinds[f"context-{_WATCHED}"] = np.float32
    files = {name: column_files.Column(place / f"{name}.npy", kind) for name, kind in kinds.items()}
    rows = 0
    for block in blocks:
        number = len(block[USER_ID])
        block[TIMESTAMP] = np.arange(rows, rows + number, dtype=np.int32)
        for name, values in block.items():
            files[name].append(values)
        rows += number
    for file in files.values():
        file.close()
    return rows


def settings(fraction: float) -> synthetic.Settings:
    """Of all exposures, of which those that are kept are written."""
    return synthetic.Settings(
        shape="tenrec",
        scenario=SCENARIO,
        users=round(USERS * fraction),
        items=round(ITEMS * fraction),
        rows=round(EXPOSURES * fraction),
        seed=_SEED,
    )


def _tiled(fraction: float, tiles: int) -> Iterator[Columns]:
    kept = _kept(fraction)
    if tiles == 1:
        yield from kept
        return
    world = list(kept)
    for tile in range(tiles):
        shifts = {USER_ID: tile * round(USERS * fraction), ITEM_ID: tile * round(ITEMS * fraction)}
        for block in world:
            yield block | {name: block[name] + np.int32(shift) for name, shift in shifts.items()}


def _kept(fraction: float) -> Iterator[Columns]:
    generator = np.random.default_rng(_SEED)
    share = _OTHERS * CLICKS / (EXPOSURES - CLICKS)
    for block in synthetic.blocks(settings(fraction)):
        kept = (block.labels["click"] == 1) | (generator.random(len(block), np.float32) < share)
        yield {
            USER_ID: block.user_ids[kept],
            ITEM_ID: block.item_ids[kept],
            **{f"label-{label}": block.labels[label][kept] for label in LABELS},
            f"context-{_WATCHED}": block.watching_times[kept],
        }
