#!/usr/bin/env python
"""A client of exported recommenders on TensorFlow Serving, without TensorFlow or the project.

    from client import Client, GrpcEndpoint, Model, Query

    with Client(GrpcEndpoint("127.0.0.1:8500"), Model("recommender")) as client:
        answer = client.recommend(Query(user_id=42, k=10, weights={"like": 1.0}))

Or from a shell: `python serving/client.py recommend --rest http://127.0.0.1:8501 --user 42 -k 10`.
To use it elsewhere, copy this file with the folder `recommender_client`.
"""

import pathlib
import sys

# The folder lies beside this file, however the file was imported.
sys.path.append(str(pathlib.Path(__file__).resolve().parent))

from recommender_client.answers import Answer, Embedding, Item  # noqa: E402
from recommender_client.api import Client  # noqa: E402
from recommender_client.commands import main  # noqa: E402
from recommender_client.endpoint import Endpoint, Interface, Model, Signature  # noqa: E402
from recommender_client.errors import ServingError, UsageError  # noqa: E402
from recommender_client.queries import Query  # noqa: E402
from recommender_client.rest import RestEndpoint  # noqa: E402
from recommender_client.retries import NO_RETRIES, Retries  # noqa: E402
from recommender_client.rpc import GrpcEndpoint  # noqa: E402

__all__ = [
    "NO_RETRIES",
    "Answer",
    "Client",
    "Embedding",
    "Endpoint",
    "GrpcEndpoint",
    "Interface",
    "Item",
    "Model",
    "Query",
    "RestEndpoint",
    "Retries",
    "ServingError",
    "Signature",
    "UsageError",
]

if __name__ == "__main__":
    sys.exit(main())
