"""Bad files of Tenrec: what is said of them, and that nothing of them is kept."""

import re

import pytest

from multitask_recommender.datasets import tenrec
from multitask_recommender.datasets._tenrec import prepare
from multitask_recommender.errors import DataError

HEADER = "user_id,item_id,click,follow,like,share,video_category,watching_times,gender,age"
ROW = "{user},5,1,0,0,0,1,2,1,3\n"
GOOD = HEADER + "\n" + "".join(ROW.format(user=user) for user in (1, 2, 2))  # lines 1 to 4
HISTORY = ",".join(f"hist_{n}" for n in range(1, 11))


@pytest.fixture
def fail(elsewhere, monkeypatch):
    """Reads a faulty file: the message, without the folder."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(elsewhere / "home"))

    def fail(text, scenario="qb_video", **settings):
        path = elsewhere / "QB-video.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        with pytest.raises(DataError) as caught:
            tenrec.read(tenrec.Settings(scenario=scenario, path=str(path), **settings))
        assert [found.name for found in elsewhere.iterdir()] == ["QB-video.csv"]
        message = str(caught.value)
        assert "\n" not in message
        return message.replace(f"{elsewhere}/", "")

    return fail


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("3,5,1,0,0,0,1,2,1", "9 fields, expected 10: '3,5,1,0,0,0,1,2,1'. Download the file aga"),
        ("3,5,1,0,0,0,1,2,1,3,9", "11 fields, expected 10: '3,5,1,0,0,0,1,2,1,3,9'. Download"),
        ('3,5,1,0,0,0,"1",2,1,3', "a quote in '3,5,1,0,0,0,\"1\",2,1,3'. Tenrec's files have none"),
        ('3,5,1,0,0,0,"1,5",2,1,3', "a quote in '3,5,1"),
        ("x,5,1,0,0,0,1,2,1,3", "user_id is 'x', expected a whole number from 1 to 2,147,483,647."),
        ("3,5.0,1,0,0,0,1,2,1,3", "item_id is '5.0', expected a whole number from 1 to 2,147"),
        ("3,0,1,0,0,0,1,2,1,3", "item_id is '0', expected a whole number from 1 to"),
        ("3,-5,1,0,0,0,1,2,1,3", "item_id is '-5', expected a whole number from 1 to"),
        ("3,2147483648,1,0,0,0,1,2,1,3", "item_id is '2147483648', expected a whole number from"),
        (",5,1,0,0,0,1,2,1,3", "user_id is '', expected a whole number"),
        ("\\N,5,1,0,0,0,1,2,1,3", r"user_id is '\\N', expected a whole number"),
        (
            "3,5,2,0,0,0,1,2,1,3",
            "click is '2', expected 0, 1, 0.0, 1.0, False, True or \\N. Correct",
        ),
        ("3,5,1,0,0.5,0,1,2,1,3", "like is '0.5', expected 0, 1, 0.0, 1.0, False, True or \\N."),
        ("3,5,1,0,,0,1,2,1,3", "like is '', expected 0, 1, 0.0, 1.0, False, True or \\N."),
        ("3,5,1,0,0,0,1,long,1,3", "watching_times is 'long', expected a number or \\N."),
        ("3,5,1,0,0,0,1,inf,1,3", "watching_times is 'inf', expected a number or \\N."),
        ("3,5,1,0,0,0,1,2,1.5,3", "gender is '1.5', expected a whole number or \\N."),
        (
            "1,5,1,0,0,0,1,2,1,3",
            "user_id is 1 after 2, but a Tenrec file is in the order of its us",
        ),
        ("3,5,1,0,0,0,1,2,1,\udcff", "age is '\\\\xff', expected a number or \\N."),
    ],
)
def test_a_faulty_line_is_named_with_its_value_and_a_remedy(fail, monkeypatch, line, message):
    """Wherever it stands, alone or with others, whatever follows it."""
    text = (GOOD + line + "\n").encode(errors="surrogateescape")
    more = (ROW.format(user=4) + ROW.format(user=1) + "no row").encode()
    for piece_bytes in (1, 1 << 22):
        monkeypatch.setattr(prepare, "PIECE_BYTES", piece_bytes)
        for faulty in (text, text + more, text.replace(b"\n", b"\r\n")):
            assert fail(faulty).startswith(f"QB-video.csv line 5: {message}")


def test_the_first_of_several_faults_is_named_with_blank_lines_counted(fail):
    rows = "\n3,5,1,0,0,0,1,2,1,3\n\n3,5,7,0,0,0,1,2,1,3\n3,oops\n"

    assert fail(GOOD + rows).startswith("QB-video.csv line 8: click is '7'")


def test_a_download_cut_short_is_told_from_a_bad_line(fail):
    text = GOOD + "3,5,1,0,0"

    assert fail(text) == (
        "QB-video.csv line 5: the file ends in the middle of a line, after 5 fields: '3,5,1,0,0'. "
        f"Its {len(text)} bytes are a download cut short: download it again."
    )


@pytest.mark.parametrize("history", ["-1", "x", "2147483648", "1.0"])
def test_a_history_holds_item_ids_or_0(fail, history):
    text = f"{HEADER},{HISTORY}\n1,5,1,0,0,0,1,2,1,3,7,{history},0,0,0,0,0,0,0,0\n"

    message = fail(text, "ctr_1m")

    assert message.startswith(
        f"QB-video.csv line 2: hist_2 is '{history}', expected a whole number from 0 to 2,147"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "QB-video.csv is empty: download it again."),
        (HEADER, "QB-video.csv is empty: it has columns, but no rows. Download it again."),
        (HEADER + "\n\r\n\n" * 999, "QB-video.csv is empty: it has columns, but no rows."),
        (
            "user_id,item,click\n1,2,1\n",
            "QB-video.csv line 1: no column item_id. Expected a header such as user_id,item_id,cli",
        ),
        (
            ROW.format(user=1),
            "QB-video.csv line 1: no column user_id. Expected a header such as user_id,item_id,cli",
        ),
        (
            "user_id,item_id,click,click\n1,2,1,0\n",
            "QB-video.csv line 1: two columns are called click: rename one of them.",
        ),
        (
            "user_id,item_id,gender\n1,2,1\n",
            "QB-video.csv line 1: no label, expected one or more of click, follow, like, share (sc",
        ),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "QB-video.csv line 1: no column user_id. Expected a header"),
    ],
)
def test_a_file_without_what_every_file_has_is_refused(fail, text, message):
    assert fail(text).startswith(message)


def test_a_fault_among_the_first_rows_is_found_and_none_behind_them(fail):
    text = GOOD.replace("1,5,1", "1,5,3", 1)

    assert fail(text, max_rows=2).startswith("QB-video.csv line 2: click is '3'")


def test_a_scenario_that_does_not_exist_is_a_config_error():
    with pytest.raises(ValueError, match=re.escape("'qk_video', 'qb_video'")):
        tenrec.Settings(scenario="video")
