"""The command line of the client."""

import argparse
import functools
import math
import pathlib
import sys
from collections.abc import Callable, Sequence

from . import golden, load
from .answers import Answer
from .api import Client
from .endpoint import Model, Signature
from .errors import ServingError, UsageError
from .messages import DTYPES
from .queries import Query
from .replay import drift_table, replay
from .rest import RestEndpoint
from .retries import NO_RETRIES, Retries
from .rpc import GrpcEndpoint
from .tables import lined_up
from .tensors import Id, dtype_name

DONE, FAILED, WRONG_USAGE = 0, 1, 2  # exit statuses
_TYPES = {
    DTYPES["DT_STRING"]: str,
    DTYPES["DT_INT64"]: int,
    DTYPES["DT_INT32"]: int,
    DTYPES["DT_FLOAT"]: float,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command; returns the exit status."""
    given = _parser().parse_args(arguments)
    model = Model(given.model, given.version, given.label)
    try:
        endpoint = RestEndpoint(given.rest) if given.rest else GrpcEndpoint(given.grpc)
        with Client(endpoint, model, given.timeout, Retries(given.attempts)) as client:
            run: Callable[[Client, argparse.Namespace], int] = given.run
            return run(client, given)
    except UsageError as error:
        print(error, file=sys.stderr)
        return WRONG_USAGE
    except ServingError as error:
        print(error, file=sys.stderr)
        return FAILED


def _recommend(client: Client, given: argparse.Namespace) -> int:
    query = _query(given, client.signature("recommend"))
    return _print(client.recommend(query))


def _rank(client: Client, given: argparse.Namespace) -> int:
    signature = client.signature("rank")
    items = _typed("item_ids", given.item, signature)
    return _print(client.rank(_query(given, signature), items))


def _similar(client: Client, given: argparse.Namespace) -> int:
    signature = client.signature("similar_items")
    [item] = _typed("item_id", [given.item], signature)
    return _print(client.similar(item, given.k, _typed("exclude_ids", given.exclude, signature)))


def _replay(client: Client, given: argparse.Namespace) -> int:
    expected = golden.read(given.golden)
    tolerance = expected.tolerance if given.tolerance is None else given.tolerance
    replayed = replay(client, expected, tolerance)
    if replayed.drifts:
        print(drift_table(replayed.drifts))
    for fault in replayed.faults:
        print(fault, file=sys.stderr)
    if replayed.faults:
        return FAILED
    print(f"{len(expected.requests)} golden requests answered within {tolerance:.3g}.")
    # Tries again would hide what a load does to a server.
    timed = Client(client.endpoint, client.model, given.timeout, NO_RETRIES)
    timed.interface()
    calls = [
        functools.partial(timed.predict, request.signature, request.inputs)
        for request in expected.requests
        if given.signature in (None, request.signature)
    ]
    if not calls:
        raise UsageError(f"{given.golden}: no golden request of signature {given.signature}.")
    if given.qps is None:
        return _print_timings(load.in_turn(calls, given.repeat))
    return _print_timings(load.at_rate(calls, given.qps, given.seconds))


def _print(answer: Answer) -> int:
    tasks = sorted(answer.items[0].predictions) if answer.items else []
    rows = [
        (
            str(place),
            str(item.id),
            f"{item.score:.4f}",
            *(f"{item.predictions[task]:.4f}" for task in tasks),
        )
        for place, item in enumerate(answer.items, start=1)
    ]
    print(lined_up(("", "item", "score", *tasks), rows))
    if answer.source is not None:
        print(f"answered from: {answer.source}")
    return DONE


def _print_timings(timings: load.Timings) -> int:
    answered = len(timings.latencies_s)
    print(
        f"{answered} requests in {timings.seconds:.1f} s ({answered / timings.seconds:.1f} a "
        f"second): p50 {timings.percentile_s(50) * 1e3:.2f} ms, "
        f"p99 {timings.percentile_s(99) * 1e3:.2f} ms, {timings.failures.total()} failed"
    )
    for sentence, count in timings.failures.most_common(5):
        print(f"{count} x {sentence}", file=sys.stderr)
    return FAILED if timings.failures else DONE


def _query(given: argparse.Namespace, signature: Signature) -> Query:
    user = [] if given.user is None else _typed("user_id", [given.user], signature)
    features = {
        name: _typed(name, [text], signature)[0] for name, text in map(_pair, given.feature)
    }
    weights = {
        task: float(_typed(f"weight_{task}", [text], signature)[0])
        for task, text in map(_pair, given.weight)
    }
    return Query(
        user_id=user[0] if user else None,
        history=_typed("history", given.history, signature),
        k=getattr(given, "k", None),  # rank answers all that it is asked about
        exclude_ids=_typed("exclude_ids", getattr(given, "exclude", []), signature),
        exclude_seen=getattr(given, "exclude_seen", None),
        weights=weights,
        features=features,
    )


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"{text} is no NAME=VALUE.")
    return name, value


def _typed(name: str, texts: Sequence[str], signature: Signature) -> list[Id]:
    """Words of the command line as values of an input's type."""
    if not texts:
        return []
    if name not in signature.inputs:
        known = ", ".join(sorted(signature.inputs))
        raise UsageError(f"{signature.name} takes no {name}. Its inputs: {known}.")
    dtype = signature.inputs[name]
    if dtype not in _TYPES:
        raise UsageError(f"{name} of {dtype_name(dtype)} cannot be given here.")
    try:
        return [_TYPES[dtype](text) for text in texts]
    except ValueError as error:
        raise UsageError(f"{name} is of type {dtype_name(dtype)}: {error}.") from error


def _positive(text: str) -> float:
    number = float(text)
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return number


def _count(text: str) -> int:
    return int(_positive(str(int(text))))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="client.py", description="Ask an exported recommender on TensorFlow Serving."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    server, asked, cut = _of_the_server(), _of_a_user(), _of_a_list()

    def add(
        name: str, run: Callable[..., int], parents: list[argparse.ArgumentParser], told: str
    ) -> argparse.ArgumentParser:
        command = commands.add_parser(name, parents=[server, *parents], help=told, description=told)
        command.set_defaults(run=run)
        return command

    recommend = add("recommend", _recommend, [asked, cut], "the best items for a user")
    recommend.add_argument(
        "--exclude-seen", action=argparse.BooleanOptionalAction, help="what the user met before"
    )
    rank = add("rank", _rank, [asked], "what the tasks predict of given items")
    rank.add_argument("--item", nargs="+", required=True, metavar="ID")
    similar = add("similar", _similar, [cut], "the items nearest to an item")
    similar.add_argument("--item", required=True, metavar="ID")
    _add_replay(add("replay", _replay, [], "golden requests again: drift and latency"))
    return parser


def _of_the_server() -> argparse.ArgumentParser:
    """Arguments of every command."""
    parser = argparse.ArgumentParser(add_help=False)
    place = parser.add_mutually_exclusive_group(required=True)
    place.add_argument("--rest", metavar="URL", help="as http://127.0.0.1:8501")
    place.add_argument("--grpc", metavar="HOST:PORT", help="as 127.0.0.1:8500")
    parser.add_argument("--model", default="recommender", help="its name (default: %(default)s)")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--version", type=int, help="default: the newest that is served")
    which.add_argument("--label", help="the version of a label, as stable or canary")
    seconds, tries = "of a call, all tries together", "of a call, where the server is away or busy"
    parser.add_argument("--timeout", type=_positive, default=5.0, metavar="SECONDS", help=seconds)
    parser.add_argument("--attempts", type=_count, default=3, metavar="TRIES", help=tries)
    return parser


def _of_a_user() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--user", metavar="ID")
    parser.add_argument("--history", nargs="+", default=[], metavar="ITEM", help="oldest first")
    parser.add_argument("--weight", action="append", default=[], metavar="TASK=NUMBER")
    parser.add_argument("--feature", action="append", default=[], metavar="NAME=VALUE")
    return parser


def _of_a_list() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("-k", type=int, help="how many items")
    parser.add_argument("--exclude", nargs="+", default=[], metavar="ITEM")
    return parser


def _add_replay(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "golden", type=pathlib.Path, help="golden_requests.json, or the folder of a version"
    )
    parser.add_argument("--tolerance", type=float, help="default: as the file says")
    parser.add_argument("--signature", help="times the requests of this signature alone")
    parser.add_argument(
        "--repeat",
        type=_count,
        default=10,
        help="times all in turn, so often (default: %(default)s)",
    )
    parser.add_argument(
        "--qps",
        type=_positive,
        help="times them at a fixed rate instead, whatever the answers take",
    )
    parser.add_argument(
        "--seconds", type=_positive, default=10.0, help="of the fixed rate (default: %(default)s)"
    )
