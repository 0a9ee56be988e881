"""The commands that read finished runs or exports and train nothing, with their arguments."""

import argparse
import pathlib
import sys
from collections.abc import Sequence

from multitask_recommender import run_folder
from multitask_recommender.ensembles import recipe
from multitask_recommender.errors import ConfigError

DONE = 0  # exit status
# Of `runs`, how many runs each action is of, and what to say to whoever names others.
_ACTIONS = {
    "list": (0, "no run (another folder of runs: --dir)"),
    "compare": (2, "the folders of 2 runs"),
    "delete": (1, "the folder of 1 run"),
}


def reindex(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> int:
    """Add, remove or replace items of an export, without training: its next version."""
    parser.add_argument(
        "export",
        type=pathlib.Path,
        metavar="EXPORT",
        help="a version, or the folder that holds versions, of which it is the latest",
    )
    parser.add_argument(
        "--items",
        type=pathlib.Path,
        required=True,
        metavar="FILE",
        help="csv, tsv or parquet: a column item, features of items by name, and remove (true)",
    )
    parser.add_argument(
        "--out",
        type=pathlib.Path,
        metavar="DIR",
        help="the base path, in which the next version is written (default: that of the export)",
    )
    parsed = parser.parse_args(arguments)

    from multitask_recommender import reindexing

    reindexing.reindex(parsed.export, parsed.items, parsed.out)
    return DONE


def ensemble(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> int:
    """Make one recommender of several finished runs, and say what each of them adds."""
    parser.add_argument(
        "members",
        nargs="+",
        metavar="RUN",
        help="folders of runs on the same data and split; names of baselines too: ials, ease, ...",
    )
    parser.add_argument(
        "--method",
        choices=recipe.METHODS,
        default=recipe.WEIGHTED,
        help="weighted: the weighted sum of scores, standardised for each user (default); "
        "reciprocal_rank: of 1 / (60 + rank); stacked: as weighted, by weights learnt on "
        "validation, for runs with training.refit=false",
    )
    parser.add_argument(
        "--weights",
        metavar="W,W,...|ENSEMBLE",
        help="what each member counts, or an ensemble whose weights count here (default: alike)",
    )
    parser.add_argument(
        "--out",
        type=pathlib.Path,
        metavar="DIR",
        help="where the ensemble is written (default: a fresh folder under runs/)",
    )
    parsed = parser.parse_intermixed_args(arguments)
    if len(parsed.members) < 2:
        raise ConfigError(f"{parsed.members[0]} alone is no ensemble: name two members or more.")

    from multitask_recommender import ensembling

    asked = ensembling.Asked(parsed.members, parsed.method, parsed.weights)
    ensembling.ensemble(asked, parsed.out or run_folder.fresh("ensemble"))
    return DONE


def explain(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> int:
    """Show which items of a user's history, and which features, move the score of an item."""
    parser.add_argument("run", type=pathlib.Path, metavar="RUN", help="the folder of a run")
    parser.add_argument("user", metavar="USER", help="a user's id, as in the data")
    parser.add_argument("item", metavar="ITEM", help="an item's id, as in the data")
    parser.add_argument(
        "--top", type=int, default=10, metavar="N", help="how many reasons are shown (default: 10)"
    )
    parser.add_argument(
        "--json", type=pathlib.Path, metavar="FILE", help="write every reason there"
    )
    parsed = parser.parse_args(arguments)
    if parsed.top < 1:
        raise ConfigError(f"--top is {parsed.top}, expected a number of at least 1.")

    from multitask_recommender import explaining

    explaining.explain(parsed.run, (parsed.user, parsed.item), parsed.top, parsed.json)
    return DONE


def manage(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> int:
    """List runs with their figures, compare two of them, or delete one."""
    parser.add_argument("action", nargs="?", choices=_ACTIONS, default="list")
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
    action, run = parsed.action, parsed.run
    number, wanted = _ACTIONS[action]
    if len(run) != number:
        named = ", ".join(map(str, run)) or "none"
        raise ConfigError(f"runs {action} takes {wanted}, named: {named}.")

    from multitask_recommender import run_listing

    if action == "list":
        run_listing.show(parsed.dir)
    elif action == "compare":
        run_listing.compare(*run)
    else:
        asks = sys.stdin.isatty() and not parsed.yes
        sure = input(f"Delete {run[0]} with all it holds? [y/N] ") == "y" if asks else parsed.yes
        run_listing.delete(run[0], sure)
    return DONE
