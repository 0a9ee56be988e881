"""Losses of retrieval, and what they reach: `python benchmarks/negatives.py`.

The made-up rows of full_scale.py, and its recipe with each loss of retrieval in turn, all else
alike: recall over all items for some users; the difference to the recipe, with a 95 % interval over
the same users; the AUC of clicks; and rows a second of a processor. drawn-1024-.5 draws 1,024
negatives a batch by count^.5. float16 is the recipe once more, its tables and the vectors of its
items being kept in half precision. Beside them popularity, iALS, and the best there can be: the
numbers that the rows were made with, for one who does not know what a user clicked last, as towers
of ids do not either.

--losses takes those named below. exact costs as much as there are rows times items (a hundredth of
the data: minutes; --precision bfloat16 halves it); exact-by-user only users times items, but makes
one step a user and pass; exact-by-32 one step for each 32 of a user's rows.
--folder keeps what was found, and a later call shows it again beside what it adds.
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

HALVED, BESIDE = "float16", ("popularity", "ials", "best")
BASE = "drawn-1024-.75"  # the recipe; its tables are halved


def drawn(number: int, power: float) -> dict[str, Any]:
    return {"negatives": "drawn", "num_negatives": number, "negatives_power": power}


LOSSES = {  # settings of retrieval, and of training
    "exact": ({"negatives": "full"}, {"batch_size": 2048}),  # of less memory
    "exact-by-32": ({"negatives": "full"}, {"batch_size": 2048, "batch_by": 32}),
    "exact-by-user": ({"negatives": "full"}, {"batch_by": "user"}),
    "drawn-256-.5": (drawn(256, 0.5), {}),
    "drawn-1024-0": (drawn(1024, 0.0), {}),
    "drawn-1024-.5": (drawn(1024, 0.5), {}),
    BASE: (drawn(1024, 0.75), {}),
    "drawn-4096-.5": (drawn(4096, 0.5), {}),
    "drawn-8192-.75": (drawn(8192, 0.75), {}),
    "in-batch": ({"negatives": "in_batch"}, {}),
    "in-batch-without-logq": ({"negatives": "in_batch", "logq": False}, {}),
}


def train(folder: pathlib.Path, loss: str, given: dict[str, Any]) -> None:
    """Keeps what became of a loss."""
    retrieval, training = LOSSES[loss]
    given = given | {"retrieval": retrieval, "training": given["training"] | training}
    shutil.rmtree(folder / "checkpoints", ignore_errors=True)  # of the loss before
    run("train", folder, given)
    run("evaluate", folder, given)
    told = json.loads((folder / "train.json").read_text())
    more = {"speed": told["examples/processor s"], "precision": told["precision"]}
    keep(folder, "evaluate", "model", loss, more)
    if loss == BASE:
        halves = {"evaluation": given["evaluation"] | {"vectors": HALVED}}
        run("evaluate", folder, given | halves | {"export": {"tables": HALVED}})
        keep(folder, "evaluate", "model", HALVED)


def keep(folder: pathlib.Path, stage: str, scorer: str, name: str, more: Any = ()) -> None:
    found = json.loads((folder / f"{stage}.json").read_text())[scorer] | dict(more)
    place = folder / "losses"
    place.mkdir(exist_ok=True)
    (place / f"{name}.json").write_text(json.dumps(found))
    shutil.copy(folder / f"{scorer}.npz", place / f"{name}.npz")


def kept(folder: pathlib.Path) -> dict[str, dict[str, Any]]:
    """Metrics by name, with `users`: those of each user [Q], by metric."""
    found = {}
    for name in (*LOSSES, HALVED, *BESIDE):
        path = folder / "losses" / f"{name}.json"
        if path.exists():
            with np.load(path.with_name(f"{name}.npz")) as arrays:
                users = {key.rpartition("/")[2]: arrays[key] for key in arrays}
            found[name] = json.loads(path.read_text()) | {"users": users}
    return found


def line(name: str, found: dict[str, Any], recipe: dict[str, Any]) -> list[str]:
    precision = found.get("precision", "float32")
    cells = [name if precision == "float32" else f"{name}, {precision}"]
    for metric in ("recall@20", "recall@100"):
        cells.append(f"{found[f'full/{metric}']:.4f}")
        each = paired_interval(found["users"][metric], recipe["users"][metric])
        difference = f"{each.mean:+.4f} [{each.low:+.4f}, {each.high:+.4f}]"
        cells.append("" if found is recipe else difference)
    auc = f"{found['click/auc']:.4f}" if "click/auc" in found else ""  # iALS ranks only
    speed = f"{found['speed']:,.0f}" if "speed" in found else ""
    return [*cells, auc, speed]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows-fraction", type=float, default=0.01)
    parser.add_argument("--folder", type=pathlib.Path, help="by default one that is removed")
    parser.add_argument("--losses", default=",".join(LOSSES), help=f"{BASE} is the recipe")
    parser.add_argument("--beside", default=",".join(BESIDE))
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--precision", default="float32", help="of matrix products of a step")
    parser.add_argument("--users", type=int, default=5000, help="that are evaluated")
    arguments = parser.parse_args()
    given = {
        "fraction": arguments.rows_fraction,
        "training": {"epochs": arguments.epochs, "precision": arguments.precision},
        "evaluation": {"users": arguments.users},
        "beside": [],
    }
    with tempfile.TemporaryDirectory() as aside:
        folder = arguments.folder or pathlib.Path(aside)
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / "generate.json").exists():
            run("generate", folder, given)
        for loss in filter(None, arguments.losses.split(",")):
            train(folder, loss, given)
        for name in filter(None, arguments.beside.split(",")):
            run("beside", folder, given | {"beside": [name]})
            keep(folder, "beside", name, name)
        found = kept(folder)
    recipe = found.get(BASE) or next(iter(found.values()))
    columns = ["loss", "recall@20", "to the recipe", "recall@100", "to the recipe", "click AUC"]
    title = f"{arguments.rows_fraction:g} of the rows, {arguments.epochs} passes"
    lines = [line(name, each, recipe) for name, each in found.items()]
    show(title, [*columns, "rows/s"], lines)


if __name__ == "__main__":
    main()
