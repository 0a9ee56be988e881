"""What differs between two configs, told by dotted key."""

from multitask_recommender import differences

THERE = {"model": {"name": "fm", "layers": [8, 4]}, "tasks": {"like": {}}, "seed": 1}
HERE = {"model": {"name": "dcn", "layers": [8, 4]}, "tasks": {"like": {}}, "patience": None}


def test_keys_are_dotted_and_lists_stay_whole():
    assert differences.flat(THERE) == {
        "model.name": "fm",
        "model.layers": [8, 4],
        "tasks.like": {},
        "seed": 1,
    }


def test_only_what_differs_is_told():
    assert differences.between(THERE, HERE) == {
        "model.name": ("'fm'", "'dcn'"),
        "seed": ("1", "not set"),
        "patience": ("not set", "None"),
    }
    assert differences.told(THERE, HERE) == (
        "model.name is 'fm' there and 'dcn' here, seed is 1 there and not set here, "
        "patience is not set there and None here"
    )
    assert differences.told(HERE, HERE) == ""


def test_a_number_is_not_its_text():
    assert differences.told({"a": 1}, {"a": "1"}) == "a is 1 there and '1' here"


def test_many_differences_are_counted():
    told = differences.told({}, {f"k{n}": n for n in range(10)})

    assert told.startswith("k0 is not set there and 0 here, k1 ")
    assert told.endswith("k7 is not set there and 7 here, and 2 more")
