"""The command `compare`: its arguments, read before anything slow is imported."""

import argparse
import os
import pathlib
from collections.abc import Sequence

from multitask_recommender import run_folder
from multitask_recommender.errors import ConfigError


def compare(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> int:
    """Train a grid, or recipes, beside single-task twins; rank them, and finished runs."""
    parser.add_argument(
        "places",
        nargs="+",
        metavar="GRID|RECIPE|RUN",
        help="a grid file (experiments/grids/ has one); recipes, by file or name; finished runs",
    )
    parser.add_argument(
        "--out",
        type=pathlib.Path,
        metavar="DIR",
        help="where runs and results are written, and gone on with (default: a fresh folder "
        "under runs/)",
    )
    parser.add_argument(
        "--seeds",
        type=int,
        default=1,
        metavar="N",
        help="of recipes: train each with N seeds, from its own on (a grid lists its seeds)",
    )
    parser.add_argument(
        "--workers",
        type=int,
        metavar="N",
        help="runs that are trained at a time (default: one for each core; on a GPU give 1)",
    )
    parser.add_argument("--no-twins", action="store_true", help="train no single-task twins")
    parser.add_argument(
        "--export",
        action="store_true",
        help="export every run too: each export must answer as its model does",
    )
    parsed = parser.parse_args(arguments)
    cores = len(os.sched_getaffinity(0))
    num_workers = cores if parsed.workers is None else parsed.workers
    if num_workers < 1:
        raise ConfigError(f"--workers is {num_workers}, expected a number of at least 1.")

    from multitask_recommender.comparison import compare as comparison
    from multitask_recommender.comparison.plan import Asked, Plan

    plan = Plan(Asked(parsed.places, parsed.seeds, not parsed.no_twins))
    folder = parsed.out or run_folder.fresh(f"compare-{plan.name}")
    return comparison.run(plan, folder, num_workers, parsed.export)
