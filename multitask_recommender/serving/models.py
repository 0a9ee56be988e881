"""The versions of an export: which are served, and the watch for new ones.

A new version is read and warmed up aside while the old one answers; then they change places in one
assignment. A request keeps the version that it began with.
"""

import dataclasses
import gc
import logging
import pathlib
import threading
import time
from collections.abc import Mapping

from multitask_recommender.errors import RunError
from multitask_recommender.serving.faults import Fault, Kind, invalid
from multitask_recommender.serving.loading import Version
from multitask_recommender.serving.options import Export, Limits

log = logging.getLogger(__name__)
LOADING, AVAILABLE, END = "LOADING", "AVAILABLE", "END"  # states, in TF Serving's words
Fingerprint = frozenset[tuple[str, int, int]]


@dataclasses.dataclass(frozen=True)
class Asked:
    """The version that a request is for: by number, by label, or the newest."""

    model: str
    number: int | None = None
    label: str | None = None


@dataclasses.dataclass(frozen=True)
class Status:
    """What has become of a version, with the reason where it is not served."""

    state: str
    fault: str = ""


class Models:
    """The versions that answer, and what became of all that were seen."""

    def __init__(self, export: Export, labels: Mapping[str, int], limits: Limits) -> None:
        self.export = export
        self._labels = labels
        self._limits = limits
        self._served: Mapping[int, Version] = {}
        self._statuses: Mapping[int, Status] = {}
        self._failed: dict[int, Fingerprint] = {}  # as they were when they could not be loaded

    def open(self) -> None:
        """Loads what is to be served at the start; raises RunError where some of it cannot be."""
        self.poll()
        if self._served and self._served.keys() >= set(self._labels.values()):
            return
        faults = [each.fault for _, each in sorted(self._statuses.items()) if each.fault]
        raise RunError("\n".join(faults))

    def find(self, asked: Asked) -> Version:
        """The version that answers a request; raises Fault where there is none."""
        self._check_model(asked.model)
        served = self._served
        number = self._number(asked)
        if not served:
            raise Fault(Kind.UNAVAILABLE, f"No version of model {asked.model!r} is loaded yet.")
        if number is None:
            return served[max(served)]
        if number not in served:
            known = ", ".join(map(str, sorted(served)))
            raise Fault(
                Kind.NOT_FOUND,
                f"Version {number} of model {asked.model!r} is not served. Served: {known}.",
            )
        return served[number]

    def statuses(self, asked: Asked) -> Mapping[int, Status]:
        """What became of each version, or of the one asked for; the newest first."""
        self._check_model(asked.model)
        statuses = self._statuses
        number = self._number(asked)
        if number is None:
            return dict(sorted(statuses.items(), reverse=True))
        if number not in statuses:
            raise Fault(
                Kind.NOT_FOUND, f"There is no version {number} of model {asked.model!r} here."
            )
        return {number: statuses[number]}

    def watch(self, seconds: float, stop: threading.Event) -> None:
        """Looks for new versions until it is told to stop."""
        while not stop.wait(seconds):
            try:
                self.poll()
            except OSError as error:  # the folder may come back
                log.warning("%s cannot be read: %s", self.export.base, error)

    def poll(self) -> None:
        """Loads the newest version that can be loaded, and those with labels; drops the others."""
        before, numbers = set(self._served), self.export.versions()
        wanted = dict.fromkeys(self._labels.values())
        for number in numbers:
            if number in self._served or self._load(number):
                wanted[number] = None
                break
        else:
            wanted |= dict.fromkeys(sorted(self._served)[-1:])  # better an old one than none
        for number in wanted:
            if number not in self._served:
                self._load(number)
        for number in self._served.keys() - wanted.keys():
            self._drop(number)
        if self._served.keys() != before:
            _settle()

    def _load(self, number: int) -> bool:
        """Serves a version; whether that succeeded. One that failed waits until it has changed."""
        folder = self.export.folder(number)
        files = _fingerprint(folder)
        if self._failed.get(number) == files:
            return False
        start = time.monotonic()
        self._set(number, Status(LOADING))
        try:
            version = Version(folder, self._limits)
            warmed = version.warm_up()
        except (RunError, OSError) as error:  # of a file that cannot be read, say
            self._failed[number] = files
            self._set(number, Status(END, str(error)))
            log.warning("version %d is not served: %s", number, error)
            return False
        self._failed.pop(number, None)
        self._served = {**self._served, number: version}
        self._set(number, Status(AVAILABLE))
        seconds = time.monotonic() - start
        log.info("version %d is served: %.1f s, %d warm-up requests", number, seconds, warmed)
        return True

    def _drop(self, number: int) -> None:
        self._served = {key: each for key, each in self._served.items() if key != number}
        self._set(number, Status(END))
        log.info("version %d is no longer served", number)

    def _set(self, number: int, status: Status) -> None:
        self._statuses = {**self._statuses, number: status}

    def _check_model(self, name: str) -> None:
        if name != self.export.name:
            raise Fault(
                Kind.NOT_FOUND, f"There is no model {name!r} here. There is {self.export.name!r}."
            )

    def _number(self, asked: Asked) -> int | None:
        if asked.label is None:
            return asked.number
        if asked.label not in self._labels:
            known = ", ".join(self._labels) or "none; serve with --label NAME=VERSION"
            raise invalid(f"There is no label {asked.label!r}. Labels: {known}.")
        return self._labels[asked.label]


def _settle() -> None:
    """Spares requests the collection of what has come to stay.

    A version is many objects of Python: a full collection walks through them, now and then and for
    a tenth of a second, while requests wait.
    """
    gc.unfreeze()  # what is not served any more can go
    gc.collect()
    gc.freeze()


def _fingerprint(folder: pathlib.Path) -> Fingerprint:
    """The files under a folder with their sizes and times: what tells that it has changed."""
    stats = ((path, path.stat()) for path in folder.rglob("*"))
    return frozenset((str(path), stat.st_size, stat.st_mtime_ns) for path, stat in stats)
