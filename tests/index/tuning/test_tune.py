"""Tuning: what it chooses, measures, refuses and falls back to."""

import numpy as np
import pytest
import tensorflow as tf

from multitask_recommender import registry
from multitask_recommender.errors import ConfigError, RunError
from multitask_recommender.index import brute_force, ivf, scann
from multitask_recommender.index._index import BaseIndex
from multitask_recommender.index.settings import brute_force as brute_force_settings
from multitask_recommender.index.settings import ivf as ivf_settings
from multitask_recommender.index.settings import scann as scann_settings
from multitask_recommender.index.settings._leaves import LeafSettings
from multitask_recommender.index.tuning.tune import tune


def recall(index, vectors, queries, cutoff):
    """By numpy, from scratch."""
    nothing = tf.zeros([len(queries), 0], tf.int32)
    _, ids = index(tf.constant(queries), tf.constant(cutoff), nothing)
    best = np.argsort(-queries @ vectors.T, axis=1)[:, :cutoff] + 1
    return np.mean([np.isin(row, own).mean() for row, own in zip(ids.numpy(), best, strict=True)])


@pytest.mark.parametrize("name", registry.names("index"))
def test_every_index_is_tuned_to_the_target(name, clustered):
    vectors, queries = clustered(2500, 60)
    kind = registry.settings_class("index", name)
    settings = kind(leaves=50) if "leaves" in kind.model_fields else kind()

    tuned = tune(registry.load("index", name).Index, settings, vectors, queries, 0.9, cutoff=20)

    assert (tuned.name, tuned.note) == (name, "")
    assert tuned.chosen.recall >= 0.9
    assert tuned.chosen.recall == pytest.approx(recall(tuned.index, vectors, queries, 20))
    assert tuned.chosen in tuned.curve
    recalls = [point.recall for point in tuned.curve]
    assert recalls == sorted(recalls)
    reaching = [point.settings.cost(2500) for point in tuned.curve if point.recall >= 0.9]
    assert tuned.chosen.settings.cost(2500) == min(reaching)
    assert all(point.speed > 0 for point in tuned.curve)


def test_settings_that_are_given_are_taken_as_they_are_and_measured(clustered):
    vectors, queries = clustered(1000)
    settings = ivf_settings.Settings(leaves=10, searched=9)

    tuned = tune(ivf.Index, settings, vectors, queries, 0.5, cutoff=10)

    assert tuned.index.settings == tuned.chosen.settings == settings
    assert tuned.curve == [tuned.chosen]
    assert tuned.chosen.recall == pytest.approx(recall(tuned.index, vectors, queries, 10))


def test_given_settings_that_find_too_little_are_refused_with_the_number(clustered):
    vectors, queries = clustered(1000)
    settings = ivf_settings.Settings(leaves=100, searched=1)
    found = recall(ivf.Index(settings, vectors), vectors, queries, 10)
    assert found < 0.99

    with pytest.raises(RunError) as error:
        tune(ivf.Index, settings, vectors, queries, 0.99, cutoff=10)

    assert str(error.value) == (
        f"The index ivf finds {found:.4f} of the exact best 10 of 50 held-out queries (leaves "
        "100, searched 1, seed 0), below the target of 0.99: let it search more, lower the "
        "target, or choose brute_force."
    )


def test_where_nothing_reaches_the_target_the_best_of_all_is_named(clustered):
    """Ten are scored exactly, of what 4 bits for two dimensions find."""
    vectors, queries = clustered(1500)
    settings = scann_settings.Settings(leaves=10, reordered=10)

    with pytest.raises(
        RunError, match=r"finds 0\.\d{4} of .* \(leaves 10, searched \d+, reordered 10"
    ):
        tune(scann.Index, settings, vectors, queries, 0.999, cutoff=10)


def test_too_few_items_for_scann_fall_back_to_brute_force_and_it_is_said(clustered):
    vectors, queries = clustered(999)
    settings = scann_settings.Settings(leaves=2000)  # would be refused of scann

    tuned = tune(scann.Index, settings, vectors, queries)

    assert isinstance(tuned.index, brute_force.Index)
    assert tuned.name == "brute_force"
    assert tuned.chosen.recall == 1.0
    assert tuned.note == (
        "999 items are too few for scann, which takes 1000: the index is brute_force."
    )


@pytest.mark.parametrize(("num_items", "num_queries"), [(5, 0), (0, 5)])
def test_recall_without_queries_or_items_is_no_number(num_items, num_queries):
    vectors, queries = np.ones((num_items, 2), np.float32), np.ones((num_queries, 2), np.float32)

    with pytest.raises(
        RunError, match=f"measured with {num_queries} held-out queries and {num_items} items"
    ):
        tune(brute_force.Index, brute_force_settings.Settings(), vectors, queries)


def test_fewer_items_than_the_cutoff_are_all_to_be_found(clustered):
    vectors, queries = clustered(30)

    tuned = tune(ivf.Index, ivf_settings.Settings(), vectors, queries)

    assert tuned.chosen.recall >= 0.99


def test_more_leaves_than_items_are_refused_before_anything_is_built(clustered):
    with pytest.raises(ConfigError, match="searched is 40, but there are only 30 items"):
        tune(ivf.Index, ivf_settings.Settings(searched=40), *clustered(30))


class Fading(BaseIndex):
    """Built for the third time, it finds three answers less unless it searches all leaves."""

    builds = 0

    def __init__(self, settings, vectors):
        super().__init__(settings)
        type(self).builds += 1
        self._exact = brute_force.Index(brute_force_settings.Settings(), vectors)

    def __call__(self, queries, number, excluded):
        scores, ids = self._exact(queries, number, excluded)
        lost = 3 * (self.builds == 3 and self.settings.searched < self.settings.leaves)
        return scores, tf.concat([ids[:, lost:], 0 * ids[:, :lost]], axis=1)

    @staticmethod
    def vectors_of(saved, number):
        raise NotImplementedError  # it is never saved

    def rows(self):
        return self._exact.rows()

    def ids(self):
        return self._exact.ids()


def test_an_index_that_is_built_again_is_measured_again(clustered, monkeypatch):
    """2 leaves cost less than 4, and are built anew, since those of 4 took their place."""
    monkeypatch.setattr(Fading, "builds", 0)
    monkeypatch.setattr(LeafSettings, "_numbers_of_leaves", lambda *_: [2, 200])
    vectors, queries = clustered(100)

    tuned = tune(Fading, LeafSettings(), vectors, queries, 0.9, cutoff=10)

    assert Fading.builds == 3
    assert tuned.index.settings == tuned.chosen.settings == LeafSettings(leaves=2, searched=2)
    assert tuned.chosen.recall == 1.0
    assert tuned.curve[0].recall == pytest.approx(0.7)  # of what had been chosen
