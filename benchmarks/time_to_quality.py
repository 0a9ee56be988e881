"""How long peers and we take to a quality, on MovieLens 100k.

    MTR_DATA=... taskset -c 1 python benchmarks/time_to_quality.py [NAME ...]
        [--recbole PYTHON] [--keras-rs PYTHON] [--epochs N] [--learning-rate RATE]

PYTHON is the interpreter of an environment with the peer (recbole==1.2.1 wants torch, numpy<2,
scipy<1.12 and pandas<2.3; keras-rs==0.4.0); `implicit` and TFRS are among our own requirements.

Both sides learn from the same rows: a random eight tenths, or, for sessions, what each user met
before his last two films. After every epoch the peer's vectors, and our model, are judged by one
evaluator: nDCG@10 on validation (a tenth; the last film but one), over all films but those met in
training (sessions: over all films), mean over users. The peer trains for its epochs, in a process
of its own (_peers/); then each of ours, until it has reached the peer's best (or popularity's,
where that is higher), or for as long as the peer took, or ten seconds. Seconds are the processor's,
of training alone, compilation included: neither starting up, reading, building a model nor judging.
Pin it to a core, so that both sides have one thread.

Peers have their own defaults (_peers/ says which). Of ours, `the same` is the same model with the
same loss; what else stands beside it is what we would use. Learning rates of ours, and deviations
that vectors begin with, were chosen on validation; of RecBole, one may be given.
"""

import argparse
import dataclasses
import functools
import os
import pathlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import sessions_against_recbole as sessions
from _steps import begun
from _timing import console, record, show
from evaluation import Factors
from graph_against_recbole import BPR, write_inter
from graph_against_recbole import OURS as GRAPHS

from multitask_recommender import config, evaluation, experiment, registry, splits

Curve = Iterator[tuple[float, evaluation.Scorer]]  # seconds of training so far, and what it made

RANDOM = {
    "dataset": {"name": "movielens", "offline": "error"},
    "split": {"name": "random", "test": 0.1, "validation": 1 / 9},
    "tasks": {"retrieval": {}},
}
_LEAST_SECONDS = 10.0  # of ours: an epoch of a peer may be shorter than our compilation
IDS = {"name": "two_tower", "user": ["id"], "item": ["id"]}
IN_BATCH = {"negatives": "in_batch", "logq": False, "remove_accidental_hits": False}
SOFTMAX = (
    {**IDS, "dropout": 0.5},
    {"negatives": "full"},
    {"batch_by": "user", "batch_size": 10_000, "learning_rate": 0.01},
)
TUTORIAL = {
    "the same": (IDS, IN_BATCH, {"optimizer": "adagrad", "learning_rate": 0.1, "batch_size": 4096}),
    "softmax over all": SOFTMAX,
}


@dataclasses.dataclass(frozen=True)
class Peer:
    """The program of a peer, its epochs, and ours: settings of a model, retrieval and training."""

    program: str
    epochs: int
    ours: Mapping[str, Any]
    name: str | None = None  # RecBole's for the model
    python: str | None = None  # which interpreter: an argument of this program


PEERS = {
    "tfrs": Peer("tfrs_retrieval", 30, TUTORIAL),
    "keras_rs": Peer("keras_rs_retrieval", 30, TUTORIAL, python="keras_rs"),
    "implicit": Peer(
        "implicit_als",
        20,
        {
            # Of _peers/implicit_als.py, as tests/baselines/test_ials.py converts it.
            "the same": {"dimension": 64, "l2": 10.0, "l2_power": 0.0, "unobserved_weight": 1.0},
            "ials as by default": {"dimension": 64},
        },
    ),
    "bpr": Peer(
        "recbole_models",
        60,
        {
            "the same": ({**IDS, "initial_stddev": 0.01}, BPR, {"learning_rate": 0.003}),
            "softmax over all": SOFTMAX,
        },
        "BPR",
        "recbole",
    ),
    "lightgcn": Peer(
        "recbole_models",
        60,
        {"the same": GRAPHS["LightGCN"]["BPR"], "softmax": GRAPHS["LightGCN"]["softmax"]},
        "LightGCN",
        "recbole",
    ),
    "ngcf": Peer("recbole_models", 40, {"the same": GRAPHS["NGCF"]["BPR"]}, "NGCF", "recbole"),
    "gru4rec": Peer("recbole_models", 4, {"the same": "GRU4Rec"}, "GRU4Rec", "recbole"),
    "sr_gnn": Peer("recbole_models", 4, {"the same": "SR-GNN"}, "SRGNN", "recbole"),
}


class Task:
    """What is learnt and what is judged; the same for a peer and for ours."""

    def __init__(self, name: str) -> None:
        self.name, self.peer = name, PEERS[name]
        self.of_sessions = isinstance(self.peer.ours["the same"], str)
        if self.of_sessions:
            self.rows = sessions.histories()
            self.data = splits.split(self.rows, config.parse(sessions.CONFIG).split)
        else:
            self.data = experiment.Experiment(config.parse(RANDOM)).data
        protocol = "unfiltered" if self.of_sessions else "full"
        settings = evaluation.Settings(protocols=[protocol], cutoffs=[10])
        self._evaluator = evaluation.Evaluator(
            [self.data.train], self.data.validation, settings, "validation"
        )
        self._key = f"validation/{protocol}/ndcg@10"

    def quality(self, scorer: evaluation.Scorer) -> float:
        return self._evaluator(scorer).metrics[self._key]

    @functools.cached_property
    def popularity(self) -> float:
        settings = registry.settings_class("baselines", "popularity")()
        fit = registry.load("baselines", "popularity").fit
        return self.quality(fit(settings, self.data.train, 0, None))

    def write(self, folder: pathlib.Path) -> None:
        """For programs of peers."""
        train = self.data.train
        np.savez(
            folder / "train.npz",
            users=train.user_ids,
            items=train.item_ids,
            num_users=train.num_users,
            num_items=train.num_items,
        )
        (folder / "ml100k").mkdir()
        if self.of_sessions:
            sessions.write_inter(self.rows, folder / "ml100k" / "ml100k.inter")
            return
        for part in ("train", "validation", "test"):
            rows = getattr(self.data, part)
            write_inter(rows, folder / "ml100k" / f"ml100k.{part.removesuffix('ation')}.inter")


def theirs(task: Task, arguments: argparse.Namespace) -> Curve:
    peer = task.peer
    python = getattr(arguments, peer.python) if peer.python else sys.executable
    program = pathlib.Path(__file__).parent / "_peers" / f"{peer.program}.py"
    epochs = arguments.epochs or peer.epochs
    with tempfile.TemporaryDirectory() as place:
        folder = pathlib.Path(place)
        task.write(folder)
        command = [python, str(program), place, str(epochs)]
        if peer.name:
            command += [peer.name, str(arguments.learning_rate)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=place)
        if done.returncode:
            raise SystemExit(f"{task.name} failed:\n{done.stderr[-2000:]}")
        for path in sorted(folder.glob("[0-9]*.npz")):
            with np.load(path) as found:
                yield float(found["seconds"]), Factors(found["users"], found["items"])


def ours(task: Task, chosen: Any) -> Curve:
    """An epoch at a time, without end."""
    if isinstance(chosen, dict):
        yield from _least_squares(task, chosen)
    if task.of_sessions:
        values = sessions.configured(chosen, 1000)
    else:
        model, retrieval, training = chosen
        training = {"epochs": 1000, "batch_size": 2048, "optimizer": "adam", **training}
        tasks = {"retrieval": retrieval}
        values = config.parse({**RANDOM, "model": model, "tasks": tasks, "training": training})
    yield from _epochs(values, task.data)


def _epochs(values: config.Config, data: splits.Splits) -> Curve:
    experiment.Experiment(values, data)  # checks the one against the other
    with begun(values, data.train) as training:
        spent, started = 0.0, time.process_time()
        for _ in training.epochs(values.training.epochs, lambda steps: None):
            spent += time.process_time() - started
            yield spent, training.model.scorer()
            started = time.process_time()


def _least_squares(task: Task, chosen: dict[str, Any]) -> Curve:
    """A fit of n epochs begins anew, so each is timed whole."""
    fit = registry.load("baselines", "ials").fit
    for epochs in range(1, 1000):
        settings = registry.settings_class("baselines", "ials")(epochs=epochs, **chosen)
        started = time.process_time()
        scorer = fit(settings, task.data.train, 0, None)
        yield time.process_time() - started, scorer


@dataclasses.dataclass
class Followed:
    """A curve as it was judged: seconds and qualities by epoch."""

    seconds: list[float] = dataclasses.field(default_factory=list)
    qualities: list[float] = dataclasses.field(default_factory=list)

    @property
    def best(self) -> float:
        return max(self.qualities)

    def until(self, quality: float) -> float:
        """Seconds until it is reached; infinite where it never is."""
        pairs = zip(self.seconds, self.qualities, strict=True)
        return next((spent for spent, found in pairs if found >= quality), np.inf)


def followed(task: Task, curve: Curve, goal: float = np.inf, seconds: float = np.inf) -> Followed:
    """Until the goal is reached or the seconds are spent."""
    found = Followed()
    for spent, scorer in curve:
        found.seconds.append(spent)
        found.qualities.append(task.quality(scorer))
        if found.qualities[-1] >= goal or spent >= seconds:
            break
    return found


def compare(name: str, arguments: argparse.Namespace) -> None:
    task = Task(name)
    peer = followed(task, theirs(task, arguments))
    sides = {name: peer}
    for title, chosen in task.peer.ours.items():
        goal = max(peer.best, task.popularity)
        sides[f"ours: {title}"] = followed(
            task, ours(task, chosen), goal, max(peer.seconds[-1], _LEAST_SECONDS)
        )
    rows = []
    for title, side in sides.items():
        reached = [side.until(task.popularity), side.until(peer.best)]
        if side is not peer and np.isfinite(reached[1]):
            times = peer.until(peer.best) / reached[1]
            record(f"time_to_quality/{name}/{title}", times)
        rows.append(
            [
                title,
                str(len(side.seconds)),
                f"{side.seconds[-1] / len(side.seconds):.2f}",
                *(f"{each:.2f}" if np.isfinite(each) else "never" for each in reached),
                f"{side.best:.4f}",
            ]
        )
    columns = ["", "epochs", "s each", "to popularity", "to the peer's best", "best"]
    title = f"nDCG@10 on validation, popularity {task.popularity:.4f}"
    show(f"{title}, load {os.getloadavg()[0]:.1f}", columns, rows)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(PEERS)}")
    parser.add_argument("--recbole", metavar="PYTHON")
    parser.add_argument("--keras-rs", metavar="PYTHON")
    parser.add_argument("--epochs", type=int, help="of the peer, instead of its own number")
    parser.add_argument("--learning-rate", type=float, default=0.001, help="RecBole's")
    arguments = parser.parse_args()
    for name in arguments.names or PEERS:
        python = PEERS[name].python
        if python and not getattr(arguments, python):
            console.print(f"{name}: left out, without --{python.replace('_', '-')}")
            continue
        compare(name, arguments)


if __name__ == "__main__":
    main()
