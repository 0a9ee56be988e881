"""Tenrec's full size on one machine: `python benchmarks/full_scale.py [--rows-fraction 0.1]`.

Makes 190 million rows in the form of Tenrec's QK-video (5.02M users, 3.75M items, 142.3M clicks and
one exposure without a click for every three of them), prepares them, trains retrieval with logQ,
click and like at d 64, evaluates some users over the whole catalogue, and exports with ScaNN. Every
stage is a process of its own and goes the way of the product. A table says of each its seconds (of
the clock, and of the processors: the machine may be shared), its peak memory (resident, which
counts mapped files that the system can take back, and anonymous), its bytes, and its share of what
this machine could do, as measured in the same run (_full_scale/least.py says of what).

Nothing is kept but FOLDER (--folder), which the stages read: --stages train,evaluate goes on with
what an earlier run has left there, and reports all that is there. --train-seconds ends training
early; rows a second are those of the time after the first 50 steps. --picture draws times and
memory.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
from typing import Any

from _full_scale.least import share, unsaid
from _full_scale.picture import draw
from _timing import ROOT, show

HERE = pathlib.Path(__file__).resolve().parent
STAGES = ("bounds", "generate", "prepare", "train", "evaluate", "export")


def options(arguments: argparse.Namespace) -> dict[str, Any]:
    """What is not given here is as in _full_scale/stages.py."""
    retrieval = ("negatives", "num_negatives")
    training = ("batch_size", "optimizer", "learning_rate", "epochs", "batch_by", "precision")
    given = {key: value for key, value in vars(arguments).items() if value is not None}
    return {
        "fraction": arguments.rows_fraction,
        "tiles": arguments.tiles,
        "retrieval": {key: given[key] for key in retrieval if key in given},
        "training": {key: given[key] for key in training if key in given},
        "train_seconds": arguments.train_seconds,
        "evaluation": {
            "users": arguments.users,
            "vectors": arguments.vectors,
            "block_megabytes": 128,
        },
        "export": {
            "index": {"name": "scann", "leaves": arguments.leaves},
            "recall": arguments.recall,
            "tables": arguments.vectors,
        },
    }


def run(stage: str, folder: pathlib.Path, given: dict[str, Any]) -> None:
    command = [sys.executable, str(HERE / "_full_scale" / "stages.py"), stage, str(folder)]
    subprocess.run([*command, json.dumps(given)], check=True, cwd=ROOT)


def report(found: dict[str, dict[str, Any]], title: str) -> None:
    rows = []
    for stage, told in found.items():
        part = share(stage, found)
        rows.append(
            [
                stage,
                f"{told['seconds']:,.0f}",
                f"{told['processor seconds']:,.0f}",
                f"{told['resident'] / 2**30:.2f}",
                f"{told['anonymous'] / 2**30:.2f}",
                f"{told.get('bytes', 0) / 2**30:.2f}",
                f"{told['load']:.0f}",
                "" if part is None else f"{part:.1%}",
            ]
        )
    columns = ["stage", "s", "processor s", "resident GiB", "anonymous GiB", "GiB written", "load"]
    show(title, [*columns, "of its bound"], rows)
    for stage, told in found.items():
        print(stage, json.dumps(told))
    for stage in found:
        key = unsaid(stage, found)
        if key is not None:
            print(
                f"{stage}: no share of its bound, as an older version of this benchmark has not "
                f"told {key!r}: run --stages bounds,{stage} again."
            )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows-fraction", type=float, default=1.0, help="of users, items, rows")
    parser.add_argument("--tiles", type=int, default=1, help="small worlds beside one another")
    parser.add_argument("--folder", type=pathlib.Path, help="by default one that is removed")
    parser.add_argument("--stages", default=",".join(STAGES))
    parser.add_argument("--negatives", choices=["drawn", "in_batch", "full"])
    parser.add_argument("--num-negatives", type=int)
    parser.add_argument("--precision", choices=["float32", "bfloat16"])
    parser.add_argument("--batch-size", type=int)
    parser.add_argument("--batch-by", choices=["row", "user"])
    parser.add_argument("--optimizer")
    parser.add_argument("--learning-rate", type=float)
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--train-seconds", type=float)
    parser.add_argument("--users", type=int, default=1000, help="that are evaluated")
    parser.add_argument("--vectors", default="float32", choices=["float32", "float16"])
    parser.add_argument("--leaves", type=int, help="of ScaNN; by default they are searched for")
    parser.add_argument("--recall", type=float, default=0.95, help="that ScaNN is to reach")
    parser.add_argument("--picture", type=pathlib.Path)
    arguments = parser.parse_args()
    given = options(arguments)
    with tempfile.TemporaryDirectory() as aside:
        folder = arguments.folder or pathlib.Path(aside)
        folder.mkdir(parents=True, exist_ok=True)
        for stage in filter(None, arguments.stages.split(",")):
            run(stage, folder, given)
        paths = {stage: folder / f"{stage}.json" for stage in STAGES}
        found = {stage: json.loads(p.read_text()) for stage, p in paths.items() if p.exists()}
        title = f"{100 * arguments.rows_fraction:g}% of Tenrec's QK-video"
        report(found, title)
        if arguments.picture:
            draw(found, title, arguments.picture)


if __name__ == "__main__":
    main()
