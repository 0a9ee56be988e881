"""The page: what it is told, and what it does in a real browser."""

import json
import re

import pytest

from multitask_recommender.serving import page
from tests.serving import browser

ITEMS = "[...document.querySelectorAll('tr[data-item]')].map(row => row.dataset.item).join()"
NARROW = "document.documentElement.scrollWidth <= innerWidth"


def write_golden(folder, *inputs):
    (folder / "assets.extra").mkdir()
    requests = [{"signature": "recommend", "inputs": each, "outputs": {}} for each in inputs]
    (folder / "assets.extra" / "golden_requests.json").write_text(
        json.dumps({"requests": requests})
    )


def test_examples_are_users_and_histories_of_the_golden_requests(tmp_path):
    write_golden(
        tmp_path,
        {"user_id": [2**60, 7], "k": [3]},
        {"user_id": [7]},  # again
        {"user_id": [1, 2], "history": [[5, 6, -1], [8, -1, -1]], "history_length": [2, 1]},
        {"user_id": [3], "history": [[5], [6]], "history_length": [-1]},
        {"item_id": [4]},
    )

    assert page.examples(tmp_path) == [
        {"user": str(2**60), "history": []},
        {"user": "7", "history": []},
        {"user": "1", "history": ["5", "6"]},
        {"user": "2", "history": ["8"]},
        {"user": "3", "history": ["5"]},
        {"user": "3", "history": ["6"]},
    ]


def test_without_golden_requests_there_are_none(tmp_path):
    assert page.examples(tmp_path) == []


def test_names_and_ids_cannot_end_the_script_or_be_markup(tmp_path):
    write_golden(tmp_path, {"user_id": ["</script><script>alert(1)</script>", "{{model}}", "<!--"]})

    text = page.render("<b>&{{script}}", tmp_path)

    assert "<script>alert" not in text and "<!--" not in text
    assert "<title>&lt;b&gt;&amp;{{script}}</title>" in text
    setup = json.loads(re.search(r'id="setup">(.*?)</script>', text)[1])
    assert setup["examples"][0]["user"] == "</script><script>alert(1)</script>"
    assert setup["examples"][1]["user"] == "{{model}}"


def test_the_page_holds_nothing_from_elsewhere(tmp_path):
    text = page.render("films", tmp_path)

    assert not re.search(r"(?:https?:)?//\w", re.sub(r"^\s*//.*", "", text, flags=re.MULTILINE))
    assert "default-src 'none'" in text


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    if not browser.CHROMIUM:
        pytest.skip("no Chromium here: apt-get install chromium")
    with browser.page(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


def address(server, query=""):
    return f"http://127.0.0.1:{server.rest_port}/{query}"


def focus(chromium, selector):
    chromium.until(f"!!document.querySelector({selector!r})")
    chromium.value(f"document.querySelector({selector!r}).focus()")


def click(chromium, selector):
    chromium.until(f"!!document.querySelector({selector!r})")
    chromium.value(f"document.querySelector({selector!r}).click()")


def shows_items(chromium, items):
    chromium.until(f"{ITEMS} === {items!r}")


def slide(chromium, name, value):
    chromium.value(
        f"{{const it = document.getElementById({name!r}); it.value = {value!r};"
        "it.dispatchEvent(new Event('input'))}"
    )


class TestInABrowser:
    def test_a_user_is_typed_and_its_items_are_shown_with_bars(self, chromium, strings):
        chromium.open(address(strings))
        shows_items(chromium, "e,d,c")
        assert "knows nothing of this user" in chromium.value("told.textContent")

        focus(chromium, "#user")
        chromium.type("ann")
        shows_items(chromium, "a,c,e")

        assert "what the model learnt of this user" in chromium.value("told.textContent")
        widths = chromium.value(
            "[...document.querySelectorAll('[data-name=like] b')].map(b => b.style.width).join()"
        )
        assert widths == "100%,40%,80%"  # likes of .5, .2 and .4
        users = "[...document.querySelectorAll('#users option')].map(one => one.value).join()"
        assert chromium.value(users) == "ann,zoë 🎬"

    def test_weights_change_the_order_to_that_of_one_task(self, chromium, strings):
        chromium.open(address(strings, "?user=ann&k=5"))
        shows_items(chromium, "a,c,e,d,b")

        slide(chromium, "weight_retrieval", "0")
        slide(chromium, "weight_like", "1")
        shows_items(chromium, "d,a,e,c,b")

        slide(chromium, "weight_like", "0")
        slide(chromium, "weight_rating", "1")
        shows_items(chromium, "a,b,c,d,e")

    def test_a_history_is_made_by_keys_and_what_was_seen_is_left_out(self, chromium, strings):
        chromium.open(address(strings, "?user=ann&k=5"))
        focus(chromium, "#add-history")
        chromium.type("e")
        chromium.enter()
        shows_items(chromium, "a,c,d,b")

        click(chromium, "#seen")
        shows_items(chromium, "a,c,e,d,b")

        click(chromium, "[aria-label='Leave out c']")
        shows_items(chromium, "a,e,d,b")
        assert chromium.value("document.activeElement.id") == "title"
        click(chromium, "[aria-label='Remove c']")
        shows_items(chromium, "a,c,e,d,b")

        click(chromium, "[aria-label='Take the history of an example']")
        shows = "[...document.querySelectorAll('.chips button')].map(one => one.textContent).join()"
        chromium.until(f"{shows} === 'a ×,b ×'")

    def test_similar_items_open_and_close(self, chromium, strings):
        chromium.open(address(strings, "?user=ann&k=3"))
        focus(chromium, "tr[data-item=c] button.item")
        chromium.enter()

        chips = "[...document.querySelectorAll('.similar .chips button')]"
        chromium.until(f"{chips}.map(one => one.textContent.split(' ')[0]).join() === 'b,d,a'")
        assert chromium.value("document.activeElement.getAttribute('aria-expanded')") == "true"
        chromium.enter()
        chromium.until("!document.querySelector('.similar')")

        chromium.enter()
        click(chromium, "[aria-label='Add d to the history']")
        chromium.until("!!document.querySelector('[aria-label=\"Remove d\"]')")

    def test_an_error_is_a_sentence_and_goes_when_it_is_mended(self, chromium, strings):
        chromium.open(address(strings, "?user=ann&k=9"))
        chromium.until("fault.textContent.includes('k is larger than the catalogue')")
        assert chromium.value(ITEMS) == ""

        focus(chromium, "#k")
        chromium.value("document.activeElement.select()")
        chromium.type("1")
        shows_items(chromium, "a")
        assert chromium.value("fault.textContent") == ""

    def test_integer_ids_are_sent_whole_and_words_are_not_sent(self, chromium, integers):
        chromium.open(address(integers, f"?user={2**53 + 1}&k=5&history=20"))
        shows_items(chromium, "40,50,10,30")
        assert "what the model learnt of this user" in chromium.value("told.textContent")

        focus(chromium, "#user")
        chromium.type("x")
        chromium.until("fault.textContent.startsWith('user_id holds whole numbers')")

    def test_it_fits_narrow_screens(self, chromium, strings, tmp_path):
        for width in (320, 500, 800, 1200):
            chromium.open(address(strings, "?user=ann&k=5"), width)
            shows_items(chromium, "a,c,e,d,b")
            assert chromium.value(NARROW), width

    def test_a_model_that_only_ranks(self, chromium, serve, tmp_path):
        from tests.serving import toy

        toy.write(tmp_path / "ranks" / "1", only=("rank",))
        chromium.open(address(serve(tmp_path / "ranks"), "?user=ann"))
        chromium.until("told.textContent === 'Add the items to rank.'")

        focus(chromium, "#add-items")
        chromium.type("b, c,a")
        chromium.enter()
        shows_items(chromium, "a,c,b")

    def test_a_server_that_is_gone_is_said(self, chromium, exports, tmp_path):
        from tests.serving.calls import Server

        with Server.of(exports["strings"]) as server:
            chromium.open(address(server, "?user=ann"))
            shows_items(chromium, "a,c,e")
        slide(chromium, "weight_like", "1")
        chromium.until("fault.textContent === 'The server does not answer. Is it still running?'")

    def test_everything_came_from_this_server_and_nothing_complained(self, chromium, strings):
        chromium.open(address(strings, "?user=ann"))
        shows_items(chromium, "a,c,e")
        click(chromium, "tr[data-item=c] button.item")
        chromium.until("!!document.querySelector('.similar .chips button')")

        root = address(strings)
        assert chromium.requested() - {"data:,"} == {
            f"{root}?user=ann",
            f"{root}v1/models/strings/metadata",
            f"{root}v1/models/strings:predict",
        }
        assert chromium.complaints() == []
