"""Weighed scores in a run: what is asked, what is kept, what is said, and the same again without the model."""

import json
from io import StringIO

import pyarrow.parquet as pq
import pytest

import promptkit
from promptkit.errors import DataError, DeclarationError, RunError
from promptkit.report import card_view, explain_view, runs_table
from promptkit.run import check_examples, explain_run, load, make_card, rescore
from tests.run.doubles import begin
from tests.run.sums import folder_of

# p of pos is 0.9 for what is good, 0.7 for what is bad, 0.8 for nothing: 0.7 / 0.8 < 0.3 / 0.2
CHOICE = """
name: choice
model:
  scripted:
    - {when: 'good\\nIt', completion: pos, scores: {pos: -0.105, neg: -2.303}}
    - {when: 'bad\\nIt', completion: pos, scores: {pos: -0.357, neg: -1.204}}
    - {when: '(N/A|\\[MASK\\]|: )\\nIt', completion: pos, scores: {pos: -0.223, neg: -1.609}}
    - {when: '^It', completion: pos, scores: {pos: -0.223, neg: -1.609}}
    - {when: '', completion: pos, scores: {pos: -0.511, neg: -0.916}}
data:
  test:
    rows:
      - {id: a, text: good, label: pos}
      - {id: b, text: bad, label: neg}
      - {id: c, text: bad, label: pos}
  train:
    rows:
      - {id: t, text: good, label: pos}
      - {id: u, text: bad, label: neg}
  target: "{{ label }}"
prompt:
  - demonstrations: {from: train, take: 1, template: "Say: {{ text }}, {{ label }}\\n"}
  - query: "Say: {{ text }}\\nIt is"
choose: {options: [pos, neg]}
align: [contextual]
"""
MAPPED = """
name: mapped
model:
  scripted:
    - {when: 'fine', completion: great, scores: {great: -0.3, fair: -1.5, awful: -3.5}}
    - {when: 'so', completion: great, scores: {great: -0.6, fair: -1.0, awful: -2.5}}
    - {when: 'dull', completion: great, scores: {great: -1.2, fair: -0.7, awful: -1.5}}
data:
  test: {rows: [{id: a, text: fine, label: 1}, {id: b, text: dull, label: 0}, {id: c, text: dull, label: 1}]}
  train: {rows: [{id: t, text: fine, label: 1}, {id: u, text: dull, label: 0}, {id: v, text: so, label: 1}]}
  target: "{{ label }}"
prompt: [query: "Say: {{ text }}. It is"]
choose: {options: [great, fair, awful]}
align:
  - label_map: {method: bayesian, to: [0, 1]}
"""


def answers(run):
    return [each.answer for each in run.records]


def outcomes(run):
    return [(each.id, each.outcome, dict(each.scores), each.calibrated) for each in run.records]


def test_a_calibrated_answer_is_what_is_scored(write, places):
    """The option of the highest calibrated probability; and what it was before stands beside it."""
    done = promptkit.run(write(CHOICE), **places)
    assert answers(done) == ["pos", "neg", "neg"]
    assert [each.completion.text for each in done.records] == ["pos", "pos", "pos"]
    assert done.records[1].outcome.step == "align[0].contextual"
    calibration = done.summary["calibration"]
    assert (calibration["kind"], calibration["num_rows"], calibration["num_fitted"]) == ("contextual", 3, 0)
    assert calibration["before"]["scores"]["accuracy"]["value"] == pytest.approx(2 / 3)
    assert calibration["after"]["scores"] == done.scores
    assert calibration["before"]["ece"] == pytest.approx((abs(0.9 - 1) + abs(0.7 + 0.7 - 1)) / 3, abs=1e-3)
    assert calibration["after"]["ece"] == done.summary["confidence"]["ece"]


def test_what_is_asked_beside_is_the_same_prompt_without_content(write, places):
    """Below the same demonstrations; equal prompts are asked once, and b, whose twin is a demonstration, has another."""
    done = promptkit.run(write(CHOICE), **places)
    keys = [json.loads(each)["fields"] for each in done.records[0].asked]
    assert keys == [{"text": "N/A"}, {"text": "[MASK]"}, {"text": ""}]
    rows = pq.read_table(folder_of(done) / "samples.parquet").to_pylist()
    assert [each["asked"] for each in rows[0]["asked"]] == list(done.records[0].asked)
    assert rows[1]["uncalibrated"] == '"pos"'
    assert rows[1]["uncalibrated.score.accuracy"] == 0
    assert [(each["value"], round(each["before"], 2)) for each in rows[1]["calibrated"]] == [
        ("pos", 0.7),
        ("neg", 0.3),
    ]


@pytest.mark.parametrize("step", ["contextual", "domain_context: 3", "pmi: 'It is'", "batch", "batch: 0.5"])
def test_a_calibrated_run_scored_again_is_the_run(write, places, step):
    """All that it was made of is kept."""
    done = promptkit.run(write(CHOICE.replace("contextual", step)), **places)
    again = rescore(folder_of(done))
    assert outcomes(again.run) == outcomes(done)
    assert again.run.summary["calibration"] == done.summary["calibration"]
    assert again.changed == ()


def test_other_calibrations_are_tried_without_the_model(write, places):
    """Batch needs no more than the scores; fewer inputs than were asked are fine; none is the answer as it was."""
    done = promptkit.run(write(CHOICE), **places)
    for step, expected in (("batch", "neg"), ("contextual: {inputs: N/A}", "neg"), ("strip", "pos")):
        again = rescore(folder_of(done), load(write(f"align: [{step}]", "other.yaml")))
        assert answers(again.run)[1] == expected
    assert "calibration" not in again.run.summary


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("contextual: {inputs: [nothing]}", '{"fields": {"text": "nothing"}}'),
        ("contextual: {fields: label}", '{"fields": {"label": "N/A"}}'),
        ("pmi: 'It is'", '{"prompt": "It is"}'),
    ],
)
def test_what_was_not_asked_is_one_error(write, places, step, said):
    """It says what, and how to have it."""
    done = promptkit.run(write(CHOICE), **places)
    with pytest.raises(RunError) as caught:
        rescore(folder_of(done), load(write(f"align: [{step}]", "other.yaml")))
    assert str(caught.value) == (
        f"{step.partition(':')[0]}: for example 'a' (data.test.rows[0]) the run did not ask the model about {said}\n"
        "    run the pipeline with this step in its `align`: then it is asked, and kept for other steps like it"
    )


def test_a_run_that_asked_nothing_says_so(write, places):
    """A plain run can be tried with `batch` alone."""
    done = promptkit.run(write(CHOICE.replace("contextual", "strip")), **places)
    with pytest.raises(RunError, match="the run did not ask the model about inputs without content"):
        rescore(folder_of(done), load(write("align: [contextual]", "other.yaml")))
    with pytest.raises(RunError, match="label_map: the run asked the model about no solved rows"):
        rescore(folder_of(done), load(write("align: [label_map]", "map.yaml")))


def test_unconditional_scores_are_kept_and_are_not_calibrated_twice(write, places):
    """`normalize: unconditional` chooses as `pmi` does; a tie in its scores is found again."""
    text = CHOICE.replace(
        "options: [pos, neg]", "options: [pos, neg], normalize: unconditional, unconditional_prompt: It is"
    )
    done = promptkit.run(write(text.replace("[contextual]", "[strip]")), **places)
    other = promptkit.run(write(CHOICE.replace("contextual", "pmi: It is")), **places)
    assert answers(done) == answers(other) == ["pos", "neg", "neg"]
    assert outcomes(rescore(folder_of(done)).run) == outcomes(done)
    with pytest.raises(RunError) as caught:
        rescore(folder_of(done), load(write("align: [batch]", "other.yaml")))
    assert str(caught.value) == "batch: the run has `normalize: unconditional`, and both calibrate"


def test_options_that_differ_by_row_are_calibrated_each_by_itself(write, places):
    """Contextual asks for each row's own; batch goes by position, where all have as many."""
    text = CHOICE.replace("label: pos}", "label: pos, options: [pos, neg]}", 1).replace(
        "label: neg}", "label: neg, options: [neg, pos]}", 1
    )
    text = text.replace("      - {id: c, text: bad, label: pos}\n", "").replace(
        "[pos, neg]}\nalign", '"{{ options }}"}\nalign'
    )
    assert answers(promptkit.run(write(text), **places)) == ["pos", "neg"]
    ragged = text.replace("[neg, pos]", "[neg, pos, so]").replace("contextual", "batch")
    with pytest.raises(RunError, match="options are compared by their position"):
        promptkit.run(write(ragged), **places)


def test_the_limit_changes_what_is_fitted_to_all_rows(write, places):
    """And the summary says to how many."""
    text = CHOICE.replace("contextual", "batch")
    assert promptkit.run(write(text), **places).summary["calibration"]["num_fitted"] == 3
    assert promptkit.run(write(text), **places, limit=2).summary["calibration"]["num_fitted"] == 2


def test_a_label_map_is_fitted_on_the_training_rows(write, places):
    """Words great, great, fair for 1, 1, 0: fair is 0's word though the model never says it of a target."""
    done = promptkit.run(write(MAPPED), **places)
    assert answers(done) == [1, 0, 0]
    calibration = done.summary["calibration"]
    # counts great (0, 2), fair (1, 0): shares (0, 2/3), (1/2, 0); each column over its own sum
    assert calibration["parameters"] == {
        "options": ["great", "fair", "awful"],
        "targets": [0, 1],
        "weights": [[0, 1], [1, 0], [0, 0]],
    }
    assert (calibration["num_fitted"], calibration["num_parameters"], calibration["before"]) == (3, 6, None)
    assert done.summary["num_examples"] == 3
    assert done.summary["completions"] == {"computed": 6, "from_store": 0}
    assert [each.id for each in done.fitting] == ["t", "u", "v"]
    again = rescore(folder_of(done))
    assert outcomes(again.run) == outcomes(done)
    by_word = load(write("align: [label_map: {method: frequency, take: 2}]", "other.yaml"))
    assert rescore(folder_of(done), by_word).run.summary["calibration"]["num_fitted"] == 2


def test_training_rows_are_not_shown_to_themselves(write, places):
    """The demonstrations leave a row out when it is asked about, whether it is fitted on or scored."""
    shown = "prompt: [demonstrations: {from: train, take: 2, template: '{{ text }} {{ label }}. '}, query"
    done = promptkit.run(write(MAPPED.replace("prompt: [query", shown)), **places)
    assert [each.prompt.partition("Say")[0] for each in done.fitting] == [
        "dull 0. so 1. ",
        "fine 1. so 1. ",
        "fine 1. dull 0. ",
    ]


def test_the_card_counts_what_is_learned(write):
    """A weight for each word and target; a number for each option; what only the data says is not counted."""
    assert make_card(load(write(MAPPED)), None).num_learned_parameters == 6
    batch = load(write(CHOICE.replace("contextual", "batch")))
    assert make_card(batch, None).num_learned_parameters == 2
    assert make_card(load(write(CHOICE)), None).num_learned_parameters == 0
    unknown = make_card(load(write(MAPPED.replace(", to: [0, 1]", ""))), None)
    assert unknown.rows[-1].num_parameters is None
    assert "learns 0 parameters and those that the data decides" in shown(card_view(unknown))


def shown(view, width=200):
    from rich.console import Console

    console = Console(width=width, record=True, file=StringIO())
    console.print(view)
    return console.export_text()


def test_the_table_shows_before_and_after(write, places):
    """A line for each, with the calibration error."""
    done = promptkit.run(write(CHOICE), **places)
    for width in (200, 60):
        text = shown(runs_table([done.summary]), width)
        assert "choice, as scored" in text
        assert "choice, contextual" in text
        assert "ECE" in text


def test_a_row_is_explained_before_and_after(write, places):
    """In one line; and the ledger shows the step."""
    done = promptkit.run(write(CHOICE), **places)
    view = shown(explain_view(explain_run(folder_of(done), "b")))
    assert "pos 0.700 before, neg 0.632 after" in view
    assert "align[0].contextual" in view
    mapped = promptkit.run(write(MAPPED), **places)
    assert "1 0.769" in shown(explain_view(explain_run(folder_of(mapped), "a")))


def test_examples_of_a_calibrated_pipeline_are_checked(write):
    """Nobody scored their completions: the calibration lets them pass."""
    text = CHOICE + "examples: [{completion: pos, answer: pos}]\n"
    assert check_examples(load(write(text))) == []


def test_a_target_that_is_no_target_of_the_map_is_an_error(write, places):
    """Before anything is computed."""
    with pytest.raises(DataError) as caught:
        begin(write(MAPPED.replace("label: 0}", "label: 2}", 1)), places)
    assert str(caught.value) == (
        "data.test.rows[1]: no completion could give the target 2: 2 is none of the targets 0, 1"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            CHOICE.replace("[contextual]", "[contextual: {fields: review}]"),
            "data.test.rows[0]: contextual: there is no field 'review' to replace\n    known: id, label, text",
        ),
        (
            CHOICE.replace('query: "Say: {{ text }}', 'query: "Say: it'),
            "contextual: `query` takes no text from the examples that could be replaced\n    `fields` names what is",
        ),
    ],
)
def test_there_must_be_something_to_replace(write, places, text, message):
    """Before anything is computed."""
    with pytest.raises(DataError) as caught:
        begin(write(text), places)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("align: [strip, batch]", "align[1]: `batch` weighs the scores of options, and is the first step"),
        ("align: [first: [batch, strip]]", "align[0]: `batch` stands in `align` itself, not inside `first`"),
        (
            "generate: {}\nalign: [batch]",
            "align[0]: `batch` weighs the scores of `choose`'s options, and there is no `choose`",
        ),
        (
            "choose: {options: [a, b], normalize: unconditional, unconditional_prompt: It}\nalign: [batch]",
            "align[0]: `batch` and `normalize: unconditional` both calibrate",
        ),
        (
            "choose: {options: [a, b]}\nalign: [batch, linear: {classes: [a, b], weights: [[1, 0], [0, 1]], bias: [0, 0]}]",
            "align[1]: `batch` and `linear` both read the scores of the options, and one of them answers",
        ),
        (
            'choose: {options: "{{ options }}"}\nalign: [label_map]',
            "align[0]: `label_map` maps words that are the same for all rows",
        ),
        (
            "choose: {options: [a, b]}\nalign: [label_map: {method: frequency, to: [x, y, z]}]",
            "align[0]: 3 targets need a word each, and `choose` has 2 options",
        ),
        ("align: [label_map: {to: [x, x]}]", "align[0].label_map.to: a target stands there twice"),
        (
            "stages: [{name: one, prompt: [query: A], choose: {options: [a, b]}, align: [label_map]}]",
            "stages[0].align[0]: `label_map` is fitted on solved rows, and only the rows of the run go through stages",
        ),
    ],
)
def test_a_step_that_could_never_weigh_is_a_mistake(write, text, message):
    """At its place in the file."""
    with pytest.raises(DeclarationError) as caught:
        load(write(text, "pipe.yaml"))
    assert message in str(caught.value)


@pytest.mark.slow
@pytest.mark.parametrize("step", ["contextual", "domain_context: 2", "batch", "prototypical", "pmi: 'Sentiment:'"])
def test_the_default_model_is_calibrated_and_scored_again(write, places, step):
    """Real scores, four shots that end with one label; three content-free prompts are asked once for all rows."""
    text = f"extends: sentiment\nalign: [{step}]\n"
    done = promptkit.run(load(write(text), overrides=["prompt.demonstrations.take=4"]), **places, limit=12)
    weighed = [each.calibrated.weighed for each in done.records if each.calibrated]
    assert [sum(each.probabilities) for each in weighed] == pytest.approx([1] * 12)
    assert done.summary["calibration"]["num_rows"] == 12
    again = rescore(folder_of(done))
    assert outcomes(again.run) == outcomes(done)
    before = promptkit.run(
        load(write("extends: sentiment\n"), overrides=["prompt.demonstrations.take=4"]), **places, limit=12
    )
    assert done.summary["calibration"]["before"]["scores"] == before.scores
    assert before.summary["completions"]["from_store"] == 12
