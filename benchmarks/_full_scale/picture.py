"""A picture of a run: what each stage takes of time and memory, and how near its bound it comes."""

import pathlib
from collections.abc import Mapping
from typing import Any

from _full_scale.least import share

GIB = 2**30
MOST = {"prepare": 4, "train": 8}  # GiB that are aimed at


def draw(found: Mapping[str, Mapping[str, Any]], title: str, path: pathlib.Path) -> None:
    from matplotlib.figure import Figure

    names = [name for name in found if name != "bounds"]
    figure = Figure(figsize=(10.0, 0.9 + 0.45 * len(names)), layout="constrained")
    times, shares, memory = figure.subplots(1, 3, sharey=True)
    spent = [found[name]["processor seconds"] for name in names]
    times.barh(names, spent, color="C7", label="of the processors")
    seconds = [found[name]["seconds"] for name in names]
    times.plot(seconds, names, "|", color="black", markersize=14, label="of the clock")
    times.set_xlabel("seconds")
    times.legend(fontsize="small")
    parts = {name: share(name, found) for name in names}
    shares.barh(names, [100 * (parts[name] or 0) for name in names], color="C0")
    for name, part in parts.items():
        shares.annotate("-" if part is None else f" {part:.1%}", (100 * (part or 0), name))
    shares.set_xlim(0, 100)
    shares.set_xlabel("% of the machine's bound")
    resident = [found[name]["resident"] / GIB for name in names]
    memory.barh(names, resident, color="C7", label="resident, with mapped files")
    anonymous = [found[name]["anonymous"] / GIB for name in names]
    memory.barh(names, anonymous, color="C1", label="anonymous")
    for place, name in enumerate(names):
        if name in MOST:
            memory.plot([MOST[name]] * 2, [place - 0.4, place + 0.4], color="black")
    memory.set_xlabel("peak memory in GiB (lines: targets)")
    memory.legend(fontsize="small")
    times.invert_yaxis()
    figure.suptitle(title, fontsize="small")
    figure.savefig(path, metadata={"Date": None})
