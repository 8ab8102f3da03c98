"""Thinking in a run: what is read as an answer, what the record and the summary say of it, and what is refused."""

import pytest

import promptkit
from promptkit.align import Answer
from promptkit.errors import DeclarationError, ModelError
from promptkit.generate import Loading, Request, Think
from promptkit.generate.server import ServerModel
from promptkit.report import thinking_lines
from promptkit.run import load, rescore
from promptkit.run.given import read_given
from promptkit.run.store import request_key
from tests.run.sums import folder_of

SUMS = r"""
name: sums
model:
  scripted:
    - {when: '1 \+ 1', completion: "<think>The answer is 5?\n\nNo.</think>\n\nThe answer is 2.\n\nQ: 2 + 9?"}
    - {when: '2 \+ 2', completion: "<think>The answer is 5. So we go on and on.</think>The answer is 4."}
    - {when: '3 \+ 3', completion: "<think>The answer is 6."}
    - {when: '4 \+ 4', completion: "The answer is 8.\n\nQ: 3 + 3?"}
data:
  test:
    rows:
      - {id: a, question: 1 + 1, answer: "2"}
      - {id: b, question: 2 + 2, answer: "4"}
      - {id: c, question: 3 + 3, answer: "6"}
      - {id: d, question: 4 + 4, answer: "8"}
  target: "{{ answer }}"
prompt:
  - query: "Q: {{ question }}?\nA:"
generate: {stop: "\n\n", thinking: 6}
align:
  - reasoning
  - regex: 'answer is (?P<answer>[0-9]+)'
"""


def thought_of(record):
    thought = record.completion.thought
    assert thought is not None
    return thought


def test_an_answer_is_what_follows_the_thinking(write, places):
    """FIELD 3, 11 and 14: a stop in the thinking, a budget that is spent, thinking that never ends, and none at all."""
    done = promptkit.run(write(SUMS), **places)
    assert [(each.answer, each.outcome.status, thought_of(each).state) for each in done.records] == [
        ("2", "answered", "closed"),
        ("4", "answered", "forced"),
        (None, "truncated", "open"),
        ("8", "answered", "none"),
    ]
    assert done.records[1].completion.text == "<think>The answer is 5. So we</think>\n\nThe answer is 4."
    assert done.summary["thinking"] == {"closed": 1, "forced": 1, "open": 1, "none": 1, "mean_tokens": 5.0}
    line = "thinking: closed 1, closed by force 1, never closed 1, none 1; 5.0 tokens on average"
    assert thinking_lines([done.summary]) == [line]
    assert thinking_lines([done.summary, done.summary])[1] == f"sums: {line}"
    rows = done.to_arrow().to_pylist()
    names = ("thinking", "num_thinking_tokens", "num_forced_tokens", "thinking_end")
    assert [rows[1][name] for name in names] == ["forced", 6, 1, 39]


def test_a_file_without_thinking_says_nothing_of_it(write, places):
    """The columns are there, so that runs have one shape."""
    done = promptkit.run(write(SUMS.replace(", thinking: 6", "")), **places)
    assert "thinking" not in done.summary
    assert thinking_lines([done.summary]) == []
    assert {row["thinking"] for row in done.to_arrow().to_pylist()} == {None}


def test_a_stage_may_think(write, places):
    """The summary counts the thinking of all stages; a later one goes on from the whole transcript."""
    head = SUMS.partition("prompt:\n")[0]
    model, _, data = head.partition("data:\n")
    model = model.replace("    - {when: '1", "    - {when: 'So:', completion: ' 7'}\n    - {when: '1")
    stages = "stages:\n  - name: reason\n    if_missing: go_on\n    prompt:\n    - query: 'Q: {{ question }}'\n"
    stages += "    generate: {thinking: 6}\n    align: [reasoning]\n"
    stages += "  - name: say\n    continue: reason\n    prompt:\n    - cue: ' So:'\n    align: [number]\n"
    done = promptkit.run(write(f"{model}data:\n{data}{stages}"), **places)
    assert done.summary["thinking"] == {"closed": 1, "forced": 1, "open": 1, "none": 1, "mean_tokens": 5.0}
    assert [each.answer for each in done.records] == [7, 7, 7, 7]
    assert done.records[2].prompt.endswith("<think>The answer is 6. So:")


def test_a_run_is_scored_again_as_it_was(write, places):
    """Where the answer begins is kept with the row: tags may have no text of their own."""
    done = promptkit.run(write(SUMS), **places)
    again = rescore(folder_of(done)).run
    assert [each.outcome.status for each in again.records] == [each.outcome.status for each in done.records]
    assert again.summary["thinking"] == done.summary["thinking"]


def test_its_rows_are_extracted_as_they_were(write, places):
    """A run is also rows from somewhere: where the answer begins goes with them."""
    done = promptkit.run(
        write(
            SUMS.replace("<think>", "<T>")
            .replace("</think>", "</T>")
            .replace("thinking: 6", "thinking: {budget: 6, open: <T>, close: </T>}")
        ),
        **places,
    )
    given = list(read_given(folder_of(done) / "samples.parquet"))
    chain = load(write(SUMS)).chain
    outcomes = [chain.align(each.text, each.context()) for each in given]
    assert [each.status for each in outcomes] == ["answered", "answered", "truncated", "answered"]
    assert [str(each.value) for each in outcomes if isinstance(each, Answer)] == ["2", "4", "8"]


def test_a_completion_is_kept_with_its_thinking(write, places):
    """A second run takes it from the store, and says the same of it."""
    done = promptkit.run(write(SUMS), **places)
    again = promptkit.run(write(SUMS), **places)
    assert again.summary["completions"]["computed"] == 0
    assert [each.completion for each in again.records] == [each.completion for each in done.records]


def test_two_thinkings_never_share_a_completion():
    """FIELD 6: each of these may give another text."""
    kinds = [
        None,
        Think(),
        Think(budget=4),
        Think(budget=5),
        Think(budget=4, then="</think>"),
        Think(close="</t>"),
        Think(open="<t>"),
        Think(opened=True),
    ]
    keys = {
        request_key(
            {},
            Request(label="x", prompt="", token_ids=(1,), thinking=each.thinking("", 9, None) if each else None),
            0,
        )
        for each in kinds
    }
    assert len(keys) == len(kinds)


def test_a_completion_may_end_with_its_answer_after_the_thinking(write, places):
    """`reasoning` before the pattern keeps it from nothing then: where the thinking ends is known."""
    text = SUMS.replace("thinking: 6", "thinking: 20, stop_when_answered: true")
    done = promptkit.run(write(text), **places)
    assert [(each.answer, each.completion.ended) for each in done.records] == [
        ("2", "answered"),
        ("4", "answered"),
        (None, "eos"),
        ("8", "answered"),
    ]
    assert done.records[0].completion.text == "<think>The answer is 5?\n\nNo.</think>\n\nThe answer is 2."


@pytest.fixture
def refused(write, monkeypatch):
    """What is said of a file."""

    def read(text):
        monkeypatch.chdir(write(text).parent)
        with pytest.raises(DeclarationError) as caught:
            load("sums.yaml")
        return str(caught.value)

    return read


def test_a_chain_that_would_read_the_thinking_is_refused(refused):
    """A thought is no answer (lm-eval PR#3700); `check` says so, before anything runs."""
    assert refused("generate: {thinking: 9}\nalign: [{regex: a}, reasoning]\n") == (
        "sums.yaml:1:22: generate.thinking: `thinking` is declared, and the align chain reads it as a part of the answer\n"
        "    1 | generate: {thinking: 9}\n"
        "                             ^\n"
        "    `- reasoning` as its first step leaves the thinking out, as the ready-made chains do: `use: number`"
    )


@pytest.mark.parametrize(
    "align", ["reasoning", "{use: number}", "[strip, reasoning]", "{first: [[reasoning, number], {use: boxed}]}"]
)
def test_chains_that_leave_it_out_first_are_taken(write, align):
    """The ready-made ones, and one's own."""
    assert load(write(f"generate: {{thinking: {{}}}}\nalign: {align}\n")).generate.thinking == Think()


def test_what_could_never_close_is_refused(refused):
    """A budget would be spent, and the thinking go on as the answer."""
    text = "generate: {thinking: {budget: 9, then: 'So: '}}\nalign: reasoning\n"
    assert refused(text).splitlines()[0] == (
        "sums.yaml:1:40: generate.thinking.then: does not close the thinking: it must hold '</think>'"
    )
    text = "generate: {thinking: {open: '<a>b', close: 'b'}}\nalign: reasoning\n"
    assert refused(text).splitlines()[0] == (
        "sums.yaml:1:44: generate.thinking.close: 'b' stands in '<a>b': the thinking would close where it opens"
    )
    text = "generate: {thinking: 9, constrain: {regex: a, after: '</think>'}}\nalign: reasoning\n"
    assert refused(text).splitlines()[0] == (
        "sums.yaml:1:54: generate.constrain.after: `constrain.after` and `thinking`: the constraint begins where the "
        "thinking ends"
    )


def test_a_server_is_not_asked_to_think(write, places):
    """It could not close a thinking, nor keep stops out of one; told before anything is sent."""
    generator = ServerModel(base_url="http://127.0.0.1:9/v1", name="m").open(Loading())
    thinking = Think().thinking("", 9, None)
    with pytest.raises(ModelError) as caught:
        next(generator.generate([Request(label="x", prompt="", thinking=thinking)]))
    assert str(caught.value) == (
        "model 'm': a server does not part thinking from answer, as `generate.thinking` asks; a model on this machine can"
    )


@pytest.mark.slow
def test_the_default_model_thinks_within_its_budget(write, places, cache):
    """It is no reasoning model, and never closes what the prompt has opened; its answer is whole all the same."""
    text = SUMS[: SUMS.index("model:")] + SUMS[SUMS.index("data:") :]
    text = text.replace("A:", "A: <think>").replace("thinking: 6", "thinking: {budget: 12}, max_new_tokens: 8")
    done = promptkit.run(write(text), **places, dtype="float32", audit=4)
    for each in done.records:
        thought = thought_of(each)
        assert (thought.state, thought.num_tokens) == ("forced", 12)
        assert each.completion.num_new_tokens <= 12 + thought.num_forced + 8
        assert "</think>\n\n" in each.completion.text
    assert done.summary["audit"]["agree"] == 4
