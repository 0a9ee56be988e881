"""What tuning is given to try, and settings that cannot be."""

import pydantic
import pytest

from multitask_recommender.errors import ConfigError
from multitask_recommender.index.settings import brute_force, ivf, scann


def test_brute_force_has_one_setting_to_try():
    settings = brute_force.Settings()

    assert list(settings.ladders(1000, 10)) == [[settings]]
    assert settings.cost(1000) == 1000


def test_leaves_are_tried_around_the_root_of_the_number_of_items():
    ladders = list(ivf.Settings(seed=3).ladders(10_000, 10))

    assert [ladder[0].leaves for ladder in ladders] == [100, 200, 400]
    for ladder in ladders:
        searched = [each.searched for each in ladder]
        assert searched[:6] == [1, 2, 3, 4, 5, 6]
        assert searched[-1] == ladder[0].leaves  # everything
        assert searched == sorted(set(searched))
        assert {each.seed for each in ladder} == {3}


def test_what_is_given_is_not_searched_for():
    assert list(ivf.Settings(leaves=7, searched=2).ladders(1000, 10)) == [
        [ivf.Settings(leaves=7, searched=2)]
    ]
    given = scann.Settings(searched=50, reordered=9).ladders(1600, 10)
    assert [
        [(each.leaves, each.searched, each.reordered) for each in ladder] for ladder in given
    ] == [
        [(50, 50, 9)],
        [(80, 50, 9)],
        [(160, 50, 9)],
    ]


def test_scann_reorders_a_few_times_what_is_wanted_and_shares_its_leaves():
    ladders = list(scann.Settings(leaves=20).ladders(2000, 100))

    assert [ladder[0].reordered for ladder in ladders] == [300, 500, 1000]
    assert len({each.built_with for ladder in ladders for each in ladder}) == 1


def test_what_a_query_costs_is_what_it_reads():
    """The centres of all leaves, and the items of those searched: in full, or 1/16 and a few."""
    assert ivf.Settings(leaves=100, searched=5).cost(10_000) == 100 + 500
    settings = scann.Settings(leaves=100, searched=16, reordered=70)
    assert settings.cost(10_000) == 100 + 1600 / 16 + 70


def test_one_seed_is_not_built_as_another():
    assert ivf.Settings(leaves=5).built_with != ivf.Settings(leaves=5, seed=1).built_with


def test_no_more_leaves_are_searched_than_there_are():
    with pytest.raises(pydantic.ValidationError, match="searched 5 exceeds leaves 4"):
        ivf.Settings(leaves=4, searched=5)


@pytest.mark.parametrize("name", ["leaves", "searched"])
def test_more_leaves_than_items_are_refused(name):
    with pytest.raises(ConfigError, match=f"{name} is 9, but there are only 8 items"):
        list(scann.Settings(**{name: 9}).ladders(8, 10))
