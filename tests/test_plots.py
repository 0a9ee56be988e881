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


@pytest.fixture
def drawn(monkeypatch):
    """The figures that were written, whose files stay empty."""
    from matplotlib.figure import Figure

    figures = []
    monkeypatch.setattr(
        Figure, "savefig", lambda figure, path, **_: (figures.append(figure), path.touch())
    )
    return figures


def test_curves_are_of_every_loss_and_of_what_validation_watches(tmp_path, drawn):
    rows = [
        {"phase": "search", "epoch": 1, "data": "tiny", "loss": 9.0, "loss/like": 0.7},
        {"phase": "search", "epoch": 2, "data": "tiny", "loss": 8.0, "loss/like": 0.6}
        | {"validation/like/loss": 0.65, "validation/full/ndcg@20": 0.1},
        {"phase": "refit", "epoch": 1, "data": "tiny", "loss": 9.5, "loss/like": 0.75},
    ]

    plots.draw_curves(rows, "validation/full/ndcg@20", tmp_path / "curves.png")

    (figure,) = drawn
    like, watched = figure.axes
    assert like.get_title() == "loss/like"
    told = [(list(line.get_xdata()), list(line.get_ydata())) for line in like.get_lines()]
    assert told == [([1, 2], [0.7, 0.6]), ([2], [0.65]), ([1], [0.75])]
    assert [line.get_linestyle() for line in like.get_lines()] == ["-", "-", "--"]
    assert watched.get_title() == "validation/full/ndcg@20"
    assert list(watched.get_lines()[0].get_ydata()) == [0.1]


def test_a_watched_loss_has_no_second_panel_and_five_panels_have_two_lines(tmp_path, drawn):
    row = {f"loss/{name}": 1.0 for name in "abcde"} | {"validation/a/loss": 1.0}

    plots.draw_curves(
        [{"phase": "search", "epoch": 1, "data": "tiny", **row}],
        "validation/a/loss",
        tmp_path / "curves.png",
    )

    (figure,) = drawn
    assert [axes.get_title() for axes in figure.axes] == [f"loss/{name}" for name in "abcde"]
    assert figure.axes[0].get_subplotspec().get_gridspec().get_geometry() == (2, 4)


def test_curves_without_tasks_or_validation_are_of_the_loss(tmp_path, drawn):
    plots.draw_curves(ROWS, None, tmp_path / "curves.png")

    assert [axes.get_title() for axes in drawn[0].axes] == ["loss"]


def test_without_epochs_there_are_no_curves(tmp_path):
    plots.draw_curves([], None, tmp_path / "curves.png")

    assert list(tmp_path.iterdir()) == []
