"""Pages of small runs on the scripted model, read as a parser of HTML reads them."""

import json
from html.parser import HTMLParser

import pytest

import promptkit
from promptkit.report.page import make_page, page_html
from promptkit.run import Settings, load_sweep, run_sweep
from tests.run.sums import SUMS, folder_of

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)><!-- \u2028 \U0001f600 The answer is <b>5</b>."
SHOTS = SUMS.replace(
    "prompt:\n",
    "  train:\n    rows: [{id: x, question: 5 + 5, answer: '10'}, {id: y, question: 6 + 6, answer: '12'}]\n"
    "prompt:\n"
    '  - demonstrations: {from: train, take: 2, template: "Q: {{ question }}? {{ answer }}\\n"}\n',
)
STAGES = """
name: stages
model:
  scripted:
    - {when: 'so$', completion: " 4."}
    - {when: 'A:$', completion: " 2 and 2"}
data:
  test: {rows: [{id: a, question: 2 + 2, answer: "4"}]}
  target: "{{ answer }}"
stages:
  - name: reason
    prompt: [{query: "Q: {{ question }}\\nA:"}]
  - name: conclude
    continue: reason
    prompt: [{cue: ", so"}]
    align: [number]
"""


class Read(HTMLParser):
    """What a browser would find in a page: its tags with their attributes, its text, and the data that is embedded."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.text, self.scripts = [], "", []
        self.is_script = False
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag == "script":
            self.is_script = True
            self.scripts.append("")

    def handle_endtag(self, tag):
        self.is_script = self.is_script and tag != "script"

    def handle_data(self, data):
        if self.is_script:
            self.scripts[-1] += data
        else:
            self.text += f"{data} "

    @property
    def data(self):
        """The embedded data."""
        return json.loads(self.scripts[0])


@pytest.fixture
def ran(tmp_path):
    """A function that runs the sums, changed as the pairs say; the folder of the run."""

    def run(*changes, text=SUMS, **more):
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        file = tmp_path / "sums.yaml"
        file.write_text(text, encoding="utf-8")
        return folder_of(promptkit.run(file, out=tmp_path / "runs", store=tmp_path / "store.sqlite", **more))

    return run


@pytest.fixture
def swept(tmp_path):
    """The folder of a sweep of the sums over two demonstrations, one, and none."""
    file = tmp_path / "shots.yaml"
    file.write_text(f"{SHOTS}matrix: {{prompt.demonstrations.take: [2, 1, 0]}}\n", encoding="utf-8")
    sweep = load_sweep(file)
    assert sweep is not None
    return folder_of(run_sweep(sweep, Settings(out=tmp_path / "runs", store=tmp_path / "store.sqlite")))


@pytest.fixture
def read():
    """A function that reads the page of some runs."""

    def read(*folders, **more):
        return Read(page_html(make_page(folders, **more)))

    return read


def prompt_of(data, call):
    """The text of a call's prompt, put together from what prompts share."""
    return "".join(data["texts"][number] for number in data["prompts"][call["prompt"]][::2])


def yaml_text(text):
    """A text as a file holds it."""
    return json.dumps(text, ensure_ascii=False).replace("\u2028", "\\u2028")
