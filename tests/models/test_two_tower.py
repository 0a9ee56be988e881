"""What only two towers do; what every model does is in test_every_model.py."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from multitask_recommender import config, experiment
from multitask_recommender.batches import TrainingBatches, ordered_batches
from multitask_recommender.errors import ConfigError
from multitask_recommender.schema import HISTORY

TASKS = {"retrieval": {"positive": "like", "negatives": "in_batch"}, "like": {}}


@pytest.fixture
def model(tiny):
    settings = {
        "name": "two_tower",
        "embedding_dimension": 4,
        "user": ["recent"],
        "recent_length": 2,
    }
    return experiment.build(config.parse({"model": settings, "tasks": TASKS}), tiny)


class TestRankingDimension:
    def settings(self, **changed):
        return config.parse({"model": {"name": "two_tower", **changed}}).model.settings

    def test_is_half_of_the_embeddings_unless_it_is_told(self):
        assert self.settings(embedding_dimension=7, ranking={}).ranking_dimension == 4
        told = self.settings(embedding_dimension=7, ranking={"dimension": 6})
        assert told.ranking_dimension == 6
        assert self.settings(embedding_dimension=7).ranking_dimension == 7  # nothing is projected

    def test_of_a_projection_is_no_more_than_what_is_projected(self):
        told = "ranking.dimension 8 exceeds embedding_dimension 7, of which it is a projection"
        with pytest.raises(ConfigError, match=told):
            self.settings(embedding_dimension=7, ranking={"dimension": 8})

        apart = {"embeddings": "separate", "ranking": {"dimension": 8}}
        assert self.settings(embedding_dimension=7, **apart).ranking_dimension == 8


class TestRecent:
    """tiny: user 1 liked item 1, then met 2 and 3, and liked 1 again; 2 and 3 liked 1 once."""

    def test_is_what_the_row_was_preceded_by_in_training(self, tiny, model):
        (batch,) = ordered_batches(tiny, 100, model.recent)

        expected = [[0], [1], [1], [0], [1], [0], [1], [1], [0], [1]]  # none of the two before
        assert batch[HISTORY].numpy().tolist() == expected
        (shuffled,) = TrainingBatches(tiny, 10, 3, recent=model.recent).dataset().take(1)
        assert sorted(shuffled[HISTORY].numpy().tolist()) == sorted(expected)

    def test_is_all_of_training_when_a_user_is_given_items(self, tiny, model):
        scores = model.scorer().score_block({"user_id": np.array([1, 2, 3, 4], np.int32)})

        histories = np.array([[1, 1], [1, 0], [1, 0], [0, 0]], np.int32)
        given = {"user_id": tf.constant([4, 4, 4, 4]), HISTORY: tf.constant(histories)}
        vectors = model.embed_queries(given) @ model.embed_items(tf.range(1, 7)).numpy().T
        np.testing.assert_allclose(scores[:3], vectors[:3], rtol=1e-5)
        np.testing.assert_array_equal(scores[3], model.popularity)  # who has liked nothing
        assert len(np.unique(scores.round(6), axis=0)) == 3

    def test_labels_are_predicted_from_what_came_before_the_row(self, tiny, model):
        rows = {"user_id": np.array([3, 3], np.int32), "item_id": np.array([5, 5], np.int32)}

        early, late = model.scorer().rank(rows | {"timestamp": np.array([0, 99])})["like"]

        assert early != late
        now = model.scorer().rank({name: ids[:1] for name, ids in rows.items()})
        np.testing.assert_allclose(now["like"], [late], rtol=1e-6)

    def test_needs_an_order(self, tiny):
        timeless = dataclasses.replace(tiny, timestamps=None)
        settings = config.parse({"model": {"name": "two_tower", "user": ["id", "recent"]}}).model

        faults = settings.settings.missing_from(timeless, "model")

        assert len(faults) == 1
        assert "model.user names 'recent', but made by the test has no timestamps" in faults[0]

    def test_is_of_users_only(self, tiny):
        settings = config.parse({"model": {"name": "two_tower", "item": ["recent"]}}).model

        faults = settings.settings.missing_from(tiny, "model")

        assert any("model.item names 'recent', which the data does not have" in f for f in faults)


class TestHistoryOfPositives:
    """tiny: item 1 was liked by users 1, 2 and 3, which users 1 and 3 met others besides."""

    def build(self, tiny, tasks, embeddings="shared"):
        settings = {
            "name": "two_tower",
            "embedding_dimension": 4,
            "embeddings": embeddings,
            "user": ["history"],
            "ranking": {"dimension": 4},
        }
        return experiment.build(config.parse({"model": settings, "tasks": tasks}), tiny)

    def queries(self, model):
        return model.embed_queries({"user_id": tf.constant([1, 2, 3, 4])}).numpy()[:, :-1]

    def test_retrieval_reads_what_was_liked(self, tiny):
        model = self.build(tiny, {"retrieval": {"positive": "like", "negatives": "in_batch"}})
        liked = model._user_tower._history.table.numpy()[1]

        np.testing.assert_allclose(self.queries(model), [liked, liked, liked, 0 * liked], rtol=1e-6)

    @pytest.mark.parametrize("embeddings", ["shared", "separate"])
    def test_labels_are_predicted_from_all_that_was_met(self, tiny, embeddings):
        """Else a row's own item were in its history just where it is liked."""
        disliked = dataclasses.replace(
            tiny, labels={**tiny.labels, "like": 1 - tiny.labels["like"]}
        )
        batch = {"user_id": tf.constant([1, 2, 3]), "item_id": tf.constant([1, 4, 2])}

        def pair(train):
            model = self.build(train, TASKS, embeddings)
            return model.encode(batch, tf.constant([1, 2, 4]), training=False)

        one, other = pair(tiny), pair(disliked)

        np.testing.assert_array_equal(one.pair, other.pair)
        assert (one.queries != other.queries).numpy().any()

    def test_without_a_label_it_is_of_every_event_and_read_once(self, tiny):
        model = self.build(tiny, {"retrieval": {}, "like": {}})
        table = model._user_tower._history.table.numpy()

        expected = [table[1:4].sum(0) / np.sqrt(3), table[[1, 4]].sum(0) / np.sqrt(2)]
        np.testing.assert_allclose(self.queries(model)[:2], expected, rtol=1e-5)
        assert model._ranking_space.reads_as(0, model._user_tower, model._user_view)
