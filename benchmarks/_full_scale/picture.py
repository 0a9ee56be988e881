"""A picture of a run: what each stage takes of time and memory."""

import pathlib
from collections.abc import Mapping
from typing import Any

GIB = 2**30
MOST = {"prepare": 4, "train": 8}  # GiB that are aimed at


def draw(found: Mapping[str, Mapping[str, Any]], title: str, path: pathlib.Path) -> None:
    from matplotlib.figure import Figure

    names = [name for name in found if name != "bounds"]
    figure = Figure(figsize=(8.0, 0.9 + 0.45 * len(names)), layout="constrained")
    times, memory = figure.subplots(1, 2, sharey=True)
    times.barh(names, [found[name]["processor seconds"] for name in names], color="C0")
    times.set_xlabel("seconds of a processor")
    resident = [found[name]["resident"] / GIB for name in names]
    memory.barh(names, resident, color="C7", label="resident, with mapped files")
    anonymous = [found[name]["anonymous"] / GIB for name in names]
    memory.barh(names, anonymous, color="C1", label="anonymous")
    for place, name in enumerate(names):
        if name in MOST:
            memory.plot([MOST[name]] * 2, [place - 0.4, place + 0.4], color="black")
    memory.set_xlabel("peak memory in GiB; a line is what is aimed at")
    memory.legend(fontsize="small")
    times.invert_yaxis()
    figure.suptitle(title, fontsize="small")
    figure.savefig(path, metadata={"Date": None})
