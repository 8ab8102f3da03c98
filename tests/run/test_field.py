"""What hurt people most elsewhere, as they would meet it here: extraction, silence, thinking, cuts, stops, verifiers.

The numbers of threads are those in which they told of it.
"""

import json
import threading

import pytest

import promptkit
from promptkit.align import Answer, Context, NoAnswer
from promptkit.align.expression import Expression
from promptkit.errors import PromptTooLong
from promptkit.generate import Loading
from promptkit.run import Selection, SweepRun, compare_runs, load, make_plan
from promptkit.score import ExactMatch, is_same
from tests.run.sums import folder_of

PIPELINE = """
model: {{scripted: [{{when: "{question}", completion: {completion}, ended: {ended}}}]}}
data: {{test: {{rows: [{{id: a, question: "{question}"}}]}}, target: "{target}"}}
prompt: [{{query: "Q: {{{{ question }}}}\\nA:"}}]
align: {{use: {use}}}
"""


@pytest.fixture
def ran(write, places):
    """A run of one row, whose completion is written down."""

    def run(completion, use="number", target="29", ended="eos", question="what"):
        text = PIPELINE.format(
            completion=json.dumps(completion), use=use, target=target, ended=ended, question=question
        )
        return promptkit.run(write(text), **places)

    return run


def test_what_is_right_is_not_graded_wrong_for_its_spelling(ran):
    """lm-eval#3214: `$29.00` against 29."""
    for completion in ("The answer is $29.00.", "So it costs **29 dollars**", "#### 29", "The answer is 29.0"):
        assert ran(completion).scores["exact_match"]["value"] == 1


def test_what_cannot_be_read_is_told_apart_from_what_is_wrong(ran):
    """lm-eval#4007: 2,936 of 4,524 tasks cannot. Both score 0; only one of them has an answer."""
    wrong, unread = ran("The answer is 30."), ran("I would rather not say.")
    assert [each.scores["exact_match"]["value"] for each in (wrong, unread)] == [0, 0]
    assert [each.summary["statuses"]["answered"] for each in (wrong, unread)] == [1, 0]
    assert wrong.scores["exact_match"]["answered"]["num"] == 1
    assert unread.scores["exact_match"]["answered"]["num"] == 0
    assert isinstance(unread.records[0].outcome, NoAnswer)
    assert unread.records[0].outcome.reason


@pytest.mark.parametrize(
    ("prompt", "completion", "answer"),
    [
        ("Q: 2 + 2?<think>\n", "The answer is 5? No.</think>The answer is 4.", 4),
        ("Q: 2 + 2?<think>\n", "The answer is 5? No, the answer is", None),
        ("Q: 2 + 2?", "<think>The answer is 5.", None),
        ("Q: 2 + 2?", "<think>The answer is 5.</think>", None),
    ],
)
def test_an_answer_is_never_read_out_of_the_thinking(prompt, completion, answer):
    """lm-eval PR#3675, PR#3700, #3403: opened in the prompt, never closed, matched inside."""
    outcome = load("number").chain.align(completion, Context(prompt=prompt))
    assert (outcome.value if isinstance(outcome, Answer) else None) == answer


def test_a_cut_completion_is_counted_by_itself(ran):
    """lm-eval#3400: elsewhere a fifth to a third were cut, and nothing said so."""
    done = ran("There are 12 of them, and 17 more make 2", ended="length")
    assert done.summary["statuses"]["truncated"] == 1
    assert done.summary["status_rates"]["truncated"] == 1


def test_a_question_that_is_said_again_costs_no_answer(ran):
    """FIELD 11: stops such as `Question:` kill models that restate the question. Cutting afterwards knows which it is."""
    assert ran("Question: what\nAnswer: 29").scores["exact_match"]["value"] == 1
    assert ran("It costs 29.\n\nQ: And two of them?\nA: The answer is 58.").scores["exact_match"]["value"] == 1


def test_formulas_are_compared_off_the_main_thread():
    """Math-Verify#50, #55: time-outs by signals die there. A hostile formula beside it costs its own time alone."""
    results = []

    def compare():
        results.append(is_same(Expression("x+x"), Expression("2x")))

    threads = [threading.Thread(target=compare) for _ in range(2)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert results == [True, True]


def test_equal_answers_in_other_words_agree_everywhere():
    """0.5, 1/2 and a box are one answer, for the score as for a vote."""
    for text in ("0.5", "The answer is 1/2.", r"$\boxed{\frac{1}{2}}$"):
        outcome = load("number").chain.align(text)
        assert isinstance(outcome, Answer)
        assert ExactMatch()(outcome.value, 0.5) == 1


LEAKING = """
model: {scripted: {default: "no"}}
data:
  test: {files: rows.jsonl}
  target: "{{ answer }}"
prompt:
  - instruction: "Answer.\\n"
  - demonstrations: {from: test, template: "Q: {{ question }}\\nA: {{ answer }}\\n"}
  - query: "Q: {{ question }}\\nA:"
"""
STORY = (
    "{} went to the market with a basket of apples, sold most of them before noon, and gave the rest to the children who "
    "helped to carry the basket. What did {} bring home in the evening?"
)


def test_no_example_is_shown_its_own_answer(write, places, tmp_path):
    """lm-eval#4145: the gold answer stood among the demonstrations, the row itself or one that says the same."""
    asked = ["Who was it?", "who WAS it", STORY.format("Anna", "she"), STORY.format("Anne", "she"), "What is red?"]
    rows = [{"id": f"r{number}", "question": text, "answer": f"gold {number}"} for number, text in enumerate(asked)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = promptkit.run(write(LEAKING), **places)
    twins = {0: 1, 1: 0, 2: 3, 3: 2, 4: None}
    for number, record in enumerate(done.records):
        assert f"gold {number}" not in record.prompt
        assert f"gold {twins[number]}" not in record.prompt
        assert len(record.shown.ids) == (4 if twins[number] is None else 3)
        assert "itself" in [each.why for each in record.shown.left_out]


def test_the_instruction_is_never_what_makes_room(write, tiny_model, tmp_path):
    """lm-eval#1426: cutting from the left ate it. Whole demonstrations go, or the run does not begin."""
    rows = [{"id": f"r{number}", "question": "so " * 9 + str(number), "answer": "x"} for number in range(12)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    text = LEAKING.replace('{scripted: {default: "no"}}', str(tiny_model)) + "generate: {max_new_tokens: 20}\n"
    refused = load(write(text))
    model = refused.declaration.model.open(Loading())
    plan = make_plan(refused, Selection(), model)
    assert all(len(job.request.token_ids) > 256 for job in plan.jobs)
    with pytest.raises(PromptTooLong, match="nothing was cut"):
        next(model.generate([job.request for job in plan.jobs]))
    for job in make_plan(load(write(text.replace("from: test", "from: test, fit: first"))), Selection(), model).jobs:
        assert len(job.request.token_ids) + 20 <= 256
        assert job.prompt.text.startswith("Answer.\nQ: so")
        assert len(job.prompt.shown.ids) + len(job.prompt.shown.dropped) == 11


STAGED = """
name: staged
model:
  scripted:
    - {when: "yes or no:$", completion: " no"}
    - {when: "tall", completion: " It is 3 m tall."}
data: {test: {rows: [{id: a, question: "How tall?"}]}}
stages:
  - {name: say, prompt: [{query: "{{ question }}"}]}
  - {name: judge, prompt: [{query: "{{ stages.say.text }} True, yes or no:"}], align: [strip]}
"""


def test_a_prompt_may_hold_what_the_model_wrote_before(write, places):
    """lm-eval#2317, #2179: open for years; a second call was a second script."""
    record = promptkit.run(write(STAGED), **places).records[0]
    assert (record.prompt, record.answer) == (" It is 3 m tall. True, yes or no:", "no")
    assert [each["stage"] for each in record.stages] == ["say", "judge"]


SEEDS = """
name: seeds
model:
  scripted:
    - {when: "wrong.\\\\n.*$", completion: " no"}
    - {when: "right.\\\\n.*$", completion: " yes"}
data:
  test: {rows: [{id: a, q: one, a: "yes"}, {id: b, q: two, a: "yes"}]}
  train: {rows: [{id: r, q: right., a: ""}, {id: w, q: wrong., a: ""}]}
  target: "{{ a }}"
prompt:
  - demonstrations: {from: train, take: 1, select: random, template: "{{ q }}\\n"}
  - query: "{{ q }}:"
align: [strip]
matrix: {prompt.demonstrations.seed: [0, 1, 2, 3, 4, 5]}
"""


def test_the_spread_over_draws_of_demonstrations_is_no_secret(write, places):
    """lm-eval#1388, #2656: one draw was reported, with an error that knows the examples alone."""
    done = promptkit.run(write(SEEDS), **places)
    assert isinstance(done, SweepRun)
    values = [cell.scores["exact_match"]["value"] for cell in done.cells]
    assert set(values) == {0.0, 1.0}, "another draw is another score, or nothing is shown"
    (over,) = done.summary["over_seeds"]
    score = over["scores"]["exact_match"]
    assert (score["num"], score["value"]) == (6, pytest.approx(sum(values) / 6))
    assert score["deviation"] > 0.4
    assert score["high"] - score["low"] > score["over_examples"]["high"] - score["over_examples"]["low"]


HALVES = """
name: halves
model:
  scripted: {rules: [{when: "[RIGHT]$", completion: "yes"}], default: "no"}
data: {test: {files: rows.jsonl}, target: "yes"}
prompt: [{query: "{{ q }}"}]
align: [strip]
"""


def test_two_runs_are_compared_example_by_example(write, places, tmp_path):
    """lm-eval#3831, PR#3868: the errors of two means hide what the pairs show. Seven rows were won, and none was lost."""
    rows = [{"id": f"r{number}", "q": "abcdefgh"[number % 8]} for number in range(56)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    one, other = (promptkit.run(write(HALVES.replace("RIGHT", right)), **places) for right in ("a-d", "a-e"))
    low, high = other.scores["exact_match"]["low"], one.scores["exact_match"]["high"]
    assert low < high, "the intervals of the two overlap"
    (pair,) = compare_runs([folder_of(one), folder_of(other)]).pairs
    found = pair.metrics["exact_match"]
    assert (found.num_better, found.num_worse, found.p_value) == (7, 0, 2 / 2**7)
    assert found.low is not None
    assert found.low > 0
    assert {flip.cause for flip in pair.flips} == {"generation"}
