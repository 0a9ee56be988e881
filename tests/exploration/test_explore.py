"""The command: what it prints, and the page that it writes."""

import re
import subprocess
import sys
import xml.etree.ElementTree

import pytest

from multitask_recommender import cli


def run(*arguments):
    return cli.run("explore", arguments, "python -m multitask_recommender explore")


def test_shows_the_numbers_and_writes_a_page(ml_100k, elsewhere, capsys):
    status = run("movielens", f"path={ml_100k}", "variant=100k")

    shown = capsys.readouterr().out
    assert status == 0
    assert re.search(r"rows +7\b", shown)
    assert re.search(r"users that occur +3 of 4", shown)
    assert re.search(r"items that occur +4 of 5", shown)
    assert "Written: explore-movielens.html" in shown
    page = (elsewhere / "explore-movielens.html").read_text()
    assert page.count("<svg") == page.count("</svg>") >= 4
    for svg in re.findall(r"<svg.*?</svg>", page, re.DOTALL):
        xml.etree.ElementTree.fromstring(svg)
    assert "<h2>Labels</h2>" in page


def test_counts_what_two_datasets_have_in_common(ml_100k, ml_1m, elsewhere, capsys):
    run("movielens", f"path={ml_100k}", "--overlap", "max_rows=1")

    assert re.search(r"movielens 100k +3 +4", capsys.readouterr().out.split("in common")[1])


def test_names_in_the_data_cannot_break_the_page(tmp_path, elsewhere):
    log = tmp_path / "<script>.csv"
    log.write_text('u,i,kind\n1,2,"<b>&</b>"\n1,3,x\n')

    status = run(
        "table",
        f"path={log}",
        "columns={user: u, item: i, item_features: [kind]}",
        "--html",
        "p.html",
    )

    assert status == 0
    page = (elsewhere / "p.html").read_text()
    assert "<script>" not in page
    assert "<b>" not in page


def test_features_that_the_log_tells_are_shown(tmp_path, elsewhere, capsys):
    log = tmp_path / "log.csv"
    log.write_text("u,i,kind\n1,2,red\n1,3,\n1,4,red\n")

    run("table", f"path={log}", "columns={user: u, item: i, item_features: [kind]}")

    assert re.search(r"item kind +categorical +33.33% +1 +red: 2", capsys.readouterr().out)


def test_a_dollar_in_the_data_is_no_mathematics(tmp_path, elsewhere):
    log = tmp_path / "log.csv"
    log.write_text("u,i,$a_$\n1,2,$1_$\n1,3,$\n")

    status = run("table", f"path={log}", "columns={user: u, item: i, item_features: [$a_$]}")

    assert status == 0
    assert "$1_$" in (elsewhere / "explore-table.html").read_text()


def test_the_same_data_give_the_same_page(ml_100k, elsewhere):
    for name in ("a.html", "b.html"):
        run("movielens", f"path={ml_100k}", "--html", name)

    assert (elsewhere / "a.html").read_bytes() == (elsewhere / "b.html").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["movilens"], 2, "Did you mean 'movielens'?"),
        (["movielens", "varient=1m"], 2, "dataset.varient is not a setting"),
        (["movielens", "path=nowhere"], 1, "nowhere"),
        (["synthetic", "--html", "no/such/folder/x.html"], 1, "no/such/folder"),
    ],
)
def test_what_is_wrong_is_one_line(arguments, status, message, elsewhere, capsys):
    assert run(*arguments) == status

    error = capsys.readouterr().err
    assert message in error
    assert error.startswith("error: ")
    assert list(elsewhere.iterdir()) == []


def test_help_answers_without_reading_anything():
    command = [sys.executable, "-m", "multitask_recommender", "explore", "--help"]

    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout

    assert "--overlap" in shown


def test_traps_are_named_as_if_all_features_were_read(elsewhere, capsys):
    run("synthetic", "shape=tenrec", "scenario=ctr_1m", "users=50", "items=60", "rows=2000")

    shown = " ".join(capsys.readouterr().out.split())
    assert "error post_exposure_input: The model reads 'watching_times'" in shown
    assert "warning future_history: The model reads 'first_clicks'" in shown
    assert "<b>error: post_exposure_input</b>" in (elsewhere / "explore-synthetic.html").read_text()


def test_lists_of_items_have_no_labels_no_order_and_no_traps(tmp_path, elsewhere, capsys):
    (tmp_path / "train.txt").write_text("0 5 7\n3 5\n3 9\n")
    (tmp_path / "test.txt").write_text("0 9\n")

    status = run("adjacency", f"path={tmp_path}")

    shown = capsys.readouterr().out
    assert status == 0
    assert re.search(r"rows +5\b", shown)
    assert re.search(r"items that occur +3 of 3", shown)
    assert re.search(r"order +none", shown)
    assert "WARNING train.txt: 1 users have more than one line, such as user 3" in shown
    assert "Labels" not in shown
    assert "Traps" not in shown


def test_the_form_of_ncf_shows_its_ratings_and_its_catalogue(tmp_path, elsewhere, capsys):
    (tmp_path / "toy.train.rating").write_text("0\t3\t5\n1\t1\t4\n")
    (tmp_path / "toy.test.rating").write_text("0\t2\t4\n")
    (tmp_path / "toy.test.negative").write_text("(0,2)\t4\t9\n")

    status = run("ncf", f"path={tmp_path}")

    shown = capsys.readouterr().out
    assert status == 0
    assert re.search(r"items that occur +3 of 5", shown)
    assert re.search(r"rating +3 +4.333 +4: 2, 5: 1", shown)
    assert "Traps" not in shown
