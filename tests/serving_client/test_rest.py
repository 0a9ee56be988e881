"""What is REST's own: paths, odd answers, servers that are not there."""

import contextlib
import http.server
import threading
import time

import pytest
from client import Client, Model, RestEndpoint, Retries, ServingError, UsageError
from recommender_client.endpoint import Signature

EMBED = Signature("embed_query", {"user_id": 9}, ("embedding",), {})


class _Canned(http.server.BaseHTTPRequestHandler):
    status, body, pauses = 200, b"", 0
    paths: list[str]

    def do_POST(self):  # noqa: N802 (the name is the library's)
        self.paths.append(self.path)
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # nobody waits any more
            for byte in self.body:
                self.wfile.write(bytes([byte]))
                time.sleep(self.pauses)

    def log_message(self, *args):
        pass


@pytest.fixture
def canned():
    """Serves an answer as given; its handler keeps the paths that were asked for."""
    handler = type("Handler", (_Canned,), {"paths": []})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        server.block_on_close = False
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        handler.endpoint = RestEndpoint(f"http://127.0.0.1:{server.server_port}/")
        yield handler
        handler.endpoint.close()
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("model", "path"),
    [
        (Model("toy"), "/v1/models/toy:predict"),
        (Model("toy", version=3), "/v1/models/toy/versions/3:predict"),
        (Model("a/b", label="canary"), "/v1/models/a%2Fb/labels/canary:predict"),
    ],
)
def test_paths(canned, model, path):
    canned.body = b'{"outputs": [[0.5]]}'

    # The only output of a signature comes without its name.
    found = canned.endpoint.predict(model, EMBED, {"user_id": [1]}, 5.0)

    assert (canned.paths, found) == ([path], {"embedding": [[0.5]]})


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (400, b'{"error": "k is 0"}', "toy:predict: INVALID_ARGUMENT: k is 0$"),
        (404, b'{"error": "no toy"}', "NOT_FOUND: no toy$"),
        (413, b"too large\n", "HTTP 413: too large$"),
        (502, b"", "HTTP 502: no reason given$"),
        (200, b"<html>", "INTERNAL: the answer is no JSON with outputs: <html>$"),
        (200, b'{"predictions": []}', "INTERNAL: the answer is no JSON with outputs: "),
        (500, b"[1]", r"HTTP 500: \[1\]$"),
    ],
)
def test_errors_that_are_not_asked_again(canned, status, body, told):
    canned.status, canned.body = status, body

    with pytest.raises(ServingError, match=told) as raised:
        canned.endpoint.predict(Model("toy"), EMBED, {}, 5.0)

    assert not raised.value.is_transient


@pytest.mark.parametrize(("status", "code"), [(429, "RESOURCE_EXHAUSTED"), (503, "UNAVAILABLE")])
def test_errors_that_may_pass(canned, status, code):
    canned.status, canned.body = status, b'{"error": "busy"}'

    with pytest.raises(ServingError, match=f"{code}: busy") as raised:
        canned.endpoint.predict(Model("toy"), EMBED, {}, 5.0)

    assert raised.value.is_transient


def test_an_answer_that_drips_is_left_in_time(canned):
    canned.body, canned.pauses = b" " * 50, 0.05
    start = time.monotonic()

    with pytest.raises(ServingError, match="DEADLINE_EXCEEDED: no answer within 0.2 s"):
        canned.endpoint.predict(Model("toy"), EMBED, {}, 0.2)

    assert time.monotonic() - start < 1.5


def test_a_url_without_its_scheme():
    with pytest.raises(UsageError, match="127.0.0.1:8501 is no URL of a server. Give it as http:"):
        RestEndpoint("127.0.0.1:8501")


def test_no_server_there():
    client = Client(RestEndpoint("http://127.0.0.1:9"), Model("toy"), retries=Retries(2, 0.001))

    told = r"http://127.0.0.1:9/v1/models/toy/metadata: UNAVAILABLE: .*refused.*\(tried 2 times\)"
    with pytest.raises(ServingError, match=told):
        client.interface()
