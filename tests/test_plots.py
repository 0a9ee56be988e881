"""Pictures of a run."""

import pytest

from multitask_recommender import plots

ROWS = [
    {"phase": "search", "epoch": 1, "data": "tiny [x] $y_$", "loss": 1.0, "gate/like/a": 0.5},
    {"phase": "search", "epoch": 2, "data": "tiny [x] $y$", "loss": 0.5, "gate/like/a": 0.7},
]


def test_gates_are_drawn_as_a_picture(tmp_path):
    plots.draw_gates(ROWS, tmp_path / "gates.png")

    assert (tmp_path / "gates.png").read_bytes().startswith(b"\x89PNG")
    assert [path.name for path in tmp_path.iterdir()] == ["gates.png"]


@pytest.mark.parametrize("rows", [[], [{"phase": "search", "epoch": 1, "loss": 1.0}]])
def test_without_gates_there_is_no_picture(tmp_path, rows):
    plots.draw_gates(rows, tmp_path / "gates.png")

    assert list(tmp_path.iterdir()) == []


def test_every_gate_has_its_panel_and_every_phase_its_line(tmp_path, monkeypatch):
    from matplotlib.figure import Figure

    drawn = []
    monkeypatch.setattr(
        Figure, "savefig", lambda figure, path, **_: (drawn.append(figure), path.touch())
    )
    rows = [
        {"phase": phase, "epoch": epoch, "gate/li/ke/own_0": 0.25, "gate/li/ke/own_1": 0.75}
        | {"gate/click/own_0": 0.1 * epoch, "gate/click/own_1": 1 - 0.1 * epoch}
        for phase, last in (("search", 3), ("refit", 2))
        for epoch in range(1, last + 1)
    ]

    plots.draw_gates(rows, tmp_path / "gates.png")

    (figure,) = drawn
    assert [axes.get_title() for axes in figure.axes] == ["li/ke", "click"]
    lines = figure.axes[1].get_lines()
    assert [line.get_linestyle() for line in lines] == ["-", "-", "--", "--"]
    assert list(lines[0].get_xdata()) == [1, 2, 3]
    assert list(lines[2].get_ydata()) == pytest.approx([0.1, 0.2])
