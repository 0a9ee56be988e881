"""Small, lopsided data that tests share, and the way to the real files."""

import os
import pathlib
from collections.abc import Callable

import numpy as np
import pytest

from multitask_recommender.interactions import Entities, Feature, Interactions, Source
from tests.made_runs import GRU4REC, LIGHTGCN, TWO_TOWER, made_run

# Three users, five films; user 2 and film 40 meet nobody, user 900 and film 50 are in no catalogue.
RATINGS = [
    # user, film, stars, seconds
    (3, 10, 5, 1_000),
    (1, 30, 3, 4_000),
    (3, 20, 4, 2_000),
    (1, 10, 1, 3_000),
    (900, 50, 2, 5_000),
    (3, 30, 4, 6_000),
    (1, 20, 5, 7_000),
]


@pytest.fixture
def mtr_data() -> pathlib.Path:
    """The folder of real datasets; without it the test is skipped."""
    folder = os.environ.get("MTR_DATA")
    if not folder:
        pytest.skip("MTR_DATA is not set: no real data here")
    return pathlib.Path(folder)


@pytest.fixture
def elsewhere(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """An empty working folder, with no real data in reach."""
    monkeypatch.delenv("MTR_DATA", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def ml_100k(tmp_path: pathlib.Path) -> pathlib.Path:
    folder = tmp_path / "ml-100k"
    folder.mkdir()
    lines = ["\t".join(map(str, row)) + "\n" for row in RATINGS]
    (folder / "u.data").write_text("".join(lines))
    (folder / "u1.base").write_text("".join(lines[1:]))
    (folder / "u1.test").write_text(lines[0])
    (folder / "u.user").write_text("1|17|F|writer|1\n2|24|M|none|2\n3|56|M|writer|3\n")
    films = [
        # number, title, date, positions of its genre flags
        (10, "Käse & Wine (1995)", "01-Jan-1995", (5, 14)),
        (20, "The Other Film (1971)", "4-Feb-1971", (0,)),
        (30, "unknown", "", ()),
        (40, "Don't Look (1996)", "01-Jan-1997", (8,)),
    ]
    with (folder / "u.item").open("w", encoding="latin-1") as file:
        for number, title, date, genres in films:
            flags = ["1" if flag in genres else "0" for flag in range(19)]
            file.write("|".join([str(number), title, date, "", "", *flags]) + "\n")
    return folder


@pytest.fixture
def ml_1m(tmp_path: pathlib.Path) -> pathlib.Path:
    folder = tmp_path / "ml-1m"
    folder.mkdir()
    lines = ["::".join(map(str, row)) + "\n" for row in RATINGS]
    (folder / "ratings.dat").write_text("".join(lines))
    (folder / "users.dat").write_text("1::F::1::10::1\n2::M::56::16::2\n3::M::25::15::3\n")
    (folder / "movies.dat").write_text(
        "10::Star Trek: Film: 2 (1995)::Drama|Sci-Fi\n20::Café (1971)::Action\n"
        "30::Third (2000)::War\n40::Fourth (1999)::War\n",
        encoding="latin-1",
    )
    return folder


@pytest.fixture
def ml_csv(tmp_path: pathlib.Path) -> pathlib.Path:
    """The form of latest-small, 20m, 25m and 32m: half stars, quoted titles, no users."""
    folder = tmp_path / "ml-latest-small"
    folder.mkdir()
    lines = [f"{user},{film},{stars - 0.5},{time}\n" for user, film, stars, time in RATINGS]
    (folder / "ratings.csv").write_text("userId,movieId,rating,timestamp\n" + "".join(lines))
    (folder / "movies.csv").write_text(
        'movieId,title,genres\n10,"Wine, The ""Best"" (1995)",Comedy|Drama\n'
        "20,Other (1971),(no genres listed)\n30,Third,War\n40,Fourth (1999),War\n"
    )
    return folder


@pytest.fixture
def make_events() -> Callable[..., Interactions]:
    """Builds Interactions from (user, item) pairs of dense ids."""

    def make(
        pairs: list[tuple[int, int]],
        times: list[int] | None = None,
        parts: list[int] | None = None,
        known: tuple[int, int] = (0, 0),
    ) -> Interactions:
        users, items = np.array(pairs, np.int32).reshape(-1, 2).T
        return Interactions(
            user_ids=users,
            item_ids=items,
            users=_entities(users, known[0], "u"),
            items=_entities(items, known[1], "i"),
            labels={"rating": np.arange(len(users), dtype=np.float32)},  # says which row it was
            observed={"rating": np.arange(len(users)) % 2 == 0},
            timestamps=None if times is None else np.array(times, np.int64),
            parts=None if parts is None else np.array(parts, np.int8),
            source=Source("made by the test"),
        )

    return make


def _entities(ids: np.ndarray, num_known: int, letter: str) -> Entities:
    size = max(int(ids.max(initial=0)), num_known)
    return Entities(np.array([f"{letter}{n}" for n in range(1, size + 1)], dtype=str), num_known)


@pytest.fixture
def tiny() -> Interactions:
    """Four users, six items (the last never met), ten events; a like is unobserved in two."""
    users = np.array([1, 1, 1, 2, 2, 3, 3, 3, 4, 1], np.int32)
    items = np.array([1, 2, 3, 1, 4, 1, 2, 5, 1, 1], np.int32)  # (1, 1) twice
    stars = np.array([5, 3, 1, 4, 2, 4, 2, 5, 3, 4], np.float32)
    return Interactions(
        user_ids=users,
        item_ids=items,
        users=Entities(
            np.array(["ann", "bob", "eve", "joe"]),
            4,
            {
                "job": Feature(np.array([0, 1, 2, 0, 1], np.int32), ("poet", "smith")),
                "age": Feature(np.array([0, 20, 40, 0, 30], np.float32)),
            },
        ),
        items=Entities(
            np.array([10, 20, 30, 40, 50, 60]),
            6,
            {
                "genres": Feature(
                    np.array([[0, 0], [1, 2], [2, 0], [0, 0], [3, 1], [1, 0], [2, 3]], np.int32),
                    ("art", "bio", "war"),
                )
            },
        ),
        labels={"like": (stars >= 4).astype(np.float32), "rating": stars},
        observed={"like": np.array([1, 1, 1, 1, 0, 1, 1, 0, 1, 1], bool)},
        timestamps=np.arange(10, dtype=np.int64),
        source=Source("made by the test"),
    )


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """Folders of runs of several models on the same rows, by name."""
    folder = tmp_path_factory.mktemp("made")
    return {
        "tower": made_run(folder / "tower", TWO_TOWER),
        "graph": made_run(folder / "graph", LIGHTGCN, tasks={"retrieval": {}, "like": {}}),
        "session": made_run(folder / "session", GRU4REC, tasks={"retrieval": {}, "rating": {}}),
    }
