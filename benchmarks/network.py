"""Bytes that a step of parameter servers moves: `python benchmarks/network.py [--servers 2]`.

A chief, one worker and parameter servers in one process, which speak with each other through the
loopback device as they would between machines. A two-tower model with retrieval, like and rating on
random events among as many users as items; what /proc/net/dev counts while it makes steps, beside
what is computed of the rows that a batch names. Others may use the device meanwhile: what it
counts while nothing is done here, for as long, is taken off.
"""

import argparse
import json
import os
import pathlib
import socket
import time

import numpy as np
from _steps import begun
from _timing import console, show
from step_cost import events

BATCH_SIZE, STEPS = 4096, 40
IDS = ("user_id", "item_id")


def loopback_bytes() -> int:
    """Received through the loopback device since the machine was started."""
    (line,) = (
        line for line in pathlib.Path("/proc/net/dev").read_text().splitlines() if "lo:" in line
    )
    return int(line.split(":")[1].split()[0])


def start(servers: int) -> list:
    """A worker and so many servers, of which this process is the chief."""
    from multitask_recommender.training import parameter_servers
    from multitask_recommender.training.cluster import Cluster

    numbers = {"chief": 1, "worker": 1, "ps": servers}
    held = {kind: [socket.socket() for _ in range(n)] for kind, n in numbers.items()}
    for each in sum(held.values(), []):
        each.bind(("127.0.0.1", 0))
    addresses = {
        kind: [f"127.0.0.1:{each.getsockname()[1]}" for each in sockets]
        for kind, sockets in held.items()
    }
    for each in sum(held.values(), []):
        each.close()
    task = {"type": "chief", "index": 0}
    os.environ["TF_CONFIG"] = json.dumps({"cluster": addresses, "task": task})
    return [
        parameter_servers.start(Cluster(addresses, kind, index))
        for kind in ("worker", "ps")
        for index in range(numbers[kind])
    ]


def measure(num_rows: int, dimension: int) -> dict[str, float]:
    """Bytes a step: measured, and as computed by parts."""
    from multitask_recommender import config

    chosen = config.parse(
        {
            "model": {"name": "two_tower", "embedding_dimension": dimension}
            | {"user": ["id"], "item": ["id"]},
            "tasks": {"retrieval": {"negatives": "in_batch"}, "like": {}, "rating": {}},
            "training": {"batch_size": BATCH_SIZE, "strategy": "parameter_server"},
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
    named = [batches.batch(step) for step in range(first, first + STEPS)]
    return {"measured": (moved - others) / STEPS, **computed(model, named, num_rows + 1)}


def computed(model, batches: list, length: int) -> dict[str, float]:
    """Bytes a step by what they are; tables are as long as there are users, or items."""
    from multitask_recommender.layers.rows import whole

    weights = whole(model.trainable_weights)
    tables = [each for each in weights if each.shape[:1] == [length]]
    numbers = sum(each.shape.num_elements() for each in tables) / length / 2  # of a user or an item
    ids = np.mean([sum(len(np.unique(batch[key])) for key in IDS) for batch in batches])
    dense = sum(each.shape.num_elements() for each in weights if each.shape[:1] != [length])
    batch = np.mean([sum(each.numpy().nbytes for each in batch.values()) for batch in batches])
    return {
        "rows that are read": 4 * ids * numbers,
        "gradients of rows": 4 * ids * numbers,
        "ids of rows, both ways": 2 * 4 * ids * len(tables) / 2,
        "dense weights, both ways": 2 * 4 * dense,
        "the batch, from the chief": batch,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=200_000, help="users, and as many items")
    parser.add_argument("--dimension", type=int, default=64)
    parser.add_argument("--servers", type=int, default=2)
    chosen = parser.parse_args()
    processes = start(chosen.servers)
    found = measure(chosen.rows, chosen.dimension)
    total = found.pop("measured")
    lines = found | {"computed in all": sum(found.values()), "measured": total}
    show(
        f"A step of {BATCH_SIZE:,} rows, {chosen.servers} servers, d {chosen.dimension}",
        ["bytes", "MB"],
        [[name, f"{number / 1e6:.3f}"] for name, number in lines.items()],
    )
    console.print(f"measured / computed: {total / sum(found.values()):.2f}")
    del processes


if __name__ == "__main__":
    main()
    console.file.flush()
    os._exit(0)  # servers cannot be stopped
