"""The page at `/`: one HTML document, with nothing from elsewhere, that talks to the REST API."""

import html
import json
import pathlib
import re
from collections.abc import Iterator, Mapping
from typing import Any

from multitask_recommender.export.folder import EXTRA

_PARTS = pathlib.Path(__file__).with_name("static")
_SCRIPTS = ("api.js", "controls.js", "results.js", "page.js")  # one module, in this order
_GOLDEN = "golden_requests.json"
_MOST = 50  # examples: to pick from, not to scroll through
_INPUTS = ("user_id", "history", "history_length")


def render(model: str, folder: pathlib.Path) -> str:
    """The page for a model, with users to pick from the requests that came with a version."""
    setup = json.dumps({"model": model, "examples": examples(folder)}, ensure_ascii=True)
    parts = {
        "style": _part("page.css"),
        "script": "\n".join(map(_part, _SCRIPTS)),
        # Within a script element only `<` could end it early, or begin a comment.
        "setup": setup.replace("<", "\\u003c"),
        "model": html.escape(model),
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda match: parts[match[1]], _part("page.html"))


def _part(name: str) -> str:
    return (_PARTS / name).read_text(encoding="utf-8")


def examples(folder: pathlib.Path) -> list[dict[str, Any]]:
    """Users, with a history where one is given, of an export's golden requests; ids as text."""
    path = folder / EXTRA / _GOLDEN
    if not path.exists():
        return []
    found = {}
    for request in json.loads(path.read_bytes())["requests"]:
        for row in _rows(request["inputs"]):
            length = row.get("history_length", -1)
            history = row.get("history", [])[: length if length >= 0 else None]
            example = {"user": str(row.get("user_id", "")), "history": list(map(str, history))}
            found.setdefault(json.dumps(example), example)
    return list(found.values())[:_MOST]


def _rows(inputs: Mapping[str, list[Any]]) -> Iterator[dict[str, Any]]:
    """What each row of a request holds; one row of an input goes with all of the others."""
    columns = {name: inputs[name] for name in _INPUTS if inputs.get(name)}
    for place in range(max(map(len, columns.values()), default=0)):
        yield {name: rows[place if len(rows) > 1 else 0] for name, rows in columns.items()}
