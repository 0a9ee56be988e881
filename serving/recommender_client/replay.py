"""Replays golden requests against an endpoint: drift, and latency."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .api import Client
from .errors import ServingError, UsageError
from .golden import Drift, Golden, compare, worst
from .tables import lined_up


@dataclass(frozen=True)
class Replayed:
    """Drift by (signature, output), and sentences that say why the server fails, if it does."""

    drifts: dict[tuple[str, str], Drift]
    faults: tuple[str, ...]


def replay(client: Client, golden: Golden, tolerance: float) -> Replayed:
    """Asks every golden request once and compares the answers."""
    fault = _other_version(client, golden)
    if fault:
        return Replayed({}, (fault,))
    drifts: dict[tuple[str, str], Drift] = {}
    faults = []
    for number, request in enumerate(golden.requests):
        try:
            found = client.predict(request.signature, request.inputs)
        except (ServingError, UsageError) as error:
            faults.append(f"request {number}: {error}")
            continue
        for output, drift in compare(request.outputs, found).items():
            key = (request.signature, output)
            drifts[key] = drifts.get(key, Drift()) | drift
    return Replayed(drifts, (*faults, *_too_far(client, golden, drifts, tolerance)))


def drift_table(drifts: dict[tuple[str, str], Drift]) -> str:
    """A line for each output of each signature."""
    rows = [
        (signature, output, f"{drift.distance:.3g}", str(drift.differing))
        for (signature, output), drift in sorted(drifts.items())
    ]
    return lined_up(("signature", "output", "largest difference", "ids that differ"), rows)


def _other_version(client: Client, golden: Golden) -> str | None:
    version = client.interface().version
    if version == golden.version:
        return None
    return (
        f"{client.endpoint.where} answers for {client.model.name} with version {version}; the "
        f"golden requests are of version {golden.version} ({_vocabulary(golden)}). Ask for "
        f"--version {golden.version}, or replay the golden requests of version {version}."
    )


def _too_far(
    client: Client,
    golden: Golden,
    drifts: dict[tuple[str, str], Drift],
    tolerance: float,
) -> Iterable[str]:
    drift = worst(drifts)
    if drift.differing:
        yield (
            f"{drift.differing} ids or words differ: {client.endpoint.where} answers from another "
            f"vocabulary, other data or another model than {_vocabulary(golden)}."
        )
    if drift.distance > tolerance:
        said = (
            f"{drift.distance:.3g}"
            if drift.distance < math.inf
            else "an output of another shape, or none"
        )
        yield f"the largest difference is {said}; at most {tolerance:.3g} is right."


def _vocabulary(golden: Golden) -> str:
    hashes: Sequence[str] = [
        f"{name} {sha256[:12]}" for name, sha256 in sorted(golden.vocabulary.items())
    ]
    return f"{golden.model}, vocabulary of {' and '.join(hashes)}"
