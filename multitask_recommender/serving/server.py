"""Sockets, signals, and what runs side by side: both front ends, and the watch for versions."""

import contextlib
import ipaddress
import logging
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from concurrent import futures

import uvicorn

from multitask_recommender.errors import RunError
from multitask_recommender.serving import grpc_api
from multitask_recommender.serving.models import Models
from multitask_recommender.serving.options import Options
from multitask_recommender.serving.rest_api import Rest
from multitask_recommender.serving.service import Service

log = logging.getLogger(__name__)
_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_SPARE = 8  # threads beyond the places for requests, to refuse with


def serve(options: Options) -> None:
    """Serves until SIGTERM or SIGINT, then answers what it has begun to, and returns.

    Raises RunError where no version can be served, or an address cannot be listened at.
    """
    _log_to_stderr()
    with _told_to_stop() as stop, running(options):
        stop.wait()
        log.info("stopping: what runs is finished first")
    log.info("stopped")


@contextlib.contextmanager
def running(options: Options) -> Iterator[tuple[int, int]]:
    """Both front ends, answering, and the watch for versions; yields the REST and gRPC ports."""
    limits = options.limits
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(_listener(options.host, options.rest_port))
        models = Models(options.export, options.labels, limits)
        models.open()
        stack.enter_context(_watching(models, options))
        pool = stack.enter_context(futures.ThreadPoolExecutor(limits.requests + _SPARE, "request"))
        service = Service(models, limits)
        remote, grpc_port = grpc_api.start(service, options.host, options.grpc_port, pool)
        stack.callback(lambda: remote.stop(limits.seconds).wait())
        stack.enter_context(_beside(Rest(service, pool), listener, limits.seconds))
        rest_port = listener.getsockname()[1]
        _announce(options, rest_port, grpc_port)
        yield rest_port, grpc_port


def _listener(host: str, port: int) -> socket.socket:
    """A socket that is bound already, so that a taken port is told before a model is loaded."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named as TCP, since asyncio sends small answers at once (TCP_NODELAY) only where it is.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise RunError(
            f"REST cannot listen at {host}:{port}: {error.strerror or error}. Choose others with "
            "--rest-port and --host."
        ) from error
    return listener


@contextlib.contextmanager
def _beside(rest: Rest, listener: socket.socket, grace: float) -> Iterator[None]:
    """REST in a thread of its own, so that signals stay with the main one."""
    server = uvicorn.Server(
        uvicorn.Config(
            rest,
            lifespan="off",
            ws="none",
            access_log=False,
            log_config=None,
            timeout_graceful_shutdown=int(grace) + 1,
            server_header=False,
        )
    )
    thread = threading.Thread(target=server.run, args=([listener],), name="rest")
    thread.start()
    try:
        while not server.started:
            if not thread.is_alive():
                raise RunError("REST did not start: its log says why.")
            thread.join(0.01)
        yield
    finally:
        server.should_exit = True
        thread.join()


@contextlib.contextmanager
def _watching(models: Models, options: Options) -> Iterator[None]:
    if options.export.only is not None:
        yield
        return
    stop = threading.Event()
    thread = threading.Thread(target=models.watch, args=(options.poll, stop), name="watch")
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


@contextlib.contextmanager
def _told_to_stop() -> Iterator[threading.Event]:
    """An event that the signals to stop set; the handlers before are put back."""
    stop = threading.Event()
    before = {each: signal.signal(each, lambda *_: stop.set()) for each in _SIGNALS}
    try:
        yield stop
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _announce(options: Options, rest_port: int, grpc_port: int) -> None:
    host = f"[{options.host}]" if ":" in options.host else options.host
    name = options.export.name
    log.info("REST: http://%s:%d/v1/models/%s, gRPC: %s:%d", host, rest_port, name, host, grpc_port)
    log.info("page: http://%s:%d/", host, rest_port)
    if not _is_loopback(options.host):
        log.warning(
            "OPEN TO OTHERS: listening at %s, so whoever reaches this machine may ask. There is "
            "no TLS and no authentication. Leave --host out to listen to this machine alone.",
            options.host,
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _log_to_stderr() -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    ours = logging.getLogger("multitask_recommender")
    ours.setLevel(logging.INFO)
    ours.handlers = [handler]
