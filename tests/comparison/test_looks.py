"""No two entries of a picture look alike, and an entry looks the same in all of them."""

import itertools

from multitask_recommender.comparison.looks import Looks, legend, panel

AXES = {
    "model": [f"m{number}" for number in range(12)],  # more than there are colours
    "seed": ["one"],
    "sharing": ["separate", "mmoe", "ple"],
}


def entry(model, sharing, task=None):
    setting = {"model": model, "seed": "one", "sharing": sharing}
    return {"name": f"{model} x {sharing}", "setting": setting, "task": task}


def look(found):
    return found["color"], found.get("marker"), found.get("linestyle")


def test_models_have_a_colour_and_sharings_a_mark():
    looks = Looks(AXES)

    found = {
        (model, sharing): look(looks.of(entry(model, sharing)))
        for model, sharing in itertools.product(AXES["model"], AXES["sharing"])
    }

    assert len(set(found.values())) == 12 * 3
    assert {found["m3", sharing][0] for sharing in AXES["sharing"]} == {"C3"}
    assert len({found[f"m{number}", "ple"][1] for number in range(10)}) == 1


def test_a_twin_is_a_cross_in_the_colour_of_its_model_or_grey():
    looks = Looks(AXES)

    assert look(looks.of(entry("m3", "mmoe", "like"))) == ("C3", "x", None)
    alone = {"name": "like alone", "setting": {}, "task": "like"}
    assert look(looks.of(alone)) == ("grey", "x", None)


def test_one_axis_alone_is_of_colours():
    looks = Looks({"run": ["a"]})

    assert looks.of({"name": "a", "setting": {"run": "a"}, "task": None})["color"] == "C0"


def test_a_dollar_in_a_legend_is_a_dollar():
    figure, axes = panel()
    axes.plot([1], [1], label="two $x$")

    legend(axes)

    (text,) = axes.get_legend().get_texts()
    assert (text.get_text(), text.get_parse_math()) == ("two $x$", False)
    assert figure.get_size_inches().tolist() == [7.8, 3.4]
