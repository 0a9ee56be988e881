"""Examples a second by devices and precision: `python benchmarks/gpu.py [--seconds 10] [--cpu 2]`.

A two-tower model with retrieval, like and rating on random events, trained on the first 1, 2, 4,
... of the GPUs that TensorFlow sees (others are hidden from the process that trains), in each
training.precision: the way `train.py` trains with `training.strategy: auto`. Of each: examples a
second, how many times those of one device in the same precision and of float32 on as many devices,
and how busy `nvidia-smi` reports the devices to be meanwhile. The batch is the same for all
(--batch-size rows of all devices together), so that what is learnt is too.

Without a GPU it says so and ends with status 1, unless --cpu divides the CPU in parts: the same
code on other devices, which tries the script out and says nothing of GPUs. No figure of a GPU is in
docs/: none was at hand.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Sequence

from _steps import begun
from _timing import console, show
from step_cost import events

ENTITIES, DIMENSION = 100_000, 64  # users, and as many items
PRECISIONS = ("float32", "bfloat16", "float16")
VISIBLE = "CUDA_VISIBLE_DEVICES"
QUERY = ["nvidia-smi", "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits"]


def utilisation(gpus: Sequence[str]) -> list[int]:
    """Per cent of each of these GPUs, as nvidia-smi says; none where it is missing or cannot say.

    It cannot of parts of a GPU (MIG), for which it prints [N/A].
    """
    if not gpus or shutil.which(QUERY[0]) is None:
        return []
    done = subprocess.run([*QUERY, f"--id={','.join(gpus)}"], capture_output=True, text=True)
    return [int(line) for line in done.stdout.split() if line.isdecimal()]


def visible() -> list[str]:
    """The GPUs that TensorFlow sees, as CUDA_VISIBLE_DEVICES names them."""
    code = "import tensorflow as tf; print(len(tf.config.list_physical_devices('GPU')))"
    command = [sys.executable, "-c", code]
    number = int(subprocess.check_output(command, text=True).split()[-1])
    named = [name.strip() for name in os.environ.get(VISIBLE, "").split(",") if name.strip()]
    return named[:number] if named else [str(place) for place in range(number)]


def measure(asked: dict) -> dict[str, float | None]:
    """Examples a second, and how busy the GPUs are: of a process that sees no others."""
    from multitask_recommender import config

    on_cpu = {"strategy": "mirrored", "replicas": asked["devices"]} if asked["devices"] > 1 else {}
    chosen = config.parse(
        {
            "model": {"name": "two_tower", "embedding_dimension": DIMENSION},
            "tasks": {"retrieval": {"negatives": "in_batch"}, "like": {}, "rating": {}},
            "training": {
                "batch_size": asked["batch_size"],
                "precision": asked["precision"],
                **({} if asked["gpus"] else on_cpu),
            },
        }
    )
    train = events(ENTITIES)
    seen, over = [], threading.Event()
    watch = threading.Thread(target=_watch, args=(asked["gpus"], seen, over))
    with begun(chosen, train) as training:
        run = training.rounds()
        run(3)  # the first is traced
        watch.start()
        first, number, started = training.step, 1, time.perf_counter()
        spent = 0.0
        while spent < asked["seconds"]:
            run(number)
            steps = training.step - first  # read, so that they have been made
            spent = time.perf_counter() - started
            number = max(1, min(50, int(steps / spent)))  # as many as take a second, as in training
        over.set()
        watch.join()
        rows = steps * len(train) / training.steps_per_epoch
    return {"rate": rows / spent, "busy": statistics.mean(seen) if seen else None}


def _watch(gpus: Sequence[str], seen: list[float], over: threading.Event) -> None:
    while not over.wait(1.0):
        found = utilisation(gpus)
        if found:
            seen.append(statistics.mean(found))


def in_process(**asked: object) -> dict[str, float | None]:
    environment = dict(os.environ)
    if asked["gpus"]:
        environment[VISIBLE] = ",".join(asked["gpus"])
    command = [sys.executable, __file__, "--measure", json.dumps(asked)]
    printed = subprocess.check_output(command, text=True, env=environment)
    return json.loads(printed.splitlines()[-1])


def report(found: dict[tuple[int, str], dict], title: str) -> None:
    rows = []
    for (number, precision), each in found.items():
        one, exact = found[1, precision]["rate"], found[number, PRECISIONS[0]]["rate"]
        busy = "-" if each["busy"] is None else f"{each['busy']:.0f} %"
        times = f"{each['rate'] / one:.2f}", f"{each['rate'] / exact:.2f}"
        rows.append((f"{number}, {precision}", f"{each['rate']:,.0f}", *times, busy))
    show(title, ("devices", "examples/s", "x one", "x float32", "busy"), rows)
    if all(each["busy"] is None for each in found.values()):
        console.print("How busy devices were is not known: nvidia-smi is missing, or cannot say.")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=10.0, help="of each measurement")
    parser.add_argument("--batch-size", type=int, default=8192)
    parser.add_argument("--precision", choices=PRECISIONS, nargs="+", default=PRECISIONS)
    parser.add_argument("--cpu", type=int, metavar="N", help="without GPUs: the CPU in N parts")
    parser.add_argument("--measure", type=json.loads, help=argparse.SUPPRESS)
    parsed = parser.parse_args()
    if parsed.measure:
        print(json.dumps(measure(parsed.measure)))
        return 0
    gpus = visible()
    if not gpus and not parsed.cpu:
        console.print("There is no GPU here (TensorFlow sees none): nothing was measured.")
        return 1
    if not gpus:
        console.print("There is no GPU here: parts of the CPU, which says nothing of GPUs.")
    precisions = dict.fromkeys([PRECISIONS[0], *parsed.precision])  # the first is compared with
    found = {
        (number, precision): in_process(
            devices=number,
            gpus=gpus[:number],
            precision=precision,
            batch_size=parsed.batch_size,
            seconds=parsed.seconds,
        )
        for number in (1, 2, 4, 8, 16)
        if number <= (len(gpus) or parsed.cpu)
        for precision in precisions
    }
    report(found, f"batch {parsed.batch_size:,}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
