"""Examples a second by number of devices: `python benchmarks/gpu.py [--seconds 10] [--cpu 2]`.

A two-tower model with retrieval, like and rating on random events, trained by the strategy
`mirrored` on 1, 2, 4, ... GPUs, each number in a process of its own; the share of an all-busy
device that `nvidia-smi` reports meanwhile; and how many times as fast as one GPU that is. The batch
is the same for all (training.batch_size), so that what is learnt is too.

Without a GPU it says so and ends with status 1, unless --cpu divides the CPU in parts: that tries
the script out, and says nothing of GPUs. No figure of a GPU is in docs/: none was at hand.
"""

import argparse
import json
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

from _timing import console, show
from step_cost import events

ROWS, BATCH_SIZE, DIMENSION = 100_000, 8192, 64
QUERY = ["nvidia-smi", "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits"]


def utilisation() -> list[int]:
    """Per cent of each GPU, as nvidia-smi says; none where there is no nvidia-smi."""
    if shutil.which(QUERY[0]) is None:
        return []
    return [int(line) for line in subprocess.check_output(QUERY, text=True).split()]


def measure(number: int, seconds: float) -> dict[str, float]:
    """Examples a second on so many devices, and the mean utilisation of those at work."""
    from multitask_recommender import config
    from multitask_recommender.assembly import build
    from multitask_recommender.training.checkpoints import Checkpoints
    from multitask_recommender.training.loop import Training
    from multitask_recommender.training.strategy import replicas

    chosen = config.parse(
        {
            "model": {"name": "two_tower", "embedding_dimension": DIMENSION},
            "tasks": {"retrieval": {"negatives": "in_batch"}, "like": {}, "rating": {}},
            "training": {"batch_size": BATCH_SIZE, "strategy": "mirrored", "replicas": number},
        }
    )
    train = events(ROWS)
    devices = replicas(chosen.training)
    with devices.scope():
        model = build(chosen, train)
    batches = model.batches(train, BATCH_SIZE, 0)
    with tempfile.TemporaryDirectory() as folder:
        training = Training(
            model, batches, chosen.training, Checkpoints(pathlib.Path(folder)), devices
        )
        run = training.rounds()
        run(5)
        seen, over = [], threading.Event()
        watch = threading.Thread(target=_watch, args=(seen, number, over))
        watch.start()
        first, steps, started = training.step, 0, time.perf_counter()
        while time.perf_counter() - started < seconds:
            run(5)
            steps = training.step - first  # read, so that they have been made
        rate = steps * BATCH_SIZE / (time.perf_counter() - started)
        over.set()
        watch.join()
    return {"rate": rate, "busy": statistics.mean(seen) if seen else float("nan")}


def _watch(seen: list[float], number: int, over: threading.Event) -> None:
    while not over.wait(1.0):
        found = utilisation()[:number]
        if found:
            seen.append(statistics.mean(found))


def in_process(number: int, seconds: float) -> dict[str, float]:
    command = [sys.executable, __file__, "--measure", str(number), "--seconds", str(seconds)]
    return json.loads(subprocess.check_output(command, text=True).splitlines()[-1])


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=10.0, help="of each measurement")
    parser.add_argument("--cpu", type=int, metavar="N", help="without GPUs: the CPU in N parts")
    parser.add_argument("--measure", type=int, help=argparse.SUPPRESS)
    parsed = parser.parse_args()
    if parsed.measure:
        print(json.dumps(measure(parsed.measure, parsed.seconds)))
        return 0
    most = len(utilisation())
    if not most and not parsed.cpu:
        console.print("There is no GPU here (nvidia-smi finds none): nothing was measured.")
        return 1
    if not most:
        console.print("There is no GPU here: parts of the CPU, which says nothing of GPUs.")
    numbers = [number for number in (1, 2, 4, 8, 16) if number <= (most or parsed.cpu)]
    found = {number: in_process(number, parsed.seconds) for number in numbers}
    first = found[1]["rate"]
    rows = [
        (str(n), f"{each['rate']:,.0f}", f"{each['busy']:.0f} %", f"{each['rate'] / first:.2f}")
        for n, each in found.items()
    ]
    show(f"batch {BATCH_SIZE:,}", ("devices", "examples/s", "busy", "x one"), rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
