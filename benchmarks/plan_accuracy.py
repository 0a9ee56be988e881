"""`plan` beside what is: `python benchmarks/plan_accuracy.py [--size 10_000] [key=value ...]`.

At each size (users and items; made-up rows of Tenrec's shape) a process trains and evaluates, one
exports with each index, and one trains, evaluates and exports with the first. Memory is the peak
that the system counted (VmHWM) above what the same process had after its imports; bytes on disk are
those of the files. "off" is plan / measured - 1; the target is 20 % for all.
"""

import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from typing import Any

from _timing import ROOT, console, show

SIZES = (10_000, 100_000, 1_000_000)
INDEXES = ("brute_force", "scann")
ROWS, HELD_OUT = 200_000, 200
TARGET = 0.2
PLAN, TRAIN = "plan", "train"  # stages beside the indexes, which export
ALL = "train and export"
_AT_THE_END = (f"export.index={INDEXES[0]}", "export.when_trained=true")
_CHILD = "--child"


def config(size: int, overrides: Sequence[str]):
    from multitask_recommender.config import parse

    return parse(
        {
            "dataset": {
                "name": "synthetic",
                "shape": "tenrec",
                "users": size,
                "items": size,
                "rows": ROWS,
            },
            "split": {"name": "random", "test": HELD_OUT / ROWS, "validation": 0},
            "model": {"name": "two_tower"},
            "sharing": {"name": "shared_bottom", "hidden_layers": [32]},
            "tasks": {"retrieval": {"positive": "click"}, "click": {}, "like": {}},
            "training": {"epochs": 1},
            "evaluation": {"protocols": ["full"]},
        },
        overrides,
    )


def run(stage: str, size: int, folder: pathlib.Path, overrides: Sequence[str]) -> None:
    """A stage in this process: prints its memory above the imports, and what `plan` says."""
    import tensorflow as tf

    from multitask_recommender import runs
    from multitask_recommender.export import cascade  # noqa: F401  (what an export imports)
    from multitask_recommender.models import _base  # noqa: F401
    from multitask_recommender.planning import asked

    tf.constant(0)
    before = memory("VmRSS")
    chosen = config(size, overrides)
    if stage == PLAN:
        found = told([asked.of(config(size, [*overrides, f"export.index={i}"])) for i in INDEXES])
        found["memory"][ALL] = whole(asked.of(config(size, [*overrides, *_AT_THE_END])))
    else:
        if stage == TRAIN:
            runs.train(chosen, folder)
        elif stage == ALL:
            runs.train(
                config(size, [*overrides, *_AT_THE_END]), folder.with_name("run with export")
            )
        else:
            runs.export(folder, stage, folder.with_name(f"export-{stage}"))
        found = memory("VmHWM") - before
    (folder.parent / f"{stage}.json").write_text(json.dumps(found))


def told(plans: Sequence[Any]) -> dict[str, dict[str, float]]:
    """Of plans by INDEXES: memory by stage, and bytes on disk by what they are of."""
    from multitask_recommender.planning.estimate import EVALUATION, EXPORT, TRAINING

    memory = {index: plan.peak(EXPORT) for index, plan in zip(INDEXES, plans, strict=True)}
    return {
        "memory": memory | {TRAIN: plans[0].peak(TRAINING, EVALUATION)},
        "disk": {part.name: part.bytes for part in plans[0].disk},
    }


def whole(plan: Any) -> float:
    """Memory of a process that exports at the end of training."""
    from multitask_recommender.planning.estimate import AT_THE_END, EVALUATION, TRAINING

    return plan.peak(TRAINING, EVALUATION, AT_THE_END)


def memory(key: str) -> int:
    """Of this process, bytes."""
    status = pathlib.Path("/proc/self/status").read_text()
    return int(re.search(rf"{key}:\s+(\d+) kB", status)[1]) * 1024


def measure(size: int, overrides: Sequence[str]) -> list[list[str]]:
    rows = []
    with tempfile.TemporaryDirectory() as place:
        folder = pathlib.Path(place) / "run"
        for stage in (PLAN, TRAIN, *INDEXES, ALL):
            command = [sys.executable, __file__, _CHILD, stage, str(size), str(folder), *overrides]
            subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.PIPE)
        found = {path.stem: json.loads(path.read_text()) for path in folder.parent.glob("*.json")}
        memory, disk = found[PLAN]["memory"], found[PLAN]["disk"]
        rows.append(row(size, "memory: train.py", memory[TRAIN], found[TRAIN]))
        rows.append(row(size, "memory: train.py with export", memory[ALL], found[ALL]))
        rows.append(row(size, "disk: run", disk["run"], bytes_of(folder)))
        for index in INDEXES:
            rows.append(row(size, f"memory: export, {index}", memory[index], found[index]))
            written = bytes_of(folder.with_name(f"export-{index}"))
            rows.append(row(size, f"disk: export, {index}", disk[f"export, {index}"], written))
    return rows


def row(size: int, what: str, planned: float, measured: float) -> list[str]:
    off = planned / measured - 1
    mark = "" if abs(off) <= TARGET else "  MISSED"
    return [
        what,
        f"{size:,}",
        f"{planned / 1e6:,.1f}",
        f"{measured / 1e6:,.1f}",
        f"{off:+.1%}{mark}",
    ]


def bytes_of(folder: pathlib.Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def main() -> None:
    if sys.argv[1:2] == [_CHILD]:
        stage, size, folder, *overrides = sys.argv[2:]
        run(stage, int(size), pathlib.Path(folder), overrides)
        return
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", type=int, action="append", help="so many users, and items")
    parser.add_argument("overrides", nargs="*", metavar="key=value")
    arguments = parser.parse_intermixed_args()
    rows = []
    for size in arguments.size or SIZES:
        rows += measure(size, arguments.overrides)
        columns = ["", "users, items", "plan, MB", "measured, MB", "off"]
        console.print(f"load {os.getloadavg()[0]:.0f}")
        show("plan beside what is", columns, rows)


if __name__ == "__main__":
    main()
