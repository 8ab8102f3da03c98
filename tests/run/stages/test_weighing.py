"""Options weighed inside stages: the rows of one call together, kept, summed up, and the same again without the model."""

import json

import pytest

import promptkit
from promptkit.errors import DataError, DeclarationError, RunError
from promptkit.report import explain_view, stages_view
from promptkit.run import explain_run, load, make_card, rescore
from tests.run.doubles import begin
from tests.run.sums import folder_of
from tests.run.test_weighing import answers, outcomes, shown

# after what was thought, p of pos is 0.9 for what is good, 0.7 for what is bad: 0.7 / 0.767 < 0.3 / 0.233
PICK = r"""
name: pick
model:
  scripted:
    - {when: 'Think of good:$', completion: " Fine."}
    - {when: 'Think of bad:$', completion: " Awful."}
    - {when: 'Fine\. It is$', completion: pos, scores: {pos: -0.105, neg: -2.303}}
    - {when: 'Awful\. It is$', completion: pos, scores: {pos: -0.357, neg: -1.204}}
    - {when: '^(It|good|bad) is$', completion: pos, scores: {pos: -0.223, neg: -1.609}}
    - {when: 'neg, since$', completion: " it is sad."}
    - {when: 'pos, since$', completion: " it is nice."}
data:
  test:
    rows:
      - {id: a, text: good, label: pos}
      - {id: b, text: bad, label: neg}
      - {id: c, text: bad, label: pos}
  target: "{{ label }}"
stages:
  - name: think
    prompt: [query: "Think of {{ text }}:"]
  - name: pick
    continue: think
    prompt: [cue: " It is"]
    choose: {options: [pos, neg], lead: " "}
    align: [batch]
"""
STAYS = (
    "asks this stage's prompt with the text that its `query` takes from the example replaced, "
    "and what earlier stages wrote would stay in it"
)
MORE = r"""
  - name: why
    continue: pick
    prompt: [cue: ", since"]
"""


@pytest.mark.parametrize("step", ["batch", "pmi: 'It is'"])
def test_the_rows_of_a_stage_are_weighed_together(write, places, step):
    """A stage that chooses after a chain of thought is calibrated as one that chooses at once."""
    done = promptkit.run(write(PICK.replace("[batch]", f"[{step}]")), **places)
    assert answers(done) == ["pos", "neg", "neg"]
    assert [each.completion.text for each in done.records] == ["pos", "pos", "pos"]
    found = done.summary["stages"]["pick"]["calibration"]
    assert (found["kind"], found["num_rows"], len(found["calls"])) == (step.partition(":")[0], 3, 1)
    assert found["before"]["scores"]["accuracy"]["value"] == pytest.approx(2 / 3)
    assert found["after"]["scores"] == done.scores
    assert found["after"]["ece"] > 0
    assert "calibration" not in done.summary["stages"]["think"]


def test_what_a_stage_is_fitted_to_is_as_in_a_pipeline_of_its_own(write, places):
    """The mean of its rows' probabilities, each over their sum."""
    done = promptkit.run(write(PICK), **places)
    (call,) = done.summary["stages"]["pick"]["calibration"]["calls"]
    assert (call["num_rows"], call["num_fitted"], call["num_parameters"]) == (3, 3, 2)
    assert call["parameters"]["mean_probabilities"] == pytest.approx(
        [(0.9 + 0.7 + 0.7) / 3, (0.1 + 0.3 + 0.3) / 3], abs=1e-3
    )


def test_a_later_stage_goes_on_from_the_option_that_won(write, places):
    """The transcript holds the answer, and the record what the scores alone would have said."""
    done = promptkit.run(write(PICK + MORE), **places)
    assert [each.completion.text for each in done.records] == [" it is nice.", " it is sad.", " it is sad."]
    assert done.records[1].prompt == "Think of bad: Awful. It is neg, since"
    kept = done.records[1].stages[1]
    assert (kept["completion"], kept["answer"], kept["uncalibrated"], kept["uncalibrated_status"]) == (
        "pos",
        "neg",
        "pos",
        "answered",
    )
    assert kept["call"] == 0
    assert [each["text"] for each in kept["options"]] == ["pos", "neg"]
    found = done.summary["stages"]["pick"]["calibration"]
    assert found["after"] == {"statuses": {"answered": 3, "unparsed": 0, "truncated": 0, "ambiguous": 0, "empty": 0}}


PLAIN = (
    PICK.replace("    continue: think\n", "")
    .replace('cue: " It is"', 'query: "{{ text }} is"')
    .replace("[batch]", "[contextual]")
)
PLAIN = (
    PLAIN.replace("^(It|good|bad)", r"^(N/A|\[MASK\]|)").replace(r"Fine\. It", "^good").replace(r"Awful\. It", "^bad")
)


@pytest.mark.parametrize("step", ["contextual", "domain_context: 3"])
def test_a_stage_that_sees_no_earlier_one_is_asked_without_content(write, places, step):
    """The fields that its own query takes are what is replaced; as in a pipeline without stages."""
    text = PLAIN.replace("[contextual]", f"[{step}]")
    if step != "contextual":
        text = text.replace(r"^(N/A|\[MASK\]|) is$", "^(good|bad) is$")
    done = promptkit.run(write(text), **places)
    assert {tuple(json.loads(each)["fields"]) for each in done.records[0].asked} == {("text",)}
    assert answers(done) == ["pos", "neg", "neg"]
    alone = (
        text[: text.index("stages:")]
        + text[text.index('    prompt: [query: "{{ text }} is') :].replace("\n    ", "\n").lstrip()
    )
    single = promptkit.run(write(alone, "alone.yaml"), **places)
    weighed = [[each.calibrated and each.calibrated.weighed for each in run.records] for run in (done, single)]
    assert weighed[0] == weighed[1]
    assert done.summary["stages"]["pick"]["calibration"]["after"]["ece"] == single.summary["confidence"]["ece"]


LOOP = PICK.replace("    prompt: [cue", "    when: '{{ round == 0 or text == \"bad\" }}'\n    prompt: [cue")
LOOP = (
    LOOP[: LOOP.index("  - name: think")]
    + "  - repeat: {max: 2}\n    stages:\n"
    + "".join(f"    {line}\n" for line in LOOP[LOOP.index("  - name: think") :].splitlines())
)
OPEN = PICK.replace("align: [batch]", "align: [batch]\n    answers: true\n    if_missing: go_on") + MORE.replace(
    "    prompt", "    answers: true\n    when: '{{ id == \"a\" }}'\n    prompt"
)


def test_rounds_are_weighed_apart(write, places):
    """Each call of a loop is one batch: its rows are those for which the stage ran."""
    done = promptkit.run(write(LOOP), **places)
    calls = done.summary["stages"]["pick"]["calibration"]["calls"]
    assert [(each["num_rows"], each["num_fitted"]) for each in calls] == [(3, 3), (2, 2)]
    assert [each["call"] for each in done.records[1].stages if each["stage"] == "pick"] == [0, 1]
    assert done.records[1].outcome.status == "ambiguous"  # two rows alike: over their mean, both are even


TEXTS = {
    "batch": PICK,
    "pmi": PICK.replace("[batch]", "[pmi: 'It is']"),
    "pmi_of_a_stage": PICK.replace("[batch]", "[pmi: '{{ stages.think.text | length and \"It\" }} is']"),
    "contextual": PLAIN,
    "domain_context": PLAIN.replace("[contextual]", "[domain_context: 3]").replace(r"^(N/A|\[MASK\]|)", "^(good|bad)"),
    "not_last": PICK + MORE,
    "loop": LOOP,
    "some": OPEN,
}


@pytest.mark.parametrize("name", TEXTS)
def test_a_run_scored_again_is_the_run(write, places, name):
    """All that was weighed is kept, of rows that other stages answer too."""
    done = promptkit.run(write(TEXTS[name]), **places)
    again = rescore(folder_of(done))
    assert outcomes(again.run) == outcomes(done)
    assert again.run.summary["stages"] == done.summary["stages"]
    assert again.changed == ()


def test_rows_answered_by_different_stages_keep_what_each_needs(write, places):
    """The first row, answered by another stage, has no options; those of the others stand in the table all the same."""
    done = promptkit.run(write(OPEN), **places)
    assert [each.stage for each in done.records] == ["why", "pick", "pick"]
    frame = done.to_pandas()
    assert frame["uncalibrated_status"].fillna("none").tolist() == ["none", "answered", "answered"]
    assert done.summary["stages"]["pick"]["calibration"]["calls"][0]["num_rows"] == 3
    assert "calibrated" not in shown(explain_view(explain_run(folder_of(done), "a")))
    assert "pos 0.700 before" in shown(explain_view(explain_run(folder_of(done), "b")))


def test_calibrations_are_tried_on_a_run_of_stages_without_the_model(write, places):
    """By a file with stages, or by a chain alone; what was not asked is said."""
    done = promptkit.run(write(PICK.replace("    align: [batch]\n", "")), **places)
    by_stages = rescore(folder_of(done), load(write(PICK, "other.yaml")))
    assert answers(by_stages.run) == ["pos", "neg", "neg"]
    assert by_stages.changed == ("b", "c")
    assert by_stages.run.summary["stages"]["pick"]["statuses"]["answered"] == 3
    by_chain = rescore(folder_of(done), load(write("align: [batch]", "chain.yaml")))
    assert answers(by_chain.run) == ["pos", "neg", "neg"]
    assert by_chain.run.summary["calibration"]["after"]["scores"]["accuracy"]["value"] == pytest.approx(2 / 3)
    with pytest.raises(RunError) as caught:
        rescore(folder_of(done), load(write(PICK.replace("[batch]", "[pmi: 'It is']"), "asks.yaml")))
    assert str(caught.value) == (
        'pmi: for example \'a\' (data.test.rows[0]) the run did not ask the model about {"prompt": "It is"}\n'
        "    run the pipeline with this step in its `align`: then it is asked, and kept for other steps like it"
    )


def test_a_stage_that_wrote_cannot_be_weighed_afterwards(write, places):
    """It has no scores."""
    wrote = PICK.replace('    choose: {options: [pos, neg], lead: " "}\n    align: [batch]\n', "")
    done = promptkit.run(write(wrote), **places)
    with pytest.raises(RunError) as caught:
        rescore(folder_of(done), load(write(PICK, "other.yaml")))
    assert str(caught.value) == (
        "stage 'pick': batch: the run kept no scores of this stage's options\n"
        "    run the pipeline with `choose` in it: then they are kept"
    )


def test_the_table_of_stages_shows_before_and_after(write, places):
    """A line for each, below the stage's own."""
    done = promptkit.run(write(PICK), **places)
    text = shown(stages_view(done.summary))
    assert "as scored" in text
    assert "answered 3 (100 %); accuracy 66.7 %" in text
    assert "batch" in text
    assert make_card(load(write(PICK)), None).num_learned_parameters == 2


def test_too_few_rows_name_the_stage(write, places):
    """A fit needs rows, and the error says whose."""
    with pytest.raises(RunError) as caught:
        promptkit.run(write(PICK.replace("[batch]", "[prototypical]")), **places, limit=2)
    assert str(caught.value) == ("stage 'pick': prototypical: 2 clusters need more than 2 rows, and the run has 2")


def test_what_there_is_to_replace_is_known_before_anything_runs(write, places):
    """A later stage's field too."""
    with pytest.raises(DataError) as caught:
        begin(write(PLAIN.replace("[contextual]", "[contextual: {fields: review}]")), places)
    assert (
        str(caught.value)
        == "data.test.rows[0]: contextual: there is no field 'review' to replace\n    known: id, label, text"
    )


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ("contextual", STAYS),
        ("domain_context", STAYS),
        ("label_map", "is fitted on solved rows, and only the rows of the run go through stages"),
    ],
)
def test_a_step_that_cannot_weigh_in_this_stage_is_a_mistake(write, step, message):
    """At its place; the steps that can are named."""
    with pytest.raises(DeclarationError) as caught:
        load(write(PICK.replace("[batch]", f"[{step}]")))
    assert f"stages[1].align[0]: `{step}` {message}" in str(caught.value)
    assert "`batch`, `prototypical` and `pmi` need" in str(caught.value)


def test_a_prompt_that_tells_of_earlier_stages_is_not_without_content(write):
    """Whether it continues one or takes its text."""
    text = PLAIN.replace("{{ text }} is", "{{ text }}, {{ stages.think.text }} is")
    with pytest.raises(DeclarationError, match="what earlier stages wrote would stay in it"):
        load(write(text))


REAL = """
name: real
data:
  test: {rows: [%s]}
stages:
  - name: think
    prompt: [query: "Review: {{ text }}\\nIn short, it was"]
    generate: {max_new_tokens: 8, stop: ["\\n"]}
  - name: pick
    continue: think
    prompt: [cue: "\\nSentiment:"]
    choose: {options: [negative, positive], lead: " "}
    align: [batch]
    if_missing: go_on
  - name: why
    continue: pick
    prompt: [cue: ", because"]
    generate: {max_new_tokens: 8}
"""
REVIEWS = ["a dull film", "a lovely film", "boring and long", "a joy", "I slept", "the best of the year"]
ALONE = """
name: alone
data: {test: {rows: %s}}
prompt: [query: "{{ text }}"]
%s
"""


@pytest.mark.slow
def test_the_default_model_is_weighed_in_a_stage_and_goes_on_from_its_answer(write, places):
    """In float32 with the scores of a run of its own, and the words that follow the whole prompt in one."""
    rows = ", ".join(f"{{id: r{n}, text: {text}}}" for n, text in enumerate(REVIEWS))
    options = {**places, "dtype": "float32"}
    done = promptkit.run(write(REAL % rows), **options)

    def alone(name, section):
        whole = [{"id": each.id, "text": prompt_of(each, name)} for each in done.records]
        return promptkit.run(write(ALONE % (json.dumps(whole), section)), **options).records

    chosen = alone("pick", "choose: {options: [negative, positive], lead: ' '}\nalign: [batch]")
    kept = [each.stages[1] for each in done.records]
    assert [each["answer"] for each in kept] == [each.answer for each in chosen]
    assert len({each["answer"] for each in kept}) == 2
    for each, single in zip(kept, chosen, strict=True):
        scores = [option.log_likelihood for option in single.completion.options]
        assert [option["log_likelihood"] for option in each["options"]] == pytest.approx(scores, abs=1e-4)
    written = alone("why", "generate: {max_new_tokens: 8}")
    assert [each.completion.text for each in done.records] == [each.completion.text for each in written]
    again = rescore(folder_of(done))
    assert again.run.summary["stages"] == done.summary["stages"]


def prompt_of(record, name):
    """The whole prompt of a stage, put together from what the run keeps."""
    think, pick, why = record.stages
    whole = think["prompt"] + think["completion"] + pick["prompt"]
    return whole if name == "pick" else f"{whole} {pick['answer'] or pick['completion']}{why['prompt']}"
