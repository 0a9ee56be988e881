"""Two commits on this machine, in one run: `python benchmarks/compare_commits.py A B [NAME ...]`.

Checks both out beside each other and asks the same short work of each (benchmarks/_short.py, as it
is in this checkout), in turns (A B, B A, A B, ...), each time in a process of its own, on one
thread. Seconds are the processor's, which other work takes none of, and of a process the least of
its repeats counts. The ratio of a round is that of B to A.

Rule: B is slower (faster) where the median ratio is off 1 by more than 5 % and every round is on
the same side of 1. Else no difference was seen, and of fewer than three rounds nothing is said. The
exit status is 1 where something is slower, or does not run at one of the commits: what it says then
stands above the table.
Ratios are appended to runs/ratios.jsonl: a line for each, with its commits and the load.
"""

import argparse
import contextlib
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence

from _short import NAMES
from _timing import ROOT, console, record, show

THRESHOLD = 0.05
FEWEST_ROUNDS = 3  # of one or two, noise puts all on one side too often
FASTER, UNSEEN, UNJUDGED = "faster", "no difference seen", "too few rounds"
_ONE_THREAD = {
    name: "1"
    for name in (
        "TF_NUM_INTRAOP_THREADS",
        "TF_NUM_INTEROP_THREADS",
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "POLARS_MAX_THREADS",
    )
}


def judged(ratios: Sequence[float]) -> str:
    """By the rule above."""
    if len(ratios) < FEWEST_ROUNDS:
        return UNJUDGED
    median = statistics.median(ratios)
    if median > 1 + THRESHOLD and min(ratios) > 1:
        return "slower"
    if median < 1 - THRESHOLD and max(ratios) < 1:
        return FASTER
    return UNSEEN


@contextlib.contextmanager
def checked_out(commits: Sequence[str]) -> Iterator[list[pathlib.Path]]:
    """A worktree of each commit, taken away in the end."""
    with tempfile.TemporaryDirectory() as place:
        folders = [
            pathlib.Path(place) / f"{side}-{commit}"
            for side, commit in zip("AB", commits, strict=True)
        ]
        try:
            for folder, commit in zip(folders, commits, strict=True):
                git("worktree", "add", "--detach", str(folder), commit)
            yield folders
        finally:
            for folder in folders:
                if folder.exists():
                    git("worktree", "remove", "--force", str(folder))


def git(*arguments: str) -> str:
    command = ["git", "-C", str(ROOT), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


class DoesNotRunError(Exception):
    """Of a commit, which may not have what the work asks for."""


def seconds(folder: pathlib.Path, name: str, repeats: int) -> float:
    """Of the package in a folder."""
    environment = os.environ | _ONE_THREAD
    environment |= {"PYTHONPATH": str(folder), "TF_CPP_MIN_LOG_LEVEL": "3"}
    script = str(pathlib.Path(__file__).with_name("_short.py"))
    command = [sys.executable, script, name, str(repeats)]
    done = subprocess.run(
        command, check=False, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True
    )
    if done.returncode:
        raise DoesNotRunError(f"does not run at {folder.name}")
    return min(json.loads(done.stdout.splitlines()[-1]))


def rounds_of(name: str, folders: Sequence[pathlib.Path], rounds: int, repeats: int) -> list[float]:
    """B to A, of each round."""
    ratios = []
    for number in range(rounds):
        order = (0, 1) if number % 2 == 0 else (1, 0)
        taken = {place: seconds(folders[place], name, repeats) for place in order}
        ratios.append(taken[1] / taken[0])
    return ratios


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("commits", nargs=2, metavar="COMMIT", help="A, then B")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=5, help="of the work in a process")
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(NAMES):
        parser.error(f"{', '.join(sorted(unknown))}: no such work. There is: {', '.join(NAMES)}.")
    before, after = (git("rev-parse", "--short", commit) for commit in arguments.commits)
    rows = []
    with checked_out((before, after)) as folders:
        for name in arguments.names or NAMES:
            try:
                ratios = rounds_of(name, folders, arguments.rounds, arguments.repeats)
            except DoesNotRunError as error:
                rows.append([name, "", "", str(error)])
                continue
            ratio, verdict = statistics.median(ratios), judged(ratios)
            spread = [round(min(ratios), 4), round(max(ratios), 4)]
            record(f"short/{name}", ratio, commit=after, against=before, spread=spread)
            console.print(f"{name}: {', '.join(f'{each:.3f}' for each in ratios)}", highlight=False)
            rows.append([name, f"{ratio:.3f}", f"{spread[0]:.3f} .. {spread[1]:.3f}", verdict])
    show(f"{after} beside {before}", ["", "x as long", "rounds", ""], rows)
    return int(any(verdict not in (FASTER, UNSEEN, UNJUDGED) for *_, verdict in rows))


if __name__ == "__main__":
    sys.exit(main())
