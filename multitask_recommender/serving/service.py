"""What both front ends do with a request: admit it, find its version, check it, run it."""

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence

from multitask_recommender.serving.faults import Fault, Kind
from multitask_recommender.serving.loading import Version
from multitask_recommender.serving.models import Asked, Models
from multitask_recommender.serving.options import Limits
from multitask_recommender.serving.signatures import Arrays, Signature


class Service:
    """The one way from a request to arrays, through a signature, to arrays."""

    def __init__(self, models: Models, limits: Limits) -> None:
        self.models = models
        self.limits = limits
        self._places = threading.BoundedSemaphore(limits.requests)

    @contextlib.contextmanager
    def admitted(self) -> Iterator[None]:
        """Holds one of the places for requests; raises Fault where all are taken."""
        if not self._places.acquire(blocking=False):
            raise Fault(
                Kind.BUSY,
                f"As many requests run as may at once: {self.limits.requests} (--max-requests). "
                "Try again in a moment.",
            )
        try:
            yield
        finally:
            self._places.release()

    def predict(
        self,
        asked: Asked,
        signature_name: str,
        read: Callable[[Signature], Arrays],
        output_filter: Sequence[str] = (),
    ) -> tuple[Version, Signature, Arrays]:
        """Runs a signature on what `read` makes of a request by that signature.

        output_filter: the outputs wanted, or none for all of them.
        """
        version = self.models.find(asked)
        signature = version.signature(signature_name)
        signature.check_outputs(output_filter)
        found = version.run(signature, read(signature))
        return version, signature, {name: found[name] for name in output_filter or found}
