"""DCN-V2: the equation of a cross layer by hand, its structures, and what it learns."""

import numpy as np
import pytest

from multitask_recommender import config, experiment
from multitask_recommender.errors import ConfigError
from multitask_recommender.training import optimizers


def build(train, tasks=("like",), **model):
    chosen = {
        "model": {"name": "dcn", "embedding_dimension": 2, **model},
        "tasks": {name: {} for name in tasks},
        "sharing": {"name": "shared_bottom", "hidden_layers": []},
    }
    return experiment.build(config.parse(chosen), train)


def encoded(model, features):
    return model.encode(features, model._candidate_ids(features), training=False)


def randomise(model):
    rng = np.random.default_rng(0)
    for variable in model.trainable_variables:
        variable.assign(rng.normal(size=variable.shape))


def inputs(model, interactions):
    """x_0 [B, F * D]: the job and the id of each user, then the id of each item."""
    users, items = model._towers
    job = interactions.users.features["job"].values[interactions.user_ids]
    jobs = users._features["job"].table.numpy() * [[0], [1], [1]]  # 0 is missing
    parts = [jobs[job], users._ids.numpy()[interactions.user_ids]]
    return np.concatenate([*parts, items._ids.numpy()[interactions.item_ids]], axis=1)


def crossed(model, interactions):
    """x_{l+1} = x_0 * (W x_l + b) + x_l."""
    x_0 = x = inputs(model, interactions)
    for layer in model._crosses:
        *matrices, bias = layer.get_weights()  # W, or the two factors of it
        product = x
        for matrix in matrices:
            product = product @ matrix
        x = x_0 * (product + bias) + x
    return x


@pytest.mark.parametrize("rank", [None, 3])
def test_crosses_are_those_of_the_paper(tiny, rank, batch_of):
    model = build(tiny, user=["job", "id"], cross_layers=2, projection_dim=rank)
    randomise(model)

    pair = encoded(model, batch_of(tiny)).pair

    shapes = [(6, 6), (6,)] if rank is None else [(6, 3), (3, 6), (6,)]
    assert [weights.shape for weights in model._crosses[1].get_weights()] == shapes
    np.testing.assert_allclose(pair, crossed(model, tiny), rtol=1e-4)


def relu_layer(model, values):
    kernel, bias = model._deep.get_weights()
    return np.maximum(values @ kernel + bias, 0)


@pytest.mark.parametrize("structure", ["parallel", "stacked"])
def test_deep_layers_stand_beside_the_crosses_or_after_them(tiny, structure, batch_of):
    model = build(tiny, user=["job", "id"], cross_layers=1, deep_layers=[3], structure=structure)
    randomise(model)

    pair = encoded(model, batch_of(tiny)).pair

    crosses = crossed(model, tiny)
    if structure == "parallel":
        deep = relu_layer(model, inputs(model, tiny))
        np.testing.assert_allclose(pair, np.concatenate([crosses, deep], axis=1), rtol=1e-4)
    else:
        np.testing.assert_allclose(pair, relu_layer(model, crosses), rtol=1e-4)


def test_deep_layers_may_be_all(tiny, batch_of):
    model = build(tiny, user=["job", "id"], cross_layers=0, deep_layers=[3])
    randomise(model)

    pair = encoded(model, batch_of(tiny)).pair

    np.testing.assert_allclose(pair, relu_layer(model, inputs(model, tiny)), rtol=1e-4)


def test_heads_begin_at_the_mean_of_their_labels(tiny, batch_of):
    model = build(tiny, tasks=("like", "rating"))
    batch = batch_of(tiny)

    outputs = model.predict_labels(encoded(model, batch), batch, training=False)

    np.testing.assert_allclose(outputs["rating"], [3.3] * 10, rtol=1e-5)
    np.testing.assert_allclose(outputs["like"], [np.log(5 / 5)] * 10, atol=1e-6)


def test_a_head_without_hidden_layers_reads_the_crosses_that_it_learns(tiny, batch_of):
    model = build(tiny, user=["job", "id"])
    model.optimizer = optimizers.build("adam", 0.05)
    batch = batch_of(tiny)
    before = [layer.get_weights()[0] for layer in model._crosses]

    losses = [float(model.train_step(batch)["like"]) for _ in range(30)]

    assert losses[-1] < 0.5 * losses[0]
    for layer, kernel in zip(model._crosses, before, strict=True):
        assert (layer.get_weights()[0] != kernel).any()


def test_weight_decay_is_of_the_rows_of_ids(tiny, batch_of):
    model = build(tiny, l2=3.0, l2_power=1)
    batch = batch_of(tiny)

    penalty = model.encode(batch, model._candidate_ids(batch), training=True).penalty

    users, items = (tower._ids.numpy() for tower in model._towers)
    squares = (users[tiny.user_ids] ** 2).sum() + (items[tiny.item_ids] ** 2).sum()
    assert float(penalty) == pytest.approx(3.0 * squares / 10, rel=1e-5)


def test_a_retrieval_task_is_refused():
    with pytest.raises(ConfigError, match=r"model\.name is dcn, .*take tasks\.retrieval away"):
        config.parse({"model": "dcn", "tasks": {"retrieval": {}, "like": {}}})


def test_layers_of_no_kind_are_refused():
    nothing = {"model": {"name": "dcn", "cross_layers": 0}, "tasks": {"like": {}}}
    with pytest.raises(ConfigError, match="nothing would cross the inputs. Give one of them."):
        config.parse(nothing | {"sharing": {"name": "shared_bottom", "hidden_layers": []}})
    config.parse(nothing | {"sharing": "mmoe"})  # whose experts cross them
