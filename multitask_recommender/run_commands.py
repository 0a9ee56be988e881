"""The command `runs`: what it is told, before anything is read of a run."""

import argparse
import pathlib
import sys
from collections.abc import Sequence

from multitask_recommender.errors import ConfigError

_WANTED = {"list": 0, "compare": 2, "delete": 1}  # actions, and how many runs each is of


def manage(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> int:
    """List runs with their figures, compare two of them, or delete one."""
    parser.add_argument("action", nargs="?", choices=_WANTED, default="list")
    parser.add_argument(
        "run",
        nargs="*",
        type=pathlib.Path,
        metavar="RUN",
        help="the folders of two runs to compare, or of one to delete",
    )
    parser.add_argument(
        "--dir",
        type=pathlib.Path,
        default=pathlib.Path("runs"),
        metavar="DIR",
        help="the folder whose runs are listed (default: runs)",
    )
    parser.add_argument("--yes", action="store_true", help="delete without being asked")
    parsed = parser.parse_args(arguments)
    action, run, wanted = parsed.action, parsed.run, _WANTED[parsed.action]
    if len(run) != wanted:
        raise ConfigError(
            f"runs {action} wants {wanted} folders of runs, and {len(run)} are named."
        )

    from multitask_recommender import run_listing

    if action == "list":
        run_listing.show(parsed.dir)
    elif action == "compare":
        run_listing.compare(*run)
    else:
        asks = sys.stdin.isatty() and not parsed.yes
        sure = input(f"Delete {run[0]} with all it holds? [y/N] ") == "y" if asks else parsed.yes
        run_listing.delete(run[0], sure)
    return 0
