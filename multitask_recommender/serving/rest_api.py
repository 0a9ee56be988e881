"""The REST front end: the paths and the JSON of TensorFlow Serving, and the page at `/`.

https://www.tensorflow.org/tfx/serving/api_rest
"""

import asyncio
import json
import logging
import re
from collections.abc import Callable
from concurrent import futures

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, Response
from starlette.types import Receive, Scope, Send

from multitask_recommender.serving import json_form, messages, page
from multitask_recommender.serving.faults import Fault, Kind, invalid, shown
from multitask_recommender.serving.models import Asked
from multitask_recommender.serving.service import Service

log = logging.getLogger(__name__)
_MODEL = r"/v1/models/(?P<model>[^/:]+)(?:/versions/(?P<version>\d+)|/labels/(?P<label>[^/:]+))?"
_PREDICT = re.compile(_MODEL + r":(?P<method>predict|classify|regress)", re.ASCII | re.IGNORECASE)
_STATUS = re.compile(_MODEL + r"(?P<metadata>/metadata)?", re.ASCII | re.IGNORECASE)
_LARGEST = 2**63 - 1  # a version is an int64
# What is sent where no type is asked for: by curl -d, and by clients that set none.
_MEDIA_TYPES = {"application/json", "application/x-www-form-urlencoded", ""}
# Of a body that is too large, so much is read and thrown away: a client that is still sending when
# the answer comes would see a broken connection instead of it.
_DRAINED = 64 * 2**20


class Rest:
    """Answers requests; what computes does so in the threads of a pool."""

    def __init__(self, service: Service, pool: futures.Executor) -> None:
        self._service = service
        self._pool = pool

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI. There is no routing but ours, so that every answer is of the one form."""
        response = await self._answer(Request(scope, receive))
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        try:
            async with asyncio.timeout(self._service.limits.seconds):
                return await self._respond(request)
        except TimeoutError:
            seconds = self._service.limits.seconds
            return _error(Fault(Kind.DEADLINE, f"No answer within {seconds:g} s (--timeout)."))
        except Fault as fault:
            return _error(fault)
        except ClientDisconnect:
            return Response(status_code=499)  # nobody reads it
        except Exception:  # whatever it is, the next request is to be answered
            log.exception("a request failed")
            return _error(Fault(Kind.INTERNAL, "An error of the server's own: its log says which."))

    async def _respond(self, request: Request) -> Response:
        path = request.scope["path"]
        if request.method == "POST" and (found := _PREDICT.fullmatch(path)):
            if found["method"].lower() != "predict":
                raise Fault(Kind.UNIMPLEMENTED, f"There is no {found['method']} here: use predict.")
            asked = _asked(found)
            _check_media_type(request.headers.get("content-type", ""))
            body = await self._body(request)
            return await self._in_pool(lambda: self._predict(asked, body))
        if request.method in ("GET", "HEAD"):
            if path == "/":
                return self._page()
            if found := _STATUS.fullmatch(path):
                return self._told(_asked(found), bool(found["metadata"]))
        if path.lower().startswith("/v1/"):
            raise invalid(
                f"Malformed request: {request.method} {shown(path)}. Expected POST /v1/models/NAME"
                "[/versions/N|/labels/L]:predict, or GET of the same without :predict, or with "
                "/metadata."
            )
        raise Fault(Kind.NOT_FOUND, f"There is nothing at {shown(path)}. The API is at /v1/models/")

    def _page(self) -> Response:
        models = self._service.models
        version = models.find(Asked(models.export.name))
        return HTMLResponse(page.render(models.export.name, version.folder))

    def _told(self, asked: Asked, is_metadata: bool) -> Response:
        """The status of a model's versions, or the metadata of one."""
        models = self._service.models
        if not is_metadata:
            return _json(_dict(messages.status(models, asked)))
        version = models.find(asked)
        spec = messages.metadata(version, asked.model).model_spec
        signatures = {messages.SIGNATURES: _dict(version.definitions)}
        return _json({"model_spec": _dict(spec), "metadata": signatures})

    async def _body(self, request: Request) -> bytes:
        """The whole body, of which no more is held than it may be long."""
        limits = self._service.limits
        parts, size = [], 0
        async for part in request.stream():
            size += len(part)
            if size <= limits.body_bytes:
                parts.append(part)
            elif size > _DRAINED:
                break
        if size > limits.body_bytes:
            raise Fault(
                Kind.TOO_LARGE, f"The body is larger than {limits.body_mib} MiB (--max-body)."
            )
        return b"".join(parts)

    async def _in_pool(self, answer: Callable[[], bytes]) -> Response:
        loop = asyncio.get_running_loop()
        # Shielded: what runs cannot be stopped, and holds its place until it is done.
        found = await asyncio.shield(loop.run_in_executor(self._pool, answer))
        return Response(found, media_type="application/json")

    def _predict(self, asked: Asked, body: bytes) -> bytes:
        with self._service.admitted():
            document = json_form.read(body)
            _, _, outputs = self._service.predict(asked, document.signature, document.arrays)
            return json_form.write(outputs, document.is_rows)


def _asked(found: re.Match[str]) -> Asked:
    digits = found["version"]
    if digits and (len(digits) > len(str(_LARGEST)) or int(digits) > _LARGEST):
        raise invalid(f"Version {shown(digits)} is no 64-bit integer.")
    return Asked(found["model"], int(digits) if digits else None, found["label"])


def _check_media_type(header: str) -> None:
    if header.partition(";")[0].strip().lower() not in _MEDIA_TYPES:
        raise Fault(
            Kind.MEDIA_TYPE, f"The content type is {shown(header)}, expected application/json."
        )


def _json(answer: object, status: int = 200) -> Response:
    return Response(json.dumps(answer), status, media_type="application/json")


def _dict(message: Message) -> dict[str, object]:
    return MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )


def _error(fault: Fault) -> Response:
    return _json({"error": fault.sentence}, fault.kind.http)
