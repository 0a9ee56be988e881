"""Pictures of a sweep, as what stands in them."""

import pathlib

import pytest
from matplotlib.figure import Figure

from multitask_recommender.sweeps import axes, pictures


def cell(number, settings, values, own=False, state="complete"):
    mean = sum(values) / len(values) if values else None
    return {
        "number": number,
        "settings": settings,
        "is_recipe": own,
        "state": state,
        "value": mean,
        "std": 0.01 if len(values) > 1 else None,
        "runs": [{"value": value} for value in values],
    }


def found(cells, mode="grid"):
    return {
        "recipe": "my_$tiny$",
        "dataset": {"name": "synthetic [x] $y$"},
        "metric": "validation/full/ndcg@20",
        "lower_is_better": False,
        "mode": mode,
        "cells": cells,
    }


@pytest.fixture
def drawn(monkeypatch):
    """The figures by name, as they are saved."""
    figures = {}
    save = Figure.savefig

    def savefig(figure, path, **options):
        figures[path.name.removesuffix(".svg.partial")] = figure
        save(figure, path, **options)

    monkeypatch.setattr(Figure, "savefig", savefig)
    return figures


def draw(cells, arguments, folder, mode="grid"):
    return pictures.draw(found(cells, mode), axes.read(arguments)[1], folder)


def test_a_line_goes_through_the_best_at_each_value_and_dots_are_trainings(drawn, tmp_path):
    cells = [
        cell(3, {"a.b": 64, "c": True}, [0.4, 0.42]),
        cell(1, {"a.b": 8, "c": True}, [0.3, 0.3], own=True),
        cell(2, {"a.b": 8, "c": False}, [0.2, 0.22]),
        cell(4, {"a.b": 64, "c": False}, [], state="failed"),
    ]

    written = draw(cells, ["a.b=8,64", "c=true,false"], tmp_path)

    assert [path.name for path in written] == ["a.b.svg", "c.svg", "heatmap.svg"]
    assert all(path.read_text().startswith("<?xml") for path in written)
    (panel,) = drawn["a.b"].axes
    dots = [tuple(map(tuple, line.get_data())) for line in panel.get_lines()[:3]]
    assert dots[0] == ((64.0, 64.0), (0.4, 0.42))
    (bars,) = panel.containers
    assert list(bars.lines[0].get_xdata()) == [8.0, 64.0]
    assert list(bars.lines[0].get_ydata()) == pytest.approx([0.3, 0.41])
    assert panel.get_xscale() == "linear"
    assert panel.get_ylabel() == "full/ndcg@20"
    labels = {text.get_text() for text in panel.get_legend().get_texts()}
    assert labels == {"recipe", "best at each value"}
    (panel,) = drawn["c"].axes
    assert [tick.get_text() for tick in panel.get_xticklabels()] == ["true", "false"]


@pytest.mark.parametrize(
    ("values", "scale"),
    [
        ([8, 16, 128], "linear"),
        ([0.001, 0.1], "log"),
        ([0.0, 0.001, 0.1], "symlog"),
        ([0, 5], "linear"),
    ],
)
def test_values_that_span_decades_stand_on_a_log_axis(values, scale, drawn, tmp_path):
    cells = [cell(n, {"a": value}, [0.1 * n]) for n, value in enumerate(values, start=1)]

    draw(cells, [f"a={','.join(map(str, values))}"], tmp_path)

    assert drawn["a"].axes[0].get_xscale() == scale


def test_a_map_of_two_keys_says_the_value_of_each_cell(drawn, tmp_path):
    cells = [
        cell(2, {"a": 100, "b": "y"}, [0.4]),
        cell(1, {"a": 20, "b": "x"}, [0.3], own=True),
        cell(3, {"a": 20, "b": "y"}, [0.1]),
    ]

    draw(cells, ["a=20,100", "b=x,y"], tmp_path)

    panel = drawn["heatmap"].axes[0]
    texts = {text.get_position(): text.get_text() for text in panel.texts}
    assert texts == {(0, 0): "0.3000", (1, 0): "0.1000", (1, 1): "0.4000"}
    assert [tick.get_text() for tick in panel.get_yticklabels()] == ["20", "100"]
    assert [tick.get_text() for tick in panel.get_xticklabels()] == ["x", "y"]


def test_one_at_a_time_draws_a_key_with_the_others_as_the_recipe_has_them(drawn, tmp_path):
    cells = [
        cell(1, {"a": 1, "b": 1}, [0.3], own=True),
        cell(2, {"a": 2, "b": 1}, [0.2]),
        cell(3, {"a": 1, "b": 2}, [0.1]),
    ]

    written = draw(cells, ["a=1,2", "b=1,2"], tmp_path, "one at a time")

    assert [path.name for path in written] == ["a.svg", "b.svg"]
    (bars,) = drawn["a"].axes[0].containers
    assert list(bars.lines[0].get_ydata()) == [0.3, 0.2]


def test_a_search_is_drawn_by_its_trials_and_by_each_key(drawn, tmp_path):
    cells = [
        cell(3, {"a": 0.5, "b": "y"}, [0.5]),
        cell(1, {"a": 0.1, "b": "x"}, [0.3], own=True),
        cell(2, {"a": 0.2, "b": "x"}, [0.2]),
        cell(4, {"a": 0.9, "b": "y"}, [0.1], state="pruned"),
        cell(5, {"a": 0.9, "b": "z"}, [], state="failed"),
    ]

    written = draw(cells, ["a=0.1..1.0:log", "b=x,y,z"], tmp_path, "search")

    assert [path.name for path in written] == ["history.svg", "slices.svg"]
    (panel,) = drawn["history"].axes
    step = next(line for line in panel.get_lines() if line.get_label() == "best so far")
    assert list(step.get_xdata()) == [1, 2, 3]
    assert list(step.get_ydata()) == [0.3, 0.3, 0.5]
    assert [list(each.get_offsets()[:, 0]) for each in panel.collections] == [[3, 1, 2], [4]]
    numbers, names = drawn["slices"].axes
    assert (numbers.get_xscale(), names.get_xscale()) == ("log", "linear")
    assert [tick.get_text() for tick in names.get_xticklabels()] == ["x", "y"]


def test_the_same_cells_give_the_same_file(tmp_path):
    cells = [cell(1, {"a": 1}, [0.3], own=True), cell(2, {"a": 2}, [0.2])]
    folders = [tmp_path / name for name in "ab"]
    for folder in folders:
        folder.mkdir()

    one, other = (draw(cells, ["a=1,2"], folder)[0].read_bytes() for folder in folders)

    assert one == other


def test_without_a_complete_cell_there_is_no_picture(tmp_path):
    assert draw([cell(1, {"a": 1}, [], state="failed")], ["a=1,2"], tmp_path) == []
    assert list(pathlib.Path(tmp_path).iterdir()) == []
