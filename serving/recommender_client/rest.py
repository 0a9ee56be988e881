"""TensorFlow Serving's REST API: JSON in columns, over kept connections."""

import json
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import httpx
from google.protobuf import json_format

from . import messages
from .endpoint import Interface, Model, Signature, read_signatures
from .errors import ServingError, UsageError
from .tensors import Nested

# How TensorFlow Serving says its statuses in HTTP.
_CODES = {
    400: "INVALID_ARGUMENT",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
_TRANSIENT = {429, 503}


class RestEndpoint:
    """A server at a URL such as `http://127.0.0.1:8501`."""

    def __init__(self, url: str) -> None:
        self.where = url.rstrip("/")
        if not self.where.startswith(("http://", "https://")):
            raise UsageError(f"{url} is no URL of a server. Give it as http://HOST:PORT.")
        self._http = httpx.Client(limits=httpx.Limits(max_connections=None))

    def interface(self, model: Model, timeout_s: float) -> Interface:
        answer = self._ask("GET", f"{_path(model)}/metadata", None, timeout_s, "metadata")
        definitions = messages.SignatureDefMap()
        signatures = answer["metadata"]["signature_def"]["signature_def"]
        json_format.ParseDict(
            {"signature_def": signatures}, definitions, ignore_unknown_fields=True
        )
        return Interface(int(answer["model_spec"]["version"]), read_signatures(definitions))

    def predict(
        self, model: Model, signature: Signature, inputs: Mapping[str, Nested], timeout_s: float
    ) -> dict[str, Nested]:
        body = json.dumps({"signature_name": signature.name, "inputs": dict(inputs)})
        answer = self._ask("POST", f"{_path(model)}:predict", body, timeout_s, "outputs")
        outputs = answer["outputs"]
        # The only output of a signature comes without its name.
        return outputs if isinstance(outputs, dict) else {signature.outputs[0]: outputs}

    def close(self) -> None:
        self._http.close()

    def _ask(
        self, method: str, path: str, body: str | None, timeout_s: float, holds: str
    ) -> dict[str, Any]:
        """The JSON that a server answers with, which holds what it was asked for."""
        where = f"{self.where}{path}"
        try:
            status, text = self._exchange(method, where, body, timeout_s)
        except httpx.TimeoutException as error:
            sentence = f"no answer within {timeout_s:.3g} s"
            raise ServingError(where, "DEADLINE_EXCEEDED", sentence) from error
        except httpx.TransportError as error:
            sentence = str(error) or type(error).__name__
            raise ServingError(where, "UNAVAILABLE", sentence, is_transient=True) from error
        if status != 200:
            code = _CODES.get(status, f"HTTP {status}")
            raise ServingError(where, code, _sentence(text), status in _TRANSIENT)
        answer = _json(text)
        if not isinstance(answer, dict) or holds not in answer:
            sentence = f"the answer is no JSON with {holds}: {text[:200]}"
            raise ServingError(where, "INTERNAL", sentence)
        return answer

    def _exchange(
        self, method: str, url: str, body: str | None, timeout_s: float
    ) -> tuple[int, str]:
        """Status and text. httpx bounds each wait; the whole is bounded here, piece by piece."""
        deadline = time.monotonic() + timeout_s
        headers = {"Content-Type": "application/json"} if body else {}
        with self._http.stream(
            method, url, content=body, headers=headers, timeout=timeout_s
        ) as answer:
            pieces = []
            for piece in answer.iter_bytes():
                pieces.append(piece)
                if time.monotonic() > deadline:
                    raise httpx.ReadTimeout("the answer came too slowly")
        return answer.status_code, b"".join(pieces).decode("utf-8", errors="replace")


def _path(model: Model) -> str:
    path = f"/v1/models/{quote(model.name, safe='')}"
    if model.version is not None:
        return f"{path}/versions/{model.version}"
    return f"{path}/labels/{quote(model.label, safe='')}" if model.label is not None else path


def _sentence(text: str) -> str:
    """What a server says of an error: the `error` of its JSON, or the text as it is."""
    answer = _json(text)
    if isinstance(answer, dict) and "error" in answer:
        return str(answer["error"])
    return text.strip()[:500] or "no reason given"


def _json(text: str) -> Any:
    """What a text says in JSON; None where it does not."""
    try:
        return json.loads(text)
    except ValueError:
        return None
