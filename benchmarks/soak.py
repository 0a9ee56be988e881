"""A soak: trains, exports and queries on synthetic data, again and again, in one process.

    python benchmarks/soak.py --minutes 30

A cycle trains a small model anew, exports it, loads the export and asks it for recommendations; its
folders are removed. After each, the resident memory and the open files of the process are noted.
The rule: of the cycles after the first fifth, the median memory of the second half is at most 3%
above that of the first half, and no cycle of the second half has more open files than the most of
the first. Exit status 1 where that does not hold.
"""

import argparse
import gc
import json
import logging
import os
import pathlib
import sys
import tempfile
import time

import numpy as np

VALUES = {
    "dataset": {"name": "synthetic", "users": 60, "items": 90, "rows": 3_000},
    "split": {"validation": 0.2},
    "model": {"name": "two_tower", "embedding_dimension": 8},
    "training": {"epochs": 2, "batch_size": 100, "optimizer": "lazy_adam"},
    "evaluation": {"protocols": ["full"]},
    "export": {"golden_requests": 2, "when_trained": True, "index": "brute_force"},
}
QUERIES = 50
MOST_GROWTH = 0.03


def cycle(folder: pathlib.Path, seed: int) -> None:
    """Trains and exports in the folder, and queries what was exported as the local server does."""
    from multitask_recommender import config, runs
    from multitask_recommender.serving import json_form
    from multitask_recommender.serving.models import Asked, Models
    from multitask_recommender.serving.options import Limits, find_export
    from multitask_recommender.serving.service import Service

    run_dir = folder / "run"
    runs.train(config.parse(VALUES, [f"training.seed={seed}"]), run_dir)
    limits = Limits()
    models = Models(find_export(run_dir / "export"), {}, limits)
    models.open()
    service = Service(models, limits)
    for user in range(1, QUERIES + 1):
        body = json.dumps({"signature_name": "recommend", "inputs": {"user_id": [user]}})
        document = json_form.read(body.encode())
        service.predict(Asked("run"), document.signature, document.arrays)


def measured() -> tuple[float, int]:
    """Resident memory in MB, and open files."""
    pages = int(pathlib.Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE") / 1e6, len(os.listdir("/proc/self/fd"))


def verdict(memory: list[float], files: list[int]) -> list[str]:
    """What does not hold of the rule; nothing where all does."""
    start = len(memory) // 5
    half = (start + len(memory)) // 2
    first, second = (
        float(np.median(memory[part])) for part in (slice(start, half), slice(half, None))
    )
    faults = []
    if second > (1 + MOST_GROWTH) * first:
        faults.append(f"memory grew from {first:.0f} to {second:.0f} MB")
    if max(files[half:]) > max(files[start:half]):
        faults.append(f"open files grew from {max(files[start:half])} to {max(files[half:])}")
    return faults


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=30.0)
    arguments = parser.parse_args()

    from multitask_recommender import report

    report.console.quiet = True
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    end, memory, files = time.monotonic() + 60 * arguments.minutes, [], []
    while time.monotonic() < end or len(memory) < 5:
        with tempfile.TemporaryDirectory() as folder:
            cycle(pathlib.Path(folder), seed=len(memory))
        gc.collect()
        for values, value in zip((memory, files), measured(), strict=True):
            values.append(value)
        print(f"cycle {len(memory)}: {memory[-1]:.0f} MB, {files[-1]} open files", flush=True)
    faults = verdict(memory, files)
    print(f"{len(memory)} cycles: {'; '.join(faults) or 'memory and open files are flat'}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))  # from a checkout
    sys.exit(main())
