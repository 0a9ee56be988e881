"""Tables as they look."""

from recommender_client.tables import lined_up


def test_numbers_stand_on_the_right():
    assert lined_up(("", "item", "score"), [("1", "élan", "0.5"), ("2", "a", "-12.25")]) == (
        "   item   score\n"
        "1  élan     0.5\n"
        "2  a     -12.25"
    )  # fmt: skip


def test_no_rows():
    assert lined_up(("item", "score"), []) == "item  score"
