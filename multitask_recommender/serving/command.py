"""The arguments of `serve`: read and checked before TensorFlow is there."""

import argparse
import pathlib
from collections.abc import Callable, Sequence
from typing import TypeVar

from multitask_recommender.serving.options import Limits, Options, find_export

Number = TypeVar("Number", int, float)

_ABOUT = """\
Serve an export over REST and gRPC, as TensorFlow Serving does, from this machine to itself.

A stand-in for machines without Docker, for trying a model out, and for tests. It is not a product:
it is Python, it has no batching, no TLS, no authentication and no metrics. Production is TensorFlow
Serving, which reads the same folder."""
_LARGEST_PORT = 65_535


def serve(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> int:
    """Serve an export on this machine, as TensorFlow Serving does, with a page to try it."""
    parser.description = _ABOUT
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    _add_arguments(parser)
    options = _options(parser.parse_args(arguments))

    from multitask_recommender.serving import server

    server.serve(options)
    return 0


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "export",
        type=pathlib.Path,
        metavar="EXPORT",
        help="a folder of versions, watched for new ones: the newest is served; or one version",
    )
    parser.add_argument("--name", help="what the model is called (default: as its run or folder)")
    parser.add_argument(
        "--label",
        type=_label,
        action="append",
        default=[],
        metavar="NAME=VERSION",
        help="a label, say stable=3, of a version that is served beside the newest; may be given "
        "again",
    )
    host = Options.host
    parser.add_argument(
        "--host",
        default=host,
        help=f"the address to listen at (default: {host}, this machine alone); any other lets "
        "others in, and nothing asks who they are",
    )
    port, above_zero = _number(int, 0, _LARGEST_PORT), _number(float, 1e-3)
    _add(parser, "rest-port", port, Options.rest_port, "the port of REST and the page; 0: any")
    _add(parser, "grpc-port", port, Options.grpc_port, "the port of gRPC; 0: any that is free")
    _add(parser, "poll", above_zero, Options.poll, "seconds between looks for new versions")
    count = _number(int, 1)
    _add(parser, "max-body", count, Limits.body_mib, "MiB of a request")
    _add(parser, "max-k", count, Limits.k, "items that a request may ask for")
    _add(parser, "max-ids", count, Limits.ids, "values in a row: of history, item_ids, exclude_ids")
    _add(parser, "max-batch", count, Limits.batch, "rows of a request")
    _add(parser, "max-requests", count, Limits.requests, "requests at once; others are refused")
    _add(parser, "timeout", above_zero, Limits.seconds, "seconds a REST request may take")


def _add(
    parser: argparse.ArgumentParser,
    name: str,
    read: Callable[[str], Number],
    default: Number,
    about: str,
) -> None:
    parser.add_argument(
        f"--{name}", type=read, default=default, metavar="N", help=f"{about} (default: {default:g})"
    )


def _options(parsed: argparse.Namespace) -> Options:
    return Options(
        export=find_export(parsed.export, parsed.name),
        host=parsed.host,
        rest_port=parsed.rest_port,
        grpc_port=parsed.grpc_port,
        poll=parsed.poll,
        labels=dict(parsed.label),
        limits=Limits(
            parsed.max_body,
            parsed.max_k,
            parsed.max_ids,
            parsed.max_batch,
            parsed.max_requests,
            parsed.timeout,
        ),
    )


def _number(
    kind: type[Number], least: Number, most: Number | None = None
) -> Callable[[str], Number]:
    """Reads a number from `least` to `most`."""
    expected = f"at least {least:g}" if most is None else f"{least:g} to {most:g}"
    expected = f"expected {'an integer' if kind is int else 'a number'} of {expected}"

    def read(text: str) -> Number:
        try:
            value = kind(text)
        except ValueError:
            value = None
        # A NaN is within no bounds, and infinity beyond all.
        if value is None or not least <= value < float("inf") or (most and value > most):
            raise argparse.ArgumentTypeError(f"{expected}, found {text!r}")
        return value

    return read


def _label(text: str) -> tuple[str, int]:
    label, _, version = text.partition("=")
    if not (label and version.isascii() and version.isdigit()) or set(label) & set("/:"):
        raise argparse.ArgumentTypeError(f"expected NAME=VERSION, say stable=3, found {text!r}")
    return label, int(version)
