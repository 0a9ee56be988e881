"""The clients of benchmarks/serving.py, in a process that holds nothing else.

    python benchmarks/_load.py ADDRESS SECONDS < users.json

Within the process that built the index they would wait for its garbage to be collected. Writes the
saturation rate, and what came of half of it, as JSON.
"""

import functools
import json
import pathlib
import sys
import threading
import time
from typing import Any

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "serving"))

from recommender_client.api import Client
from recommender_client.endpoint import Model
from recommender_client.load import at_rate
from recommender_client.queries import Query
from recommender_client.retries import NO_RETRIES
from recommender_client.rpc import GrpcEndpoint

CLIENTS, SATURATION_SECONDS = 4, 15


def saturation(ask: Any, users: list[Any]) -> float:
    """Requests a second of some clients that ask as fast as they are answered."""
    counts, ends = [0] * CLIENTS, time.monotonic() + SATURATION_SECONDS

    def work(place: int) -> None:
        while time.monotonic() < ends:
            ask(users[(place * 7919 + counts[place]) % len(users)])
            counts[place] += 1

    threads = [threading.Thread(target=work, args=[place]) for place in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / SATURATION_SECONDS


def main() -> None:
    address, seconds = sys.argv[1], float(sys.argv[2])
    users = json.load(sys.stdin)
    with Client(GrpcEndpoint(address), Model("bench"), retries=NO_RETRIES) as client:

        def ask(user: Any) -> object:
            return client.recommend(Query(user, k=100))

        ask(users[0])
        rate = saturation(ask, users)
        calls = [functools.partial(ask, user) for user in users[:5000]]
        timings = at_rate(calls, rate / 2, seconds)
    found = {
        "saturation": rate,
        "requests": len(timings.latencies_s),
        "errors": sum(timings.failures.values()),
        "p50": timings.percentile_s(50),
        "p99": timings.percentile_s(99),
    }
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
