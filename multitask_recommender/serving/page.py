"""The page at `/`: one HTML file that talks to the REST API, told the model's name and examples."""

import html
import json
import pathlib
from typing import Any

from multitask_recommender.serving.loading import EXTRA

_FILE = pathlib.Path(__file__).with_name("page.html")
_GOLDEN = "golden_requests.json"
_MOST = 50  # examples: to pick from, not to scroll through
_INPUTS = ("user_id", "history")


def render(model: str, folder: pathlib.Path) -> str:
    """The page for a model, with users to pick from the requests that came with a version."""
    setup = json.dumps({"model": model, "examples": examples(folder)}, ensure_ascii=True)
    text = _FILE.read_text(encoding="utf-8")
    # Within a script element only `<` could end it early, or begin a comment.
    text = text.replace("{{setup}}", setup.replace("<", "\\u003c"))
    return text.replace("{{model}}", html.escape(model))


def examples(folder: pathlib.Path) -> list[dict[str, Any]]:
    """Users, with a history where one is given, of an export's golden requests; ids as text."""
    path = folder / EXTRA / _GOLDEN
    if not path.exists():
        return []
    found = {}
    for request in json.loads(path.read_bytes())["requests"]:
        inputs = request["inputs"]
        columns = [inputs[name] for name in _INPUTS if inputs.get(name)]
        for place in range(len(columns[0]) if columns else 0):
            row = {name: inputs[name][place] for name in _INPUTS if inputs.get(name)}
            example = {
                "user": str(row.get("user_id", "")),
                "history": [str(item) for item in row.get("history", [])],
            }
            found.setdefault(json.dumps(example), example)
    return list(found.values())[:_MOST]
