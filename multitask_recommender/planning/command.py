"""The command `plan`: its arguments."""

import argparse
import pathlib
from collections.abc import Sequence

from multitask_recommender.config import load

_NUMBERS = ("users", "items", "rows")


def plan(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> int:
    """Say what a config will take, of memory and of disk, before anything is trained."""
    parser.add_argument("config", type=pathlib.Path, metavar="CONFIG", help="a config file")
    parser.add_argument(
        "overrides", nargs="*", metavar="key=value", help="settings over those of the config"
    )
    for name in _NUMBERS:
        parser.add_argument(
            f"--{name}",
            type=int,
            metavar="N",
            help=f"so many {name}, instead of reading the data: all of {', '.join(_NUMBERS)}",
        )
    parser.add_argument(
        "--feature",
        action="append",
        default=[],
        metavar="NAME=WORDS",
        help="with these: how many words a feature has that the model reads, 0 for a number",
    )
    parsed = parser.parse_intermixed_args(arguments)
    config = load(parsed.config, parsed.overrides)

    from multitask_recommender.planning import asked, table

    numbers = [getattr(parsed, name) for name in _NUMBERS]
    table.show(asked.of(config, numbers, parsed.feature), config)
    return 0
