"""Bytes that a step moves between machines: `python benchmarks/network.py [--servers 2]`.

With training.strategy parameter_server, a chief, one worker and parameter servers in one process;
with --workers 2, training.strategy multi_worker and so many processes. They speak with each other
through the loopback device as they would between machines. A two-tower model with retrieval, like
and rating on random events among as many users as items; what /proc/net/dev counts while it makes
steps, beside what is computed of the rows that a batch names. Others may use the device meanwhile:
what it counts while nothing is done here, for as long, is taken off.
"""

import argparse
import os
import pathlib
import subprocess
import sys
import time
from collections.abc import Sequence

import numpy as np
from _cluster import addresses, told
from _steps import begun
from _timing import console, show
from step_cost import events

from multitask_recommender.shares import WHOLE

BATCH_SIZE, STEPS = 4096, 40
IDS = ("user_id", "item_id")


def loopback_bytes() -> int:
    """Received through the loopback device since the machine was started."""
    (line,) = (
        line for line in pathlib.Path("/proc/net/dev").read_text().splitlines() if "lo:" in line
    )
    return int(line.split(":")[1].split()[0])


def start_servers(number: int) -> list:
    """A worker and so many servers, of which this process is the chief."""
    from multitask_recommender.training import parameter_servers
    from multitask_recommender.training.cluster import Cluster

    numbers = {"worker": 1, "ps": number}
    cluster = addresses(chief=1, **numbers)
    os.environ |= told(cluster, "chief", 0)
    return [
        parameter_servers.start(Cluster(cluster, kind, index))
        for kind in numbers
        for index in range(numbers[kind])
    ]


def start_workers(number: int) -> list[subprocess.Popen]:
    """The others, which run this program; this process is the first."""
    cluster = addresses(worker=number)
    os.environ |= told(cluster, "worker", 0)
    return [
        subprocess.Popen(
            [sys.executable, *sys.argv, "--is-started"],
            env=os.environ | told(cluster, "worker", index),
            stdout=subprocess.DEVNULL,
        )
        for index in range(1, number)
    ]


def measure(num_rows: int, dimension: int, num_workers: int | None) -> dict[str, float]:
    """Bytes a step: measured, and as computed by parts."""
    from multitask_recommender import config

    strategy = "multi_worker" if num_workers else "parameter_server"
    chosen = config.parse(
        {
            "model": {"name": "two_tower", "embedding_dimension": dimension}
            | {"user": ["id"], "item": ["id"]},
            "tasks": {"retrieval": {"negatives": "in_batch"}, "like": {}, "rating": {}},
            "training": {"batch_size": BATCH_SIZE, "strategy": strategy},
        }
    )
    train = events(num_rows, (STEPS + 10) * BATCH_SIZE)
    with begun(chosen, train) as training:
        run, model = training.rounds(), training.model
        run(5)
        first, before, started = training.step, loopback_bytes(), time.monotonic()
        run(STEPS)
        moved, seconds = loopback_bytes() - before, time.monotonic() - started
    before = loopback_bytes()
    time.sleep(seconds)
    others = loopback_bytes() - before

    batches = model.batches(train, BATCH_SIZE, chosen.training.seed)
    numbers = range(first, first + STEPS)
    if num_workers:
        parts = of_workers(model, batches, numbers, num_rows + 1, num_workers)
    else:
        named = [batches.batch(step) for step in numbers]
        parts = of_servers(model, named, num_rows + 1)
    return {"measured": (moved - others) / STEPS, "ms": 1e3 * seconds / STEPS, **parts}


def sizes(model, length: int) -> tuple[float, float, int]:
    """How many tables a user or an item has a row of, on average: those so long; how many numbers
    there are in these rows; and how many other weights."""
    from multitask_recommender.layers.rows import whole

    weights = whole(model.trainable_weights)
    tables = [each for each in weights if each.shape[:1] == [length]]
    numbers = sum(each.shape.num_elements() for each in tables) / length / 2
    dense = sum(each.shape.num_elements() for each in weights if each.shape[:1] != [length])
    return len(tables) / 2, numbers, dense


def of_servers(model, batches: list, length: int) -> dict[str, float]:
    """Bytes a step by what they are; tables are as long as there are users, or items."""
    tables, numbers, dense = sizes(model, length)
    ids = np.mean([sum(len(np.unique(batch[key])) for key in IDS) for batch in batches])
    batch = np.mean([sum(each.numpy().nbytes for each in batch.values()) for batch in batches])
    return {
        "rows that are read": 4 * ids * numbers,
        "gradients of rows": 4 * ids * numbers,
        "ids of rows, both ways": 2 * 4 * ids * tables,
        "dense weights, both ways": 2 * 4 * dense,
        "the batch, from the chief": batch,
    }


def of_workers(model, batches, steps: Sequence[int], length: int, workers: int) -> dict[str, float]:
    """Bytes a step by what they are, of all workers. Each hears of every other's rows: the users of
    his share, and the items of the whole batch. What is dense goes around, in parts and summed."""
    tables, numbers, dense = sizes(model, length)
    heard = workers * (workers - 1)
    named = [
        len(np.unique(share["user_id"])) + len(np.unique(share[WHOLE]["item_id"]))
        for step in steps
        for share in batches.dealt(step, range(workers), workers).take(workers)
    ]
    ids = np.mean(named)
    return {
        "gradients of rows": heard * 4 * ids * numbers,
        "ids of rows": heard * 4 * ids * tables,
        "dense gradients": 2 * (workers - 1) * 4 * dense,
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=200_000, help="users, and as many items")
    parser.add_argument("--dimension", type=int, default=64)
    parser.add_argument("--servers", type=int, default=2)
    parser.add_argument("--workers", type=int, help="of multi_worker, which has no servers")
    parser.add_argument("--is-started", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    kept: list = []  # or servers end
    if not chosen.is_started:
        kept += start_workers(chosen.workers) if chosen.workers else start_servers(chosen.servers)
    found = measure(chosen.rows, chosen.dimension, chosen.workers)
    total, milliseconds = found.pop("measured"), found.pop("ms")
    lines = found | {"computed in all": sum(found.values()), "measured": total}
    who = f"{chosen.workers} workers" if chosen.workers else f"{chosen.servers} servers"
    show(
        f"A step of {BATCH_SIZE:,} rows, {who}, d {chosen.dimension}: {milliseconds:.0f} ms",
        ["bytes", "MB"],
        [[name, f"{number / 1e6:.3f}"] for name, number in lines.items()],
    )
    console.print(f"measured / computed: {total / sum(found.values()):.2f}")
    kept.clear()


if __name__ == "__main__":
    main()
    console.file.flush()
    os._exit(0)  # servers cannot be stopped
