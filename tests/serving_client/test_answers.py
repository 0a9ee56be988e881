"""Answers of columns, by hand."""

from recommender_client.answers import Answer, Embedding, Item, answers, embeddings


def test_rows_end_where_their_answers_do():
    found = answers(
        {
            "item_ids": [["cat", "ant"], ["bee", ""]],
            "scores": [[2.0, 1.0], [0.5, 0.0]],
            "like": [[0.75, 0.25], [0.5, 0.0]],
            "rating": [[4.0, 3.0], [2.0, 0.0]],
            "source": ["user", "popularity"],
            "num_items": [2, 1],
        }
    )

    assert found == [
        Answer(
            (
                Item("cat", 2.0, {"like": 0.75, "rating": 4.0}),
                Item("ant", 1.0, {"like": 0.25, "rating": 3.0}),
            ),
            "user",
        ),
        Answer((Item("bee", 0.5, {"like": 0.5, "rating": 2.0}),), "popularity"),
    ]


def test_ranked_items_are_those_asked_about():
    found = answers({"scores": [[2.0, 1.0, 1.0], [0.5, 3.0, 4.0]]}, [["x"], ["y", "z"]])

    assert found == [
        Answer((Item("x", 2.0, {}),), None),
        Answer((Item("y", 0.5, {}), Item("z", 3.0, {})), None),
    ]


def test_an_answer_may_be_empty():
    outputs = {"item_ids": [[""]], "scores": [[0.0]], "num_items": [0], "source": ["user"]}

    assert answers(outputs) == [Answer((), "user")]


def test_vectors():
    assert embeddings({"embedding": [[0.5, 1.0]], "source": ["history"]}) == [
        Embedding((0.5, 1.0), "history")
    ]
    assert embeddings({"embedding": [[0.5]]}) == [Embedding((0.5,), None)]
