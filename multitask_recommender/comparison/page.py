"""The report: a leaderboard as one HTML file, with pictures; a pure function of its JSON."""

import html
from collections.abc import Iterator, Mapping
from typing import Any

from multitask_recommender import pages, report
from multitask_recommender.comparison import pictures
from multitask_recommender.comparison.table import named, over_seeds

_SALT = "compare"


def render(board: Mapping[str, Any]) -> str:
    """The page of what leaderboard.json holds."""
    return pages.page(f"Comparison: {board['name']}", "\n".join(_parts(board)))


def _parts(board: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"<p>{html.escape(note)}</p>" for note in board["notes"])
    several = len(board["groups"]) > 1
    if several:
        yield _warning(
            "These runs are of different data, splits or protocols: each group is ranked by itself."
        )
    for number, group in enumerate(board["groups"], start=1):
        name = html.escape(group["dataset"]["name"])
        yield f"<h2>{f'Group {number}: ' if several else ''}{name}</h2>"
        yield from _group(group)
    yield from _left_out(board)
    yield f"<h2>How this was measured</h2><p>{html.escape(board['method'])}</p>"
    yield f"<p>Seal of leaderboard.json: <code>{board['seal']}</code></p>"


def _group(group: Mapping[str, Any]) -> Iterator[str]:
    yield from map(_warning, group["dataset"]["warnings"])
    for entry in group["entries"]:
        yield from (_warning(f"{entry['name']} {flag}") for flag in entry["flags"])
    yield f"<p>{html.escape(_protocol(group))}</p>"
    yield pages.table(_entries(group))
    if group["differences"]:
        yield "<h3>Differences</h3>"
        yield pages.table(_differences(group))
    yield "<h3>Cost</h3>" + pages.table(_cost(group))
    yield from _exports(group)
    yield '<h3>Pictures</h3><div class="plots">'
    for title, figure in pictures.draw(group):
        yield f"<figure><figcaption>{html.escape(title)}</figcaption>"
        yield f"{pages.svg(figure, _SALT)}</figure>"
    yield "</div>"
    yield from _departures(group)


def _protocol(group: Mapping[str, Any]) -> str:
    split = group["protocol"]["split_settings"]
    told = ", ".join(f"{key} {value}" for key, value in split.items() if value not in (None, False))
    parts = ", ".join(f"{part} {rows:,}" for part, rows in group["dataset"]["parts"].items())
    ranked = group["protocol"].get("full", {}).get("candidates")
    return f"Split: {told}; rows: {parts}; learnt from {group['protocol']['trained_on']}." + (
        f" full: {ranked}, ties against the model." if ranked else ""
    )


def _entries(group: Mapping[str, Any]) -> list[list[str]]:
    heading = over_seeds(group["entries"], " (deviation)")
    rows = [[heading, *group["columns"].values(), "seeds"]]
    for entry in group["entries"]:
        found = [entry["metrics"].get(key) for key in group["columns"]]
        rows.append([entry["name"], *map(_moments, found), str(len(entry["seeds"]))])
    for name, metrics in group["baselines"].items():
        values = [report.shown(metrics.get(key)) for key in group["columns"]]
        rows.append([f"({name})", *values, ""])
    return rows


def _moments(found: Mapping[str, float | None] | None) -> str:
    if found is None or found["std"] is None:
        return report.shown(None if found is None else found["mean"])
    return f"{found['mean']:.4f} ({found['std']:.4f})"


def _differences(group: Mapping[str, Any]) -> list[list[str]]:
    rows = [["", "minus", "metric", "difference", "interval", "p", "finding"]]
    return rows + [
        [
            each["name"],
            each["minus"],
            each["metric"] + (" (less is better)" if each["lower_is_better"] else ""),
            f"{each['difference']:+.4f}",
            f"{each['low']:+.4f} .. {each['high']:+.4f}",
            f"{each['p_value']:.2g}",
            each["verdict"],
        ]
        for each in group["differences"]
    ]


def _cost(group: Mapping[str, Any]) -> list[list[str]]:
    heading = over_seeds(group["entries"])
    rows = [[heading, "training, s", "peak memory, MB", "parameters", "ms per user"]]
    for entry in group["entries"]:
        cost = entry["cost"]
        scoring = cost["milliseconds_per_user"]
        rows.append(
            [
                entry["name"],
                f"{cost['training_seconds']:.1f}",
                f"{cost['peak_memory_bytes'] / 2**20:.0f}",
                f"{cost['parameters']:,.0f}",
                report.shown(None) if scoring is None else f"{scoring:.3f}",
            ]
        )
    return rows


def _exports(group: Mapping[str, Any]) -> Iterator[str]:
    """Of the runs that are exported: whether all answer to the same signatures, and how exactly."""
    found = {name: e for entry in group["entries"] for name, e in entry["exports"].items()}
    if not found:
        return
    worst = max(max(e["parity"]["scores"], e["parity"]["predictions"]) for e in found.values())
    signatures = {tuple(sorted(export["signatures"])) for export in found.values()}
    alike = "the same" if len(signatures) == 1 else "different"
    names = html.escape(", ".join(min(signatures)))
    yield (
        f"<p>{len(found)} runs are exported, with {alike} signatures ({names}); loaded anew, they "
        f"answer as their models do, within {worst:.1e}.</p>"
    )


def _departures(group: Mapping[str, Any]) -> Iterator[str]:
    found = {name: text for entry in group["entries"] for name, text in entry["departures"].items()}
    if found:
        yield "<h3>Where options differ from their papers</h3><dl>"
        for name, text in sorted(found.items()):
            yield f"<dt>{html.escape(name)}</dt><dd>{html.escape(text)}</dd>"
        yield "</dl>"


def _left_out(board: Mapping[str, Any]) -> Iterator[str]:
    if board["refused"]:
        yield "<h2>Refused</h2>"
        rows = [[named(each["setting"], each["task"]), each["reason"]] for each in board["refused"]]
        yield pages.table([["combination", "why it makes no sense"], *rows])
    if board["failed"]:
        yield "<h2>Failed</h2>"
        yield pages.table([["run", "error"], *map(list, board["failed"].items())])


def _warning(text: str) -> str:
    return f'<p class="warning">{html.escape(text)}</p>'
