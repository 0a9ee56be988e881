"""Draws docs/grid.svg, the axes of the library with their options: `python -m docs.grid`.

The options are read from the folders, so that the picture is of what there is.
"""

import pathlib
from xml.sax.saxutils import escape

from multitask_recommender import registry

AXES = {  # title and folder
    "representation": "models",
    "sharing": "sharing",
    "tasks": "tasks",
    "weighting": "weighting",
}
MEANINGS = (
    "how user and item become vectors",
    "how tasks read the pair",
    "what is predicted",
    "how their losses add up",
)
OF_TASKS = {"binary": "click, like, share ...", "rating": "rating", "retrieval": "retrieval"}
RANKING_ONLY = ("dcn", "fm")  # drawn dashed, as the last line says
WIDTH, BOX, STEP, TOP = 200, (164, 26), 34, 76  # of a column; a box; from box to box
PICTURE = pathlib.Path(__file__).with_name("grid.svg")


def draw() -> str:
    """The picture, as SVG."""
    columns = {title: registry.names(folder) for title, folder in AXES.items()}
    most = max(map(len, columns.values()))
    width, height = WIDTH * len(columns) + 40, TOP + STEP * most + 62
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        'font-family="Helvetica, Arial, sans-serif" font-size="13" fill="#222">',
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
    ]
    for place, (title, names) in enumerate(columns.items()):
        left = 20 + WIDTH * place
        parts += _column(left, title, MEANINGS[place], names, STEP * (most - len(names)) / 2)
        if place:
            parts.append(_text(left - 8, TOP + STEP * most / 2, "x", size=22))
    captions = (
        "Every sensible combination trains, is judged by the same protocols, and exports the same "
        "signatures.",
        "Dashed: for ranking tasks alone.",
    )
    for place, caption in enumerate(captions):
        parts.append(_text(width / 2, height - 36 + 20 * place, caption))
    return "\n".join([*parts, "</svg>", ""])


def _column(left: float, title: str, meaning: str, names: list[str], down: float) -> list[str]:
    middle = left + WIDTH / 2 - 8
    parts = [
        _text(middle, 32, title, size=17, bold=True),
        _text(middle, 54, meaning, size=11),
    ]
    for place, name in enumerate(names):
        top = TOP + down + STEP * place
        dashed = ' stroke-dasharray="4 3"' if name in RANKING_ONLY else ""
        parts.append(
            f'<rect x="{left + 10}" y="{top}" width="{BOX[0]}" height="{BOX[1]}" rx="6" '
            f'fill="#eef3fa" stroke="#4a6fa5"{dashed}/>'
        )
        parts.append(_text(middle, top + 18, OF_TASKS.get(name, name)))
    return parts


def _text(x: float, y: float, text: str, size: int = 13, bold: bool = False) -> str:
    weight = ' font-weight="bold"' if bold else ""
    place = f'x="{x:g}" y="{y:g}" font-size="{size}" text-anchor="middle"'
    return f"<text {place}{weight}>{escape(text)}</text>"


if __name__ == "__main__":
    PICTURE.write_text(draw(), encoding="utf-8")
    print(f"Written: {PICTURE}")
