"""What a client asks and what it is asked through, whichever the transport."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from google.protobuf.message import Message

from .errors import UsageError
from .tensors import Nested, decode


@dataclass(frozen=True)
class Model:
    """Which model of a server: the newest that it serves, a version, or the version of a label."""

    name: str
    version: int | None = None
    label: str | None = None

    def __post_init__(self) -> None:
        if self.version is not None and self.label is not None:
            raise UsageError(
                f"{self.name}: version {self.version} and label {self.label}. Give one of them."
            )


@dataclass(frozen=True)
class Signature:
    """What one signature takes and gives.

    `inputs` are types by TensorFlow's number; `defaults` have a batch of one. An input without a
    default must be given.
    """

    name: str
    inputs: Mapping[str, int]
    outputs: tuple[str, ...]
    defaults: Mapping[str, Nested]


@dataclass(frozen=True)
class Interface:
    """The signatures of a version."""

    version: int
    signatures: Mapping[str, Signature]


class Endpoint(Protocol):
    """A server, reached by REST or gRPC. Any method raises ServingError; threads may share one."""

    where: str  # for messages

    def interface(self, model: Model, timeout_s: float) -> Interface: ...

    def predict(
        self, model: Model, signature: Signature, inputs: Mapping[str, Nested], timeout_s: float
    ) -> dict[str, Nested]:
        """Outputs by name, of inputs by name: nested lists whose first dimension is the batch."""
        ...

    def close(self) -> None: ...


def read_signatures(definitions: Message) -> dict[str, Signature]:
    """The signatures of a SignatureDefMap."""
    return {
        name: Signature(
            name=name,
            inputs={key: info.dtype for key, info in signature.inputs.items()},
            outputs=tuple(sorted(signature.outputs)),
            defaults={key: decode(tensor) for key, tensor in signature.defaults.items()},
        )
        for name, signature in definitions.signature_def.items()
    }
