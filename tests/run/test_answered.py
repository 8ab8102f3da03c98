"""`stop_when_answered`: the same answers from fewer tokens, and never another run's completions."""

from dataclasses import replace

import pytest

import promptkit
from promptkit.generate import Loading
from promptkit.run import Selection, load, make_plan, rescore
from tests.run.sums import folder_of

LONG = r"""
name: sums
model:
  scripted:
    - {when: '1 \+ 1', completion: " That makes 2. The answer is 2. And so on.\nQ: 5 + 5?\nA: The answer is 10."}
    - {when: '2 \+ 2', completion: " The answer is 5. No, wait, the answer is 4."}
    - {when: '3 \+ 3', completion: " The answer is unknown. I cannot say more than that."}
    - {when: '4 \+ 4', completion: " The answer is 8"}
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
generate: {stop: "\n\nQ:"}
align:
  - regex: 'answer is (?P<answer>[^\n.]+)'
  - number
"""
STOPPING = LONG.replace('"\\n\\nQ:"}', '"\\n\\nQ:", stop_when_answered: true}')


def read(done):
    """What came of each completion; the ledger says how much of the text there was, and is left out."""
    return [(each.answer, replace(each.outcome, ledger=()), dict(each.scores)) for each in done.records]


def test_answers_are_the_same_and_fewer_tokens_are_written(write, places):
    """That is all that the option may do."""
    whole = promptkit.run(write(LONG), **places)
    short = promptkit.run(write(STOPPING), **places)
    assert read(short) == read(whole)
    assert [each.completion.ended for each in short.records] == ["answered", "answered", "eos", "eos"]
    assert short.records[0].completion.text == " That makes 2. The answer is 2."
    assert short.records[2].completion == whole.records[2].completion
    assert short.summary["timing"]["new_tokens"] < whole.summary["timing"]["new_tokens"]
    assert short.summary["statuses"] == whole.summary["statuses"]


def test_completions_that_ended_so_are_kept_apart(write, places):
    """From whole ones, and from those of another chain or other fields; a second run takes its own."""
    promptkit.run(write(LONG), **places)
    assert promptkit.run(write(STOPPING), **places).summary["completions"]["computed"] == 4
    assert promptkit.run(write(STOPPING), **places).summary["completions"]["computed"] == 0
    assert promptkit.run(write(LONG), **places).summary["completions"]["computed"] == 0
    other = STOPPING.replace("answer is", "Answer is")
    assert promptkit.run(write(other), **places).summary["completions"]["computed"] == 4
    fields = STOPPING.replace("id: a,", "id: a, options: [2, 4],")
    assert promptkit.run(write(fields), **places).summary["completions"]["computed"] == 1


def test_a_request_without_the_option_has_no_rule(write):
    """Keys that were made before the option was there stay as they are."""
    path = write(LONG)
    pipeline = load(path)
    plan = make_plan(pipeline, Selection(), pipeline.declaration.model.open(Loading()))
    assert all((job.request.settled, job.request.until) == (None, "") for job in plan.jobs)


def test_the_rule_reads_the_examples_own_options(write, places):
    """What a letter stands for, and whether it is one, is in the fields."""
    text = STOPPING.replace("  - number\n", "  - choice: {give: text}\n").replace(
        'answer: "2"}', 'answer: "2", options: [1, 2]}'
    )
    text = text.replace('answer: "4"}', 'answer: "5", options: [5, 6]}').replace(
        'answer: "6"}', 'answer: "7", options: [unknown, 7]}'
    )
    text = text.replace('answer: "8"}', 'answer: "8", options: [7, 8]}')
    done = promptkit.run(write(text), **places)
    assert [each.answer for each in done.records] == ["2", "5", "unknown", "8"]
    assert [each.completion.ended for each in done.records] == ["answered", "answered", "answered", "eos"]


def test_another_chain_reads_the_texts_as_they_were_cut(write, places):
    """And what it does not find in them is put down to the cut."""
    done = promptkit.run(write(STOPPING), **places)
    last = load(write(LONG.replace("answer is (", "wait, the answer is ("), name="other.yaml"))
    again = rescore(folder_of(done), last).run
    assert [each.outcome.status for each in again.records] == ["truncated", "truncated", "unparsed", "unparsed"]


@pytest.mark.slow
def test_a_local_model_writes_less_and_answers_the_same(write, places, cache, tiny_model):
    """Random weights write anything: the first run of letters is answer enough."""
    text = LONG.replace(LONG[LONG.index("model:") : LONG.index("data:")], f"model: {tiny_model}\n")
    text = text.replace("answer is (?P<answer>[^\\n.]+)", "(?P<answer>[a-z]{2,})").replace("  - number\n", "")
    text = text.replace("generate: {", "generate: {max_new_tokens: 24, ")
    stopping = text.replace('"\\n\\nQ:"}', '"\\n\\nQ:", stop_when_answered: true}')
    whole = promptkit.run(write(text), **places, dtype="float32")
    short = promptkit.run(write(stopping), **places, dtype="float32")
    assert read(short) == read(whole)
    assert "answered" in {each.completion.ended for each in short.records}
    for one, other in zip(short.records, whole.records, strict=True):
        tokens = one.completion.token_ids
        assert other.completion.token_ids[: len(tokens)] == tokens
        assert other.completion.text.startswith(one.completion.text)
    assert short.summary["timing"]["new_tokens"] < whole.summary["timing"]["new_tokens"]
