"""What stands in the head of a model's, a sharing's or a weighting's file of how it departs from
its paper: said once there, and marked in every table.
"""

import ast
import importlib.util
import pathlib

from multitask_recommender.config import FOLDERS, Config

_PACKAGE = pathlib.Path(__file__).parents[1]
_BEGINS = "Differs from"
_SECTIONS = ("model", "sharing", "weighting")


def of(config: Config) -> dict[str, str]:
    """The sentences by option, such as `model lightgcn`; of options that have any."""
    sections = _SECTIONS if any(task.name != "retrieval" for task in config.tasks.values()) else ()
    found = {}
    for section in ("model", *(each for each in sections if each != "model")):
        name = getattr(config, section).name
        told = _told(FOLDERS[section], name)
        if told:
            found[f"{section} {name}"] = told
    return found


def _told(folder: str, name: str) -> str:
    path = _PACKAGE / folder / f"{name}.py"
    if "." in name:
        path = pathlib.Path(importlib.util.find_spec(name).origin)
    head = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    paragraphs = (" ".join(part.split()) for part in head.split("\n\n"))
    return next((part for part in paragraphs if part.startswith(_BEGINS)), "")
