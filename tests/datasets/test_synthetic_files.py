"""The files that synthetic rows in the form of Tenrec are written to."""

import numpy as np
import polars as pl
import pytest

from multitask_recommender.datasets import synthetic
from multitask_recommender.errors import ConfigError

VIDEO = "user_id,item_id,click,follow,like,share,video_category,watching_times,gender,age"
HISTORY = ",".join(f"hist_{n}" for n in range(1, 11))


def settings(**changes):
    return synthetic.Settings(
        **{"shape": "tenrec", "users": 40, "items": 300, "rows": 2_000, **changes}
    )


@pytest.mark.parametrize(
    ("scenario", "name", "header"),
    [
        ("ctr_1m", "ctr_data_1M.csv", f"{VIDEO},{HISTORY}"),
        ("sbr_1m", "sbr_data_1M.csv", VIDEO),
        ("qk_video", "QK-video.csv", VIDEO),
        ("qb_video", "QB-video.csv", VIDEO),
    ],
)
def test_name_header_and_rows_are_as_shipped(tmp_path, scenario, name, header):
    path = synthetic.write_csv(settings(scenario=scenario), tmp_path / "new")

    lines = path.read_bytes().decode().split("\n")
    assert path == tmp_path / "new" / name
    assert lines[0] == header
    assert len(lines) == 2_002 and lines[-1] == ""
    assert {line.count(",") for line in lines[:-1]} == {header.count(",")}
    assert [each.name for each in path.parent.iterdir()] == [name]  # nothing beside it


def test_values_are_integers_but_for_missing_categories(tmp_path):
    path = synthetic.write_csv(settings(items=90), tmp_path)
    table = pl.read_csv(path, infer_schema=False)
    columns = dict(zip(table.columns, table.to_numpy().T, strict=True))

    assert set(columns["video_category"]) == {"0", "1", "\\N"}
    assert set(columns["gender"]) == {"0", "1", "2"}
    assert set(columns["age"]) <= set("01234567")
    for name, values in columns.items():
        if name != "video_category":
            assert (values.astype(np.int64) >= 0).all()


def test_the_file_holds_the_rows_of_read(tmp_path, monkeypatch):
    monkeypatch.setattr(synthetic.exposures, "_BLOCK_ROWS", 500)
    chosen = settings(max_rows=1_900)
    parts = []
    path = synthetic.write_csv(chosen, tmp_path, parts.append)
    table = pl.read_csv(path, null_values="\\N")
    data = synthetic.read(chosen)

    assert sum(parts) == 1_900 and len(parts) > 2
    np.testing.assert_array_equal(table["user_id"], data.users.raw_ids[data.user_ids - 1])
    np.testing.assert_array_equal(table["item_id"], data.items.raw_ids[data.item_ids - 1])
    for label, values in data.labels.items():
        np.testing.assert_array_equal(table[label], values)
    np.testing.assert_array_equal(table["watching_times"], data.context["watching_times"].values)
    for name in ("gender", "age"):  # 0 is unknown, and of no code
        np.testing.assert_array_equal(table[name], data.users.features[name].values[data.user_ids])
    categories = data.items.features["video_category"].values[data.item_ids]
    np.testing.assert_array_equal(table["video_category"].fill_null(-1) + 1, categories)


def test_hist_is_a_users_first_ten_clicks_in_all_of_his_rows(tmp_path):
    table = pl.read_csv(synthetic.write_csv(settings(), tmp_path), null_values="\\N")

    seen_short = False
    for rows in table.partition_by("user_id", maintain_order=True):
        hist = rows.select(HISTORY.split(",")).unique()
        assert len(hist) == 1
        clicked = rows.filter(pl.col("click") == 1)["item_id"].to_list()
        copies_gone = [item for n, item in enumerate(clicked) if n == 0 or clicked[n - 1] != item]
        expected = (copies_gone + [0] * 10)[:10]
        assert list(hist.row(0)) == expected
        seen_short |= 0 in expected
    assert seen_short


def test_a_failure_leaves_no_file(tmp_path):
    def fail(rows):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        synthetic.write_csv(settings(), tmp_path, fail)

    assert list(tmp_path.iterdir()) == []


def test_the_shape_of_movielens_has_no_files_of_tenrec(tmp_path):
    with pytest.raises(ConfigError, match="shape is 'movielens', of which no files can be written"):
        synthetic.write_csv(synthetic.Settings(), tmp_path)

    assert list(tmp_path.iterdir()) == []
