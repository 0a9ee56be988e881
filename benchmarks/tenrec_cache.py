"""Speed of preparing Tenrec: `python benchmarks/tenrec_cache.py [--rows 2000000] [--folder /tmp]`.

Makes a file of the shape of ctr_data_1M.csv (its columns, about 120 rows a user, popular and rare
items; values of no structure), in a folder that is removed afterwards, and reads it as
`dataset: tenrec` does, each time in a process of its own:

    first start   CSV to cache, in rows a second, beside its bounds: the bytes of the file read and
                  checksummed, and a bare scan of it by polars (all columns parsed, none kept)
    second start  seconds from the call to Interactions
    batches       of 4,096 shuffled rows out of the mapped columns
    peak memory   resident, mapped files included

--rows 120000000 is the whole file: 13 GB of disk beside 5 GB of cache. Rows a second are of the
clock; on a busy machine, look at the seconds of processor time too.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
from _timing import ROOT, show

ROWS_OF_USER = 120
NUM_ITEMS = 2_310_087
BLOCK = 1_000_000  # rows written at once

_MEASURE = """
import json, pathlib, re, sys, time
path, what = pathlib.Path(sys.argv[1]), sys.argv[2]
started, spent = time.perf_counter(), time.process_time()
if what == "bytes":
    import hashlib
    with path.open("rb") as file:
        hashlib.file_digest(file, "md5")
elif what == "scan":
    import polars as pl
    scan = pl.scan_csv(path, null_values="\\\\N", infer_schema_length=10_000)
    started, spent = time.perf_counter(), time.process_time()
    scan.select(pl.all().max()).collect(engine="streaming")
elif what == "batches":
    from multitask_recommender.batches import TrainingBatches
    from multitask_recommender.datasets import tenrec
    found = tenrec.read(tenrec.Settings(scenario="ctr_1m", path=str(path)))
    batches = TrainingBatches(found, 4096, seed=0)
    iterator = iter(batches.dataset())
    next(iterator)
    started, spent = time.perf_counter(), time.process_time()
    for _ in range(batches.steps_per_epoch - 1):
        next(iterator)
else:
    from multitask_recommender.datasets import tenrec
    from multitask_recommender.datasets._tenrec import interactions  # what reads, imported
    started, spent = time.perf_counter(), time.process_time()
    found = tenrec.read(tenrec.Settings(scenario="ctr_1m", path=str(path)))
    assert found.labels["click"][:10].sum() >= 0
seconds, spent = time.perf_counter() - started, time.process_time() - spent
# Of this program alone: the ru_maxrss of a child begins with that of its parent.
peak = re.search(r"VmHWM:\\s+(\\d+) kB", pathlib.Path("/proc/self/status").read_text())
print(json.dumps([seconds, spent, int(peak[1]) * 1024]))
"""


def write_file(path: pathlib.Path, rows: int) -> None:
    """Rows in the order of users, each with a history; clicks 24 %, likes 1.9 %."""
    import polars as pl

    rng = np.random.default_rng(0)
    columns = "user_id item_id click follow like share video_category watching_times gender age"
    names = [*columns.split(), *(f"hist_{n}" for n in range(1, 11))]
    with path.open("wb") as file:
        file.write((",".join(names) + "\n").encode())
        for first in range(0, rows, BLOCK):
            count = min(BLOCK, rows - first)
            users = 1 + 2 * ((first + np.arange(count)) // ROWS_OF_USER)  # every other id is used
            items = _popular(rng, count)
            click = rng.random(count) < 0.24
            past = _popular(rng, (users.max() - users.min() + 1, 10))[users - users.min()]
            category = pl.Series(items % 2).set(pl.Series(rng.random(count) < 0.013), None)
            values = [
                *(users, items, click.astype(np.int8)),
                *(
                    ((rng.random(count) < rate).astype(np.int8))
                    for rate in (0.0015, 0.0189, 0.0021)
                ),
                *(category, click * rng.integers(1, 9, count), users % 3, users % 8),
                *past.T,
            ]
            block = pl.DataFrame(dict(zip(names, values, strict=True)))
            block.write_csv(file, include_header=False, null_value="\\N")


def _popular(rng: np.random.Generator, shape: int | tuple[int, ...]) -> np.ndarray:
    """Ids of items, some met a thousand times as often as most."""
    return 1 + (NUM_ITEMS * rng.random(shape) ** 3).astype(np.int32)


def measure(path: pathlib.Path, what: str) -> tuple[float, float, float]:
    """Seconds, seconds of the processors and peak bytes of a fresh process."""
    command = [sys.executable, "-c", _MEASURE, str(path), what]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    seconds, spent, peak = json.loads(done.stdout.splitlines()[-1])
    return seconds, spent, peak


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--folder", help="where the file is made, for a while")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        path = pathlib.Path(folder) / "ctr_data_1M.csv"
        write_file(path, arguments.rows)
        size = path.stat().st_size
        contenders = {
            "bytes and md5": "bytes",
            "bare scan by polars": "scan",
            "first start: CSV to cache": "first",
            "second start": "second",
            "batches": "batches",
        }
        table = []
        for name, what in contenders.items():
            seconds, spent, peak = measure(path, what)
            speed = f"{arguments.rows / seconds:,.0f}" if what != "second" else ""
            table.append([name, f"{seconds:.2f}", f"{spent:.2f}", speed, f"{peak / 2**20:,.0f}"])
        cached = sum(file.stat().st_size for file in path.parent.rglob("*.arrow"))
    show(
        f"{arguments.rows:,} rows, {size / 1e9:.2f} GB of CSV, {cached / 1e9:.2f} GB of cache",
        ["", "s", "processor s", "rows/s", "peak MiB"],
        table,
    )


if __name__ == "__main__":
    main()
