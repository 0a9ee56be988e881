"""Pictures are drawn of what is there, and of nothing else."""

from multitask_recommender import pages
from multitask_recommender.comparison import pictures

NDCG, RMSE = "test/full/ndcg@10", "test/rating/root_mean_squared_error"


def entry(name, weight, ndcg, rmse, **setting):
    return {
        "name": name,
        "setting": {"weights": name, **setting},
        "task": None,
        "tasks": {"retrieval": {"weight": 1.0}, "rating": {"weight": weight}},
        "metrics": {NDCG: {"mean": ndcg, "std": None}, RMSE: {"mean": rmse, "std": None}},
        "cost": {"training_seconds": 2.0},
        "calibration": {},
        "popularity_recall": [],
        "curve": {"of": "loss", "points": []},
        "gates": {},
    }


def group(*entries):
    columns = {key: key.removeprefix("test/") for key in (NDCG, RMSE)}
    axes = {
        axis: list(dict.fromkeys(each["setting"][axis] for each in entries))
        for axis in entries[0]["setting"]
    }
    return {"entries": entries, "columns": columns, "axes": axes, "differences": []}


def test_the_front_is_drawn_where_weights_vary_and_leaves_out_who_is_beaten_in_both():
    found = dict(
        pictures.draw(
            group(
                entry("a", 0.1, 0.3, 0.95),
                entry("beaten", 0.5, 0.2, 0.96),
                entry("b", 1.0, 0.1, 0.9),
            )
        )
    )

    (axes,) = found["Retrieval against rating, over the weights of the tasks"].axes
    *points, front = axes.get_lines()
    assert len(points) == 3
    assert front.get_xydata().tolist() == [[0.9, 0.1], [0.95, 0.3]]


def test_weights_of_entries_that_do_not_have_both_figures_make_no_front():
    ranks = entry("ranks", 1.0, 0.35, 0.0)
    del ranks["metrics"][RMSE], ranks["tasks"]["rating"]

    drawn = dict(pictures.draw(group(entry("a", 1.0, 0.3, 0.95), entry("b", 1.0, 0.1, 0.9), ranks)))

    assert "Retrieval against rating, over the weights of the tasks" not in drawn


def test_without_several_weights_or_axes_there_is_neither_front_nor_grid():
    titles = [title for title, _ in pictures.draw(group(entry("a", 1.0, 0.3, 0.9)))]

    assert titles == [
        "Against time: full/ndcg@10",
        "Against time: rating/root_mean_squared_error",
    ]


def test_a_grid_marks_where_the_joint_model_beats_its_twin():
    entries = [
        entry(f"{model} x {sharing}", 1.0, 0.3, 0.9, model=model, sharing=sharing)
        for model in ("one", "two $x$")
        for sharing in ("separate", "mmoe")
    ]
    for each in entries:
        del each["setting"]["weights"]
    found = group(*entries)
    better = {"metric": "full/ndcg@10", "verdict": "better"}
    found["differences"] = [
        {"name": "one x mmoe", "is_twin": True, **better},
        {"name": "two $x$ x mmoe", "is_twin": False, **better},
    ]

    drawn = dict(pictures.draw(found))
    told = "(darker is better; + and - than the single-task twin)"
    figure = drawn[f"Grid: full/ndcg@10 {told}"]

    texts = [text.get_text() for text in figure.axes[0].texts]
    assert texts == ["0.3000", "0.3000 +", "0.3000", "0.3000"]
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels == ["one", "two $x$"]
    assert pages.svg(figure, "salt") == pages.svg(figure, "salt")
    errors = drawn[f"Grid: rating/root_mean_squared_error {told}"]
    colours = [each.axes[0].images[0].cmap.name for each in (figure, errors)]
    assert colours == ["Blues", "Blues_r"]  # the least error is the darkest


def test_labels_of_a_grid_are_in_the_order_of_the_plan_and_not_of_success():
    entries = [
        entry(f"m x {weight}", float(weight), float(weight), 0.9, model=model, weights=weight)
        for model in ("a", "b")
        for weight in ("0.75", "0.5", "0.25")
    ]
    found = group(*entries)
    found["axes"]["weights"].reverse()

    figure = next(figure for title, figure in pictures.draw(found) if title.startswith("Grid"))

    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels == ["0.25", "0.5", "0.75"]


def test_twins_are_dotted_lines_beside_the_front():
    found = group(entry("a", 0.1, 0.3, 0.95), entry("b", 1.0, 0.1, 0.9))
    alone = entry("retrieval alone", 1.0, 0.35, 0.0)
    del alone["metrics"][RMSE]
    found["entries"] = (*found["entries"], {**alone, "task": "retrieval", "setting": {}})

    (axes,) = dict(pictures.draw(found))[
        "Retrieval against rating, over the weights of the tasks"
    ].axes

    (twin,) = (line for line in axes.get_lines() if line.get_linestyle() == ":")
    assert twin.get_ydata() == [0.35, 0.35]
