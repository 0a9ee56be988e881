"""`recommend` over a million items: its stages, and its latency at half of what a server can do.

    python benchmarks/serving.py [--items 1000000] [--index scann] [--seconds 60]

An export of two towers (d 64) with like and rating heads: 500 of the items are retrieved, ranked,
and the best 100 answered. Vectors are drawn around 1,000 centres, users near centres as items are:
nothing is trained, as latency does not depend on what is learnt. The local server answers over gRPC
in a process of its own, on the loopback interface. Its saturation rate is that of some clients
which ask as fast as they are answered; then requests come at half of that rate, whether earlier
ones are answered or not, and a latency counts from when a request was due.
"""

import argparse
import contextlib
import functools
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
from _timing import ROOT, alternate, console, show

from multitask_recommender import assembly, config, exporting, splits
from multitask_recommender.experiment import Experiment
from multitask_recommender.interactions import Entities, Interactions

CENTRES, SPREAD, DIMENSION, USERS = 1000, 0.35, 64, 20_000
METRICS = {"metrics": {}, "baselines": {"popularity": {}}, "protocol": {"trained_on": "nothing"}}


def rows_of(items: int) -> Interactions:
    """Random events with likes and stars: ten of each user."""
    generator = np.random.default_rng(3)
    number = 10 * USERS
    stars = generator.integers(1, 6, number).astype(np.float32)
    return Interactions(
        np.repeat(np.arange(1, USERS + 1, dtype=np.int32), 10),
        generator.integers(1, items + 1, number).astype(np.int32),
        Entities(np.arange(1, USERS + 1), USERS),
        Entities(np.arange(1, items + 1), items),
        labels={"like": (stars >= 4).astype(np.float32), "rating": stars},
    )


def export_of(items: int, index: str, base: pathlib.Path) -> pathlib.Path:
    chosen = config.parse(
        {
            "model": {"name": "two_tower", "embedding_dimension": DIMENSION},
            "tasks": {"retrieval": {"negatives": "in_batch"}, "like": {}, "rating": {}},
            "export": {"index": index, "retrieve": 500, "k": 100},
        }
    )
    experiment = Experiment(chosen, splits.split(rows_of(items), chosen.split))
    model = assembly.build(chosen, experiment.learnt_rows)
    generator = np.random.default_rng(7)
    centres = generator.normal(size=[CENTRES, DIMENSION]).astype(np.float32)
    for variable in model.trainable_variables:
        if variable.shape in ((USERS + 1, DIMENSION), (items + 1, DIMENSION)):
            near = centres[generator.integers(0, CENTRES, variable.shape[0])]
            variable.assign(near + SPREAD * generator.normal(size=near.shape).astype(np.float32))
    return exporting.export(lambda: (experiment, model), base, METRICS)


@contextlib.contextmanager
def served(base: pathlib.Path) -> Iterator[str]:
    """The gRPC address of a local server, as soon as it answers."""
    command = [sys.executable, "-m", "multitask_recommender", "serve", str(base)]
    command += ["--name", "bench", "--rest-port", "0", "--grpc-port", "0"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=ROOT)
    try:
        told = ""
        while not (found := re.search(r"gRPC: (\S+)", told)):
            told = process.stderr.readline()
            if not told:
                raise SystemExit("The server ended before it answered.")
        threading.Thread(target=process.stderr.read, daemon=True).start()
        yield found[1]
    finally:
        process.terminate()
        process.wait()


def stages(version: pathlib.Path, users: list[Any]) -> None:
    """What a request costs within this process, as far as each signature goes."""
    from multitask_recommender.export.saved import Saved

    saved = Saved(version)
    user = {"user_id": users[:1]}
    times = alternate(
        {
            "read and embed": functools.partial(saved, "embed_query", user),
            "and retrieve 500": functools.partial(saved, "retrieve", user | {"k": [500]}),
            "and rank, blend, cut to 100": functools.partial(saved, "recommend", user),
        },
        rounds=50,
    )
    names = ["read and embed", "and retrieve 500", "and rank, blend, cut to 100"]
    rows = [[name, f"{1e3 * times.median(name):.2f}"] for name in names]
    show("one request, in process", ["stage", "ms so far"], rows)


def load(address: str, seconds: float, users: list[Any]) -> dict[str, Any]:
    """What clients in a process of their own find, see _load.py."""
    command = [sys.executable, str(pathlib.Path(__file__).with_name("_load.py")), address]
    asked = json.dumps(users)
    done = subprocess.run(
        [*command, str(seconds)], input=asked, text=True, stdout=subprocess.PIPE, check=True
    )
    return json.loads(done.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--index", default="scann")
    parser.add_argument("--seconds", type=float, default=60.0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        version = export_of(arguments.items, arguments.index, pathlib.Path(folder) / "bench")
        card = json.loads((version / "assets.extra" / "model_card.json").read_text())
        users = (version / "assets" / "users.txt").read_text().split()
        users = [int(user) for user in users] if users[0].isdecimal() else users
        chosen = card["index"]["chosen"]
        console.print(f"{arguments.items:,} items, index {card['index']['name']}: {chosen}")
        stages(version, users)
        with served(version.parent) as address:
            found = load(address, arguments.seconds, users)
    rate, p50, p99 = found["saturation"], 1e3 * found["p50"], 1e3 * found["p99"]
    row = [f"{rate:.0f}", f"{rate / 2:.0f}", str(found["requests"]), str(found["errors"])]
    row += [f"{p50:.1f}", f"{p99:.1f}", f"{p99 / p50:.1f}"]
    columns = ["saturation/s", "asked/s", "requests", "errors", "p50 ms", "p99 ms", "p99 / p50"]
    show("recommend over gRPC, at half of saturation", ["", *columns], [["", *row]])


if __name__ == "__main__":
    main()
