import pytest

from multitask_recommender.ensembles.recipe import Blend, Recipe, Reference
from multitask_recommender.ensembles.weighing import given, weighing
from multitask_recommender.errors import ConfigError


class TwoMembers:
    """Stands for an Ensemble; the second member predicts no like."""

    recipe = Recipe("weighted", (Reference("a", "/a"), Reference("b", "/b")), {})
    members = (1, 2)

    def takes_part(self, left_out):
        takes = {"next": (True, True), "like": (True, False)}
        return {
            task: tuple(does and place not in left_out for place, does in enumerate(line))
            for task, line in takes.items()
        }


def test_numbers_are_weights_of_the_members_in_their_order():
    assert given("2,0.5", "weighted", 2) == (2.0, 0.5)
    assert given(None, "weighted", 2) is None


@pytest.mark.parametrize(
    ("text", "method", "told"),
    [
        ("2,1,1", "weighted", "expected a number of at least 0 for each of 2 members"),
        ("2,-1", "weighted", "--weights is 2,-1, expected a number of at least 0"),
        ("2,inf", "weighted", "--weights is 2,inf, expected a number"),
        ("0,0", "weighted", "one member at least must count"),
        ("much", "weighted", "expected numbers such as 2,1 or the folder of an ensemble"),
        ("2,1", "stacked", "stacked learns its weights"),
    ],
)
def test_what_are_no_weights(text, method, told):
    with pytest.raises(ConfigError, match=told):
        given(text, method, 2)


def test_weights_may_be_those_of_another_ensemble(tmp_path):
    blends = {"next": Blend((0.25, 0.75)), "like": Blend((1.1, 0.0), -0.5)}
    Recipe("stacked", TwoMembers.recipe.members, blends).write(tmp_path)

    weights = given(str(tmp_path), "weighted", 2)

    assert weights == blends
    with pytest.raises(ConfigError, match="weighs 2 members, and there are 3"):
        given(str(tmp_path), "weighted", 3)
    weigh = weighing(TwoMembers(), None, weights)
    assert weigh(()) == blends
    assert weigh([0]) == {"next": Blend((0.0, 0.75))}
    with pytest.raises(ConfigError, match="has none for like; it has them for next"):
        weighing(TwoMembers(), None, {"next": Blend((1.0, 1.0))})(())


def test_who_is_left_out_does_not_count():
    weigh = weighing(TwoMembers(), None, None)

    assert weigh(()) == {"next": Blend((0.5, 0.5)), "like": Blend((1.0, 0.0))}
    assert weigh([0]) == {"next": Blend((0.0, 1.0))}
