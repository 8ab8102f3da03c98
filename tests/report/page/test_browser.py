"""The page in a real browser: what is seen, what keys and filters do, and that nothing in a run is ever executed."""

import json
import shutil

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from promptkit.report.page import make_page, page_html
from tests.report.page.conftest import HOSTILE, STAGES, yaml_text
from tests.run.sums import SUMS

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium here: `apt-get install chromium`"),
]
BEFORE = "\U0001f600\U0001f600 so "
VOTED = SUMS.replace("  - number\n", "  - number\n  - vote\n").replace(
    'completion: " The answer is 5."', 'completion: [" The answer is 5.", " The answer is 4.", " The answer is 4."]'
)
FIXED = ('completion: " The answer is 5."', 'completion: " The answer is 4."')
CONTRAST = """
() => {
  const parse = (color) => { const [r, g, b, a = 1] = color.match(/[\\d.]+/g).map(Number); return { rgb: [r, g, b], a }; };
  const light = ({ rgb }) => { const [r, g, b] = rgb.map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4)); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const below = (node) => { for (let at = node; at; at = at.parentElement) { const color = parse(getComputedStyle(at).backgroundColor); if (color.a === 1) return color; } return parse("rgb(255, 255, 255)"); };
  const poor = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const parent = node.parentElement, style = getComputedStyle(parent);
    if (!node.textContent.trim() || !parent.getClientRects().length || style.visibility === "hidden" || parent.closest("script, option")) continue;
    const [a, b] = [light(parse(style.color)), light(below(parent))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) poor.push(`${node.textContent.trim().slice(0, 20)}: ${ratio.toFixed(2)}`);
  }
  return [...new Set(poor)];
}
"""


@pytest.fixture(scope="module")
def browser():
    """The system's chromium."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def opened(browser, tmp_path):
    """A function that opens the page of some runs from the disk; nothing may go wrong in it, and nothing be loaded."""
    contexts, wrong = [], []

    def open_page(*folders, link="", **settings):
        file = tmp_path / "page.html"
        file.write_text(page_html(make_page(folders)), encoding="utf-8")
        context = browser.new_context(**{"viewport": {"width": 1440, "height": 900}, **settings})
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda message: wrong.append(message.text))
        page.on("dialog", lambda dialog: wrong.append(dialog.message))
        page.on("request", lambda request: wrong.append(request.url) if request.url != file.as_uri() else None)
        page.goto(file.as_uri() + link)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert wrong == []


def ids(page):
    """The ids of the rows that are seen."""
    return page.locator(".row .c-id").all_text_contents()


def test_a_completion_is_shown_to_the_letter_and_never_executed(ran, opened):
    """Whatever a model writes, a browser shows it as text."""
    page = opened(ran(('completion: " The answer is 5."', f"completion: {yaml_text(HOSTILE)}")), link="#b")
    assert page.locator(".completion").text_content() == HOSTILE
    assert page.locator(".prompt").text_content() == "Q: 2 + 2?\nA:"
    assert page.locator(".detail img, .detail script, .row img").count() == 0


def test_the_answer_is_marked_where_it_stands(ran, opened):
    """Also after characters that browsers count as two."""
    page = opened(ran(('" The answer is 5."', f'"{BEFORE}The answer is 5."')), link="#b")
    assert page.locator("mark").all_text_contents() == ["5"]
    page.get_by_role("button", name="align[0].regex").click()
    assert page.locator(".m-found").all_text_contents() == ["5", "."]
    assert page.locator(".ledger .what").first.text_content() == "5."


def test_filters_leave_what_they_say(ran, opened):
    """A status in the summary, what is right, and a text that is searched for."""
    page = opened(ran())
    assert ids(page) == ["a", "b", "c", "d"]
    page.locator("#summary").get_by_role("button", name="unparsed").click()
    assert ids(page) == ["c"]
    page.locator("select[name=status]").select_option("")
    page.locator(".chips").get_by_role("button", name="wrong").click()
    assert ids(page) == ["b"]
    page.locator(".chips").get_by_role("button", name="wrong").click()
    page.locator("#search").fill("CANNOT say")
    assert ids(page) == ["c"]
    page.locator("#search").fill("q: 3")
    assert ids(page) == ["c"]
    assert page.locator(".count").text_content() == "1 of 4 examples"
    page.locator("#search").fill("nowhere")
    page.get_by_role("button", name="Clear the filters").click()
    assert ids(page) == ["a", "b", "c", "d"]


def test_keys_lead_through_the_examples(ran, opened):
    """Without a mouse: next, open, search, close; the address names what is open."""
    page = opened(ran())
    page.keyboard.press("Enter")
    assert page.locator(".detail h2").text_content() == "a"
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    assert page.locator(".detail h2").text_content() == "b"
    assert page.url.endswith("#b")
    page.keyboard.press("/")
    page.keyboard.type("jk")
    assert page.locator("#search").input_value() == "jk"
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    assert page.locator(".detail h2").count() == 0
    assert "#" not in page.url


def test_columns_sort(ran, opened):
    """Up, down, and as the data has it."""
    page = opened(ran())
    for expected in (["c", "d", "b", "a"], ["a", "b", "c", "d"], ["a", "b", "c", "d"]):
        page.get_by_role("button", name="sort by score").click()
        assert ids(page) == expected


def test_white_space_is_seen_where_it_is_asked_for(ran, opened):
    """A space before the answer is what a tokenizer minds."""
    page = opened(ran(), link="#b")
    page.keyboard.press("w")
    assert page.locator(".prompt").text_content().replace("\u200b", "") == "Q:·2·+·2?⏎\nA:"
    assert page.locator(".completion").text_content().replace("\u200b", "") == "·The·answer·is·5."


def test_two_runs_stand_beside_each_other(ran, opened):
    """The prompt that they share once, both completions, and where they part."""
    page = opened(ran(), ran(FIXED))
    page.locator("#summary").get_by_role("button", name="the generation").click()
    assert ids(page) == ["b"]
    page.keyboard.press("Enter")
    assert page.locator(".prompt").count() == 1
    assert page.locator(".completion").all_text_contents() == [" The answer is 5.", " The answer is 4."]
    assert page.locator(".m-differs").all_text_contents() == ["5", "4"]
    page.locator("select[name=run]").select_option("0")
    assert page.locator(".completion").all_text_contents() == [" The answer is 5."]


def test_the_cells_of_a_sweep_sort_and_open(swept, opened):
    """A row of the table is a run; an example says in how many of them it is right."""
    page = opened(swept)
    first = page.locator("table.cells tbody th").first
    page.locator("table.cells").get_by_role("button", name="take").click()
    assert first.text_content() == "2"
    first.get_by_role("button").click()
    assert page.locator("select[name=run]").input_value() == "2"
    page.keyboard.press("Enter")
    assert page.locator(".detail .facts").first.inner_text().split("\n")[-2:] == ["right in", "3 of 3 runs"]


def test_stages_stand_one_below_another(ran, opened):
    """Each with its prompt and its completion; the one that answers has the mark."""
    page = opened(ran(text=STAGES), link="#a")
    assert page.locator(".stage .prompt").all_text_contents() == ["Q: 2 + 2\nA:", ", so"]
    assert page.locator(".stage .completion").all_text_contents() == [" 2 and 2", " 4."]
    assert page.locator(".stage.answers mark").all_text_contents() == ["4"]


def test_thinking_is_told_from_the_answer(ran, opened):
    """What a reasoning model thought is no part of what is read."""
    text = SUMS.replace("align:\n", "generate: {thinking: {budget: 40}}\nalign:\n  - reasoning\n")
    thought = '"<think>Is it 4? \U0001f600</think>The answer is 5."'
    page = opened(ran(('" The answer is 5."', thought), text=text), link="#b")
    assert page.locator(".m-thought").all_text_contents() == ["<think>", "Is it 4? \U0001f600", "</think>"]
    assert page.locator("mark").all_text_contents() == ["5"]
    assert "thinking closed" in page.locator(".ending").inner_text()


def test_samples_are_chosen_below_their_votes(ran, opened):
    """The verdict first, then what each of them said."""
    page = opened(ran(text=VOTED + "generate: {samples: 3, temperature: 1}\n"), link="#b")
    assert page.locator(".votes tbody th").all_text_contents() == ["4", "5"]
    assert page.locator(".completion").text_content() == " The answer is 4."
    page.get_by_role("button", name="sample 0").click()
    assert page.locator(".completion").text_content() == " The answer is 5."


def test_a_link_opens_an_example_whatever_its_id(ran, opened):
    """It goes into a message to a colleague."""
    page = opened(ran(("{id: b,", "{id: '<b> & %/é',")), link="#%3Cb%3E%20%26%20%25%2F%C3%A9")
    assert page.locator(".detail h2").text_content() == "<b> & %/é"


@pytest.fixture
def large(ran):
    """A run of ten thousand rows."""
    folder = ran()
    (first, *_) = pq.read_table(folder / "samples.parquet").to_pylist()
    rows = [{**first, "id": f"n{number}", "completion": f"It is {number}."} for number in range(10_000)]
    schema = pq.read_schema(folder / "samples.parquet")
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), folder / "samples.parquet")
    return folder


def test_of_ten_thousand_rows_only_those_in_sight_are_in_the_document(large, opened):
    """Which is why they open and scroll as ten do."""
    page = opened(large)
    assert page.locator(".count").text_content() == "10,000 examples"
    assert page.locator(".row").count() < 60
    page.locator(".rows").press("End")
    assert ids(page)[-1] == "n9999"
    page.locator("#search").fill("is 4321.")
    assert ids(page) == ["n4321"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_enough_contrast(ran, opened, scheme):
    """WCAG 2 AA asks for 4.5 to 1, on either page, in the summary, the list and an opened example."""
    long = ran(text=SUMS.replace('- query: "Q', '- instruction: "Add."\n  - cue: "!"\n  - query: "Q'))
    for folders, link in (((ran(), ran(FIXED)), "#b"), ((long,), "#c"), ((long,), "")):
        page = opened(*folders, link=link, color_scheme=scheme)
        assert page.evaluate(CONTRAST) == []


@pytest.mark.parametrize("link", ["", "#b"])
def test_a_narrow_page_does_not_scroll_sideways(ran, opened, link):
    """Of two runs, which have the widest tables."""
    page = opened(ran(), ran(FIXED), link=link, viewport={"width": 400, "height": 800})
    assert page.evaluate("document.scrollingElement.scrollWidth") == 400


def test_the_summary_is_there_without_a_script(ran, opened):
    """Some readers of mail and of code do not run any."""
    page = opened(ran(), java_script_enabled=False)
    assert page.locator(".scores tbody tr").first.inner_text().split("\t")[:3] == [
        "exact_match",
        "25.0 %",
        "4.6 to 69.9",
    ]
    assert "need JavaScript" in page.locator("noscript").inner_text()


def test_the_data_is_what_the_page_has(ran, opened):
    """A script of one's own reads it from the page."""
    page = opened(ran())
    data = json.loads(page.locator("#data").text_content())
    assert [example["id"] for example in data["runs"][0]["examples"]] == ["a", "b", "c", "d"]
