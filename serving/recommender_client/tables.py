"""Tables in plain text."""

from collections.abc import Sequence


def lined_up(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as their widest cell; numbers stand on the right, words on the left."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    are_numbers = [bool(rows) and all(_is_number(row[n]) for row in rows) for n in range(len(head))]
    lines = []
    for row in (head, *rows):
        cells = [
            cell.rjust(width) if is_number else cell.ljust(width)
            for cell, width, is_number in zip(row, widths, are_numbers, strict=True)
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return cell == ""
    return True
