"""What can be wrong with a request: a kind, which is a code in HTTP and in gRPC, and a sentence."""

import enum


class Kind(enum.Enum):
    """The HTTP status and the gRPC code. They are TF Serving's, plus 413 and 415 from HTTP.

    What no repetition of the request would mend (k or ids beyond their limit) is INVALID, so that
    clients, which send again what is BUSY, do not try.
    """

    INVALID = (400, "INVALID_ARGUMENT")
    NOT_FOUND = (404, "NOT_FOUND")
    TOO_LARGE = (413, "RESOURCE_EXHAUSTED")
    MEDIA_TYPE = (415, "INVALID_ARGUMENT")
    BUSY = (429, "RESOURCE_EXHAUSTED")
    INTERNAL = (500, "INTERNAL")
    UNIMPLEMENTED = (501, "UNIMPLEMENTED")
    UNAVAILABLE = (503, "UNAVAILABLE")
    DEADLINE = (504, "DEADLINE_EXCEEDED")

    def __init__(self, http: int, grpc: str) -> None:
        self.http = http
        self.grpc = grpc


class Fault(Exception):
    """Why a request is not answered."""

    def __init__(self, kind: Kind, sentence: str) -> None:
        super().__init__(sentence)
        self.kind = kind
        self.sentence = sentence


def invalid(sentence: str) -> Fault:
    return Fault(Kind.INVALID, sentence)


def shown(value: object, most: int = 60) -> str:
    """A value as an error shows it: cut where it is long."""
    text = ascii(value) if isinstance(value, bytes) else repr(value)
    return text if len(text) <= most else f"{text[:most]}..."
