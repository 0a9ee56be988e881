"""Pages: one HTML file that needs no network, with tables and with pictures as SVG inside it."""

import html
import io
import string
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_PAGE = string.Template("""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>$title</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; color: #222 }
table { border-collapse: collapse; margin: 1rem 0 }
td, th { padding: .2rem .8rem .2rem 0; text-align: right; border-bottom: 1px solid #ddd }
td:first-child, th:first-child { text-align: left }
.plots { display: flex; flex-wrap: wrap; gap: 1rem } .warning { color: #a50 }
</style>
<h1>$title</h1>
$body
</html>
""")


def page(title: str, body: str) -> str:
    """The whole file. body: HTML; the title is text."""
    return _PAGE.substitute(title=html.escape(title), body=body)


def table(rows: Sequence[Sequence[str]]) -> str:
    """Rows of cells, which are text; the first are the titles."""
    titles, *rest = [[html.escape(cell) for cell in row] for row in rows]
    head = "".join(f"<th>{cell}</th>" for cell in titles)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rest)
    return f"<table><tr>{head}</tr>{body}</table>"


def svg(figure: "Figure", salt: str) -> str:
    """The picture as an element. The same figure and salt give the same text."""
    import matplotlib

    file = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": salt}):
        figure.savefig(file, format="svg", metadata={"Date": None})
    return file.getvalue()[file.getvalue().index("<svg") :]
