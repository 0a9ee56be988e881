"""What the head of an option's file says of its paper is what tables say."""

from multitask_recommender import config
from multitask_recommender.comparison import departures


def test_sentences_come_from_the_heads_of_files():
    chosen = config.parse({"model": "gru4rec", "sharing": "mmoe"})

    found = departures.of(chosen)

    assert set(found) == {"model gru4rec", "sharing mmoe"}  # two_tower and fixed name none
    assert found["model gru4rec"].startswith("Differs from the papers: whole sessions are read")
    assert found["model gru4rec"].endswith("`tied: false`.")


def test_a_sharing_that_nothing_reads_is_not_told_of():
    chosen = config.parse({"model": "lightgcn", "sharing": "mmoe", "tasks": {"retrieval": {}}})

    assert set(departures.of(chosen)) == {"model lightgcn"}
