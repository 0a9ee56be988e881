"""Vectors whose products are the fused scores, and what cannot be such a product."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from multitask_recommender import assembly
from multitask_recommender.ensembles import members
from multitask_recommender.ensembles.ensemble import Ensemble
from multitask_recommender.ensembles.recipe import Recipe, evenly
from multitask_recommender.errors import ConfigError
from multitask_recommender.experiment import Experiment
from multitask_recommender.schema import HISTORY, ITEM_ID, USER_ID
from tests.made_runs import GRU4REC, made_run


def opened(names, method="weighted", weights=None):
    references = members.find([str(name) for name in names])
    config = members.shared_config(references)
    data = assembly.read(config)
    experiment = Experiment(config, data)
    ensemble = Ensemble(
        Recipe(method, tuple(references), {}),
        members.open_all(references, experiment, data),
        experiment,
    )
    blends = evenly(ensemble.takes_part(), weights or (1.0,) * len(names))
    ensemble.recipe = dataclasses.replace(ensemble.recipe, blends=blends)
    return ensemble


@pytest.fixture(scope="module")
def ensemble(made):
    return opened([made["tower"], made["graph"], made["session"]], weights=(1.0, 2.0, 0.5))


def test_products_are_the_fused_scores(ensemble):
    product, fused = ensemble.model(), ensemble.scorer()
    scorer = product.scorer()
    users = {USER_ID: np.arange(31, dtype=np.int32)}  # the unknown one first
    told = {
        USER_ID: np.array([0, 4], np.int32),
        HISTORY: np.array([[3, 9, 0], [5, 1, 2]], np.int32),
    }

    for queries in (users, told):
        features = product.features_of(queries)
        scores = scorer.embed(features) @ scorer.items.T
        np.testing.assert_allclose(scores, fused.score_block(queries), atol=2e-5)
    assert product.is_told_of(product.features_of(users)).numpy().tolist()[0] is False
    # What nothing is known of is given what is popular, on the scale of the others.
    np.testing.assert_allclose(fused.score_block(users)[0], product.popularity, atol=1e-5)


def test_labels_are_fused_in_the_graph_as_in_numpy(ensemble):
    product = ensemble.model()
    queries = {
        USER_ID: np.array([1, 2, 0], np.int32),
        ITEM_ID: np.array([4, 9, 1], np.int32),
    }

    said = product.predictions(
        {**product.features_of(queries), ITEM_ID: tf.constant(queries[ITEM_ID])}
    )

    expected = ensemble.scorer().rank(queries)
    assert said.keys() == expected.keys() == {"like", "rating"}
    for label in said:
        np.testing.assert_allclose(said[label], expected[label], rtol=1e-5)


def test_biases_and_popularity_are_no_part_of_what_items_are_like(ensemble):
    product = ensemble.model()

    biases = [model.bias_coordinates for model in (each.model for each in ensemble.members)]
    assert product.bias_coordinates == sum(biases) + 1
    popular = product.embed_items(tf.range(1, product.num_items + 1))[:, -1]
    np.testing.assert_allclose(popular, product.popularity)


def test_what_is_no_product_is_refused(made, tmp_path):
    with pytest.raises(ConfigError, match="with the baseline ials, ease has no export"):
        opened([made["tower"], "ials", "ease"]).model()
    with pytest.raises(ConfigError, match="Reciprocal ranks are no product of vectors"):
        opened([made["tower"], made["graph"]], "reciprocal_rank").model()
    halved = opened([made["tower"], made["graph"]])
    halved.tables = "float16"
    with pytest.raises(ConfigError, match="export.tables is float16, which ensembles do not have"):
        halved.model()
    longer = made_run(
        tmp_path / "longer",
        {**GRU4REC, "session_length": 9},
        tasks={"retrieval": {}},
    )
    with pytest.raises(ConfigError, match=r"latest events of a user \(6 of all, 9 of all\)"):
        opened([made["session"], longer]).model()
