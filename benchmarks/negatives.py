"""What drawn negatives keep of the exact loss: `python benchmarks/negatives.py`.

The made-up rows of full_scale.py, and its recipe with each loss of retrieval in turn, all else
alike: recall over all items for some users; the difference to the first loss, with a 95 % interval
over the same users; the AUC of clicks; and rows a second of a processor. float16 is the last loss
once more, its tables and the vectors of its items being kept in half precision. Beside them
popularity, and the best there can be: the numbers that the rows were made with, for one who does
not know what a user clicked last, as towers of ids do not either.

--losses takes those named below; exact costs as much as there are users times items.
"""

import argparse
import json
import pathlib
import shutil
import tempfile
from typing import Any

import numpy as np
from _timing import show
from full_scale import run

from multitask_recommender.metrics.intervals import paired_interval

POPULARITY, BEST, HALVED = "popularity", "best", "float16"


def drawn(number: int, power: float) -> dict[str, Any]:
    return {"negatives": "drawn", "num_negatives": number, "negatives_power": power}


LOSSES = {  # settings of retrieval
    "exact": {"negatives": "full"},  # a user is scored once, however many rows he has
    "drawn-256": drawn(256, 0.5),
    "drawn-4096": drawn(4096, 0.5),
    "drawn-1024-uniform": drawn(1024, 0.0),
    "drawn-1024-power-.75": drawn(1024, 0.75),
    "in-batch": {"negatives": "in_batch"},
    "in-batch-without-logq": {"negatives": "in_batch", "logq": False},
    "drawn-1024": drawn(1024, 0.5),
}


def judged(folder: pathlib.Path, stage: str, name: str) -> dict[str, Any]:
    """A scorer's metrics, with `users` [Q], by metric."""
    found = json.loads((folder / f"{stage}.json").read_text())
    with np.load(folder / f"{name}.npz") as arrays:
        return found[name] | {"users": {key.rpartition("/")[2]: arrays[key] for key in arrays}}


def trained(folder: pathlib.Path, loss: str, given: dict[str, Any]) -> dict[str, Any]:
    given = given | {"retrieval": LOSSES[loss]}
    if loss == "exact":
        given["training"] = given["training"] | {"batch_by": "user"}
    shutil.rmtree(folder / "checkpoints", ignore_errors=True)  # of the loss before
    run("train", folder, given)
    run("evaluate", folder, given)
    speed = json.loads((folder / "train.json").read_text())["examples/processor s"]
    return judged(folder, "evaluate", "model") | {"speed": speed}


def line(name: str, found: dict[str, Any], first: dict[str, Any]) -> list[str]:
    cells = [name]
    for metric in ("recall@20", "recall@100"):
        cells.append(f"{found[f'full/{metric}']:.4f}")
        each = paired_interval(found["users"][metric], first["users"][metric])
        cells.append(
            "" if found is first else f"{each.mean:+.4f} [{each.low:+.4f}, {each.high:+.4f}]"
        )
    speed = f"{found['speed']:,.0f}" if "speed" in found else ""
    return [*cells, f"{found['click/auc']:.4f}", speed]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows-fraction", type=float, default=0.01)
    parser.add_argument("--folder", type=pathlib.Path, help="by default one that is removed")
    parser.add_argument("--losses", default=",".join(LOSSES))
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--users", type=int, default=5000, help="that are evaluated")
    arguments = parser.parse_args()
    given = {
        "fraction": arguments.rows_fraction,
        "training": {"epochs": arguments.epochs},
        "evaluation": {"users": arguments.users},
    }
    with tempfile.TemporaryDirectory() as aside:
        folder = arguments.folder or pathlib.Path(aside)
        if not (folder / "generate.json").exists():
            run("generate", folder, given)
        found = {loss: trained(folder, loss, given) for loss in arguments.losses.split(",")}
        halves = {"evaluation": {"vectors": HALVED, "users": arguments.users}}
        run("evaluate", folder, given | halves | {"export": {"tables": HALVED}})
        found[HALVED] = judged(folder, "evaluate", "model")
        found[POPULARITY] = judged(folder, "evaluate", POPULARITY)
        run(BEST, folder, given)
        found[BEST] = judged(folder, BEST, BEST)
    first = found[next(iter(found))]
    columns = [
        "loss",
        "recall@20",
        "to the first",
        "recall@100",
        "to the first",
        "click AUC",
        "rows/s",
    ]
    title = f"{arguments.rows_fraction:g} of the rows, {arguments.epochs} epochs"
    show(title, columns, [line(name, each, first) for name, each in found.items()])


if __name__ == "__main__":
    main()
