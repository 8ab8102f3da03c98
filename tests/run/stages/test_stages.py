"""Stages: what one writes is in the next one's prompt, a row may end on the way, loops end, and samples go on apart."""

import json

import pytest

import promptkit
from promptkit.errors import DataError, DeclarationError, TemplateError
from promptkit.run import load, rescore
from tests.run.sums import folder_of

TWO = r"""
name: two
model:
  scripted:
    - {when: 'answer is$', completion: " 7."}
    - {when: '3 \+ 4', completion: " Three and four."}
    - {when: '5 \+ 5', completion: " Five twice."}
data:
  test:
    rows:
      - {id: a, question: 3 + 4, answer: 7}
      - {id: b, question: 5 + 5, answer: 10}
  target: "{{ answer }}"
stages:
  - name: reason
    prompt:
      - query: "Q: {{ question }}\nA:"
  - name: conclude
    continue: reason
    prompt:
      - cue: "\nSo the answer is"
    align: [number]
"""


@pytest.fixture
def begin(write, places):
    """Runs a pipeline's text."""

    def run(text, **options):
        return promptkit.run(write(text), **{**places, **options})

    return run


def problem(write, text):
    with pytest.raises(DeclarationError) as caught:
        load(write(text))
    return str(caught.value)


def test_a_file_goes_back_to_one_call_where_it_takes_the_stages_of_another_back(write):
    """Its own prompt takes their place; without that, both would stand there."""
    write(TWO, "two.yaml")
    one = 'extends: two.yaml\nprompt: [query: "{{ question }}"]\n'
    with pytest.raises(DeclarationError) as caught:
        load(write(one))
    assert str(caught.value).splitlines()[0].endswith(":2:1: prompt: `prompt` and `stages`: each stage has its own")
    assert str(caught.value).endswith("\n    `stages: null` leaves out those of a file that is extended")
    assert load(write(f"{one}stages: null\n")).stages == {}


def test_a_stage_that_continues_goes_on_from_prompt_and_completion_to_the_byte(begin):
    """Kojima et al. 2022, section 3.1: the second prompt is the first, what was written, and the cue."""
    done = begin(TWO)
    assert [each.prompt for each in done.records] == [
        "Q: 3 + 4\nA: Three and four.\nSo the answer is",
        "Q: 5 + 5\nA: Five twice.\nSo the answer is",
    ]
    assert [each.answer for each in done.records] == [7, 7]
    assert done.scores["exact_match"]["value"] == 0.5


def test_the_record_holds_every_stage(begin):
    """What cannot be seen cannot be trusted: of a prompt that goes on, what it added."""
    row = begin(TWO).to_pandas().iloc[0]
    stages = json.loads(row["stages"])
    assert row["stage"] == "conclude"
    assert [(each["stage"], each["continues"], each["prompt"], each["completion"]) for each in stages] == [
        ("reason", None, "Q: 3 + 4\nA:", " Three and four."),
        ("conclude", "reason", "\nSo the answer is", " 7."),
    ]
    assert json.loads(row["fields"]) == {"id": "a", "question": "3 + 4", "answer": 7}


def test_a_later_prompt_may_take_text_and_answer_of_an_earlier_stage(begin):
    """`stages.NAME.text`, `.answer`, `.status`: as any field."""
    text = TWO.replace("    continue: reason\n", "").replace(
        '"\\nSo the answer is"', '"{{ stages.reason.text | trim }} ({{ stages.reason.status }}). So the answer is"'
    )
    assert begin(text).records[0].prompt == "Three and four. (answered). So the answer is"


MISSING = TWO.replace(
    '      - query: "Q: {{ question }}\\nA:"\n',
    '      - query: "Q: {{ question }}\\nA:"\n    align: [{regex: "(?P<answer>four)"}]\n',
)


def test_a_row_whose_stage_has_no_answer_ends_there_unless_declared(begin):
    """It says so in the record: no later stage runs for it, and it counts with the status of that stage."""
    done = begin(MISSING)
    assert [(each.stage, each.outcome.status, len(each.stages)) for each in done.records] == [
        ("conclude", "answered", 2),
        ("reason", "unparsed", 1),
    ]
    assert done.summary["stages"]["conclude"]["num_ran"] == 1
    assert done.summary["statuses"] == {"answered": 1, "unparsed": 1, "truncated": 0, "ambiguous": 0, "empty": 0}


@pytest.mark.parametrize(("declared", "seen"), [("go_on", "None"), ("{default: five}", "five")])
def test_later_stages_see_what_is_declared_in_place_of_an_answer(begin, declared, seen):
    """Null, or a value of the author's."""
    text = MISSING.replace("    align: [{regex", f"    if_missing: {declared}\n    align: [{{regex")
    text = text.replace('"\\nSo the answer is"', '"\\n{{ stages.reason.answer }}. So the answer is"')
    assert begin(text).records[1].prompt == f"Q: 5 + 5\nA: Five twice.\n{seen}. So the answer is"


RESCUE = MISSING.replace("    align: [{regex", "    answers: true\n    if_missing: go_on\n    align: [{regex").replace(
    "    continue: reason\n",
    "    continue: reason\n    answers: true\n    when: '{{ stages.reason.answer is none }}'\n",
)


def test_answers_are_counted_by_the_stage_that_gave_them(begin):
    """A rescued chain is not the same as one that answered by itself."""
    done = begin(RESCUE.replace("answer: 7}", "answer: four}").replace("[number]", "[strip]"))
    assert [(each.stage, each.answer) for each in done.records] == [("reason", "four"), ("conclude", "7.")]
    counted = {name: (each["num_ran"], each["num_answers"]) for name, each in done.summary["stages"].items()}
    assert counted == {"reason": (2, 1), "conclude": (1, 1)}


LOOP = r"""
name: loop
model:
  scripted:
    - {when: 'count: 1,2$', completion: ",3"}
    - {when: 'count: 1$', completion: ",2"}
    - {when: 'count:$', completion: " 1"}
data:
  test: {rows: [{id: a, start: "count:"}]}
stages:
  - repeat: {max: 5, until: "{{ stages.count.text == ',3' }}"}
    stages:
      - name: count
        continue: count
        prompt:
          - query: "{% if round == 0 %}{{ start }}{% endif %}"
"""


def test_a_loop_ends_as_soon_as_its_condition_holds(begin):
    """Self-refine stops where there is nothing to mend; a stage that continues itself goes on from its last round."""
    record = begin(LOOP).records[0]
    assert [(each["round"], each["completion"]) for each in record.stages] == [(0, " 1"), (1, ",2"), (2, ",3")]
    assert record.prompt == "count: 1,2"


def test_a_loop_ends_after_its_last_round(begin):
    """No model can make it run for ever."""
    assert len(begin(LOOP.replace("max: 5", "max: 2")).records[0].stages) == 2


INSIDE = (
    LOOP.replace("""max: 5, until: "{{ stages.count.text == ',3' }}\"""", "max: 2")
    .replace("        continue: count\n", "        repeat: {max: 2}\n")
    .replace("{% if round == 0 %}{{ start }}{% endif %}", "{{ start }}")
)


def test_a_loop_inside_a_loop_is_one(begin):
    """A stage that repeats itself does so in each round of its group."""
    assert [each["round"] for each in begin(INSIDE).records[0].stages] == [0, 1, 0, 1]


OVER = r"""
name: parts
model:
  scripted:
    - {when: 'List', completion: "- one\n- two\n- three"}
    - {when: '(one|two|three)\?$', completion: " yes"}
data:
  test: {rows: [{id: a}]}
stages:
  - name: parts
    prompt: [query: List]
    align: [list]
  - name: ask
    repeat: {for: "{{ stages.parts.answer }}", as: part, max: 2}
    prompt:
      - query: "{% for each in stages.ask.rounds if round %}{{ each.text }};{% endfor %}{{ part }}?"
"""


def test_a_loop_over_a_list_sees_its_item_and_all_rounds_before(begin):
    """Least-to-most: each part with the answers before it in sight; `max` bounds a list that a model wrote."""
    text = OVER.replace("stages.ask.rounds if round", "(stages.ask.rounds if round else [])")
    record = begin(text).records[0]
    assert [each["prompt"] for each in record.stages] == ["List", "one?", " yes;two?"]


def test_a_loop_over_what_is_no_list_names_the_row(begin):
    """A text would be gone over letter by letter."""
    with pytest.raises(DataError) as caught:
        begin(OVER.replace("stages.parts.answer }}", "stages.parts.text }}"))
    assert str(caught.value).endswith(
        "sums.yaml:14:19: (data.test.rows[0]) `repeat: for` must give a list, not '- one\\n- two\\n- three'"
    )


SAMPLES = TWO.replace(
    "    prompt:\n      - query", "    generate: {samples: 3, temperature: 1}\n    prompt:\n      - query", 1
)


def test_each_sample_goes_on_by_itself_and_the_last_stage_votes(begin):
    """Self-consistency with an answer stage: the vote is over the ends of the chains."""
    text = SAMPLES.replace('completion: " 7."', 'completion: [" 7.", " 8.", " 7."]').replace(
        "[number]", "[number, vote]"
    )
    text = text.replace('" Three and four."', '[" x1.", " x2.", " x3."]')
    done = begin(text, limit=1)
    assert [each.prompt for each in done.records] == [f"Q: 3 + 4\nA: x{n}.\nSo the answer is" for n in (1, 2, 3)]
    assert done.summary["num_samples"] == 3
    assert done.records[0].decided is not None


def test_a_run_of_stages_is_scored_again_as_it_was(begin):
    """By the chain of the stage that answered."""
    for text in (TWO, MISSING, LOOP, SAMPLES.replace("[number]", "[number, vote]")):
        done = begin(text)
        again = rescore(folder_of(done))
        assert again.changed == ()
        for name in ("scores", "statuses", "stages"):
            assert again.run.summary[name] == done.summary[name]


def test_another_chain_reads_the_answers_again_without_the_model(begin, write):
    """An edited `align` is no reason to run anything."""
    done = begin(TWO)
    other = load(write(TWO.replace("[number]", "[strip]"), "other.yaml"))
    assert [each.answer for each in rescore(folder_of(done), other).run.records] == ["7.", "7."]


def test_a_field_called_stages_is_refused(begin):
    """Templates could not tell the two apart."""
    with pytest.raises(DataError, match="the field 'stages' has the name of what templates see of stages"):
        begin(TWO.replace("{id: a, ", "{id: a, stages: 1, "))


def test_a_stage_that_did_not_run_is_an_undefined_name_that_says_which(begin):
    """`when` kept it from running for this row."""
    text = TWO.replace("    prompt:\n      - query", "    when: '{{ id == \"a\" }}'\n    prompt:\n      - query", 1)
    with pytest.raises(DataError) as caught:
        begin(text)
    assert str(caught.value).startswith("data.test.rows[1]: stage 'conclude' continues 'reason', which did not run")
    with pytest.raises(TemplateError, match="there is no 'reason' in this map"):
        begin(text.replace("    continue: reason\n", "").replace("So the", "{{ stages.reason.text }}"))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("continue: reason", "continue: reson", "no stage before this one is called 'reson'"),
        ("name: conclude", "name: reason", "two stages are called 'reason'"),
        (
            "name: reason",
            "name: items",
            "a stage's name must be one that templates can use, such as `reason`, not 'items'",
        ),
        ("So the", "{{ stages.later.text }}", "no stage before this one is called 'later'"),
        ("[number]", "[number, vote]", "`vote` decides among samples, and no stage draws several"),
        ("    align: [number]", "    answers: false", "no stage answers the example"),
        ("stages:\n", "prompt: [query: x]\nstages:\n", "`prompt` and `stages`: each stage has its own"),
        (
            '    continue: reason\n    prompt:\n      - cue: "\\nSo the answer is"\n',
            "",
            "a stage needs a `prompt`, or a stage",
        ),
    ],
)
def test_mistakes_are_told_when_the_file_is_read(write, old, new, message):
    """At their place, before anything runs."""
    assert message in problem(write, TWO.replace(old, new))


def test_a_mistake_in_a_stage_is_told_at_its_line(write):
    """With a caret, as everywhere."""
    said = problem(write, TWO.replace("continue: reason", "continue: reson"))
    assert said.splitlines()[0].endswith(
        "sums.yaml:19:15: stages[1].continue: no stage before this one is called 'reson'"
    )
    assert "did you mean 'reason'?" in said


def test_set_reaches_into_a_stage_by_its_name(write):
    """`--set stages.conclude.generate.max_new_tokens=4`."""
    pipeline = load(write(TWO), overrides=["stages.conclude.generate.max_new_tokens=4"])
    assert pipeline.stages["conclude"].generate.max_new_tokens == 4


def test_set_finds_a_stage_in_a_group(write):
    """Nobody should have to count groups: `--set stages.count.prompt=...`."""
    pipeline = load(write(LOOP), overrides=["stages.count.generate.max_new_tokens=4"])
    assert pipeline.stages["count"].generate.max_new_tokens == 4


def test_stages_take_the_place_of_the_sections_of_a_file_that_is_extended(write):
    """Its data, model and score stay."""
    write(TWO.split("stages:", maxsplit=1)[0] + "prompt: [query: x]\nalign: [number]\n", "base.yaml")
    pipeline = load(write("extends: base.yaml\nstages:" + TWO.split("stages:")[1], "upper.yaml"))
    assert list(pipeline.stages) == ["reason", "conclude"]
    assert pipeline.declaration.prompt == ()


CHAT = """
name: chat
chat: true
data: {test: {files: rows.jsonl}}
stages:
  - name: reason
    prompt: [query: "{{ question }}"]
    generate: {max_new_tokens: 6}
  - name: again
    continue: reason
    prompt: [query: "Are you sure?"]
    generate: {max_new_tokens: 6}
  - name: end
    continue: again
    prompt: [cue: {text: " So:", opens_the_answer: true}]
    generate: {max_new_tokens: 6}
"""


@pytest.fixture(scope="module")
def tiny_model(tmp_path_factory):
    from tests.models import save_tiny_llama

    return save_tiny_llama(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def rows(tmp_path):
    lines = [json.dumps({"id": str(n), "question": f"Q: How many apples are there in {n} boxes?"}) for n in range(12)]
    (tmp_path / "rows.jsonl").write_text("\n".join(lines))


@pytest.mark.slow
@pytest.mark.usefixtures("rows")
def test_in_a_chat_a_transcript_is_turns(begin, tiny_model):
    """What was written is the assistant's turn; a query after it the user's; an opening goes on in the assistant's."""
    record = begin(CHAT, model=str(tiny_model), dtype="float32", limit=1).records[0]
    first, second, last = (each["completion"] for each in record.stages)
    assert record.prompt == (
        "<s><|user|>\nQ: How many apples are there in 0 boxes?</s>\n"
        f"<|assistant|>\n{first}</s>\n<|user|>\nAre you sure?</s>\n<|assistant|>\n{second} So:"
    )
    assert record.completion.text == last


EXACT = """
name: exact
data: {test: {files: rows.jsonl}}
stages:
  - name: reason
    prompt: [instruction: "Think. ", query: "{{ question }} A:"]
    generate: {max_new_tokens: 12, stop: ["."]}
  - name: more
    continue: reason
    prompt: [cue: " And then"]
    generate: {max_new_tokens: 9}
  - name: pick
    continue: more
    prompt: [cue: " So:"]
    choose: {options: [three, four, five]}
"""
ALONE = """
name: alone
data: {test: {files: prompts.jsonl}}
prompt: [query: "{{ text }}"]
%s
"""


@pytest.mark.slow
@pytest.mark.usefixtures("rows")
@pytest.mark.parametrize("slots", [1, 3, 18])
def test_stages_write_what_separate_runs_write(begin, tiny_model, tmp_path, slots):
    """The text of each stage's whole prompt, given as a prompt of its own, is continued in the same way in float32."""
    options = {"model": str(tiny_model), "dtype": "float32", "out": None}
    done = begin(EXACT, **options, slots=slots)

    def alone(name, section):
        prompts = [{"id": each.id, "text": prompts_of(each)[name]} for each in done.records]
        (tmp_path / "prompts.jsonl").write_text("\n".join(map(json.dumps, prompts)))
        return begin(ALONE % section, **options, store=tmp_path / f"{name}.sqlite").records

    made = {name: [by_name(each)[name]["completion"] for each in done.records] for name in ("reason", "more")}
    assert [each.completion.text for each in alone("reason", "generate: {max_new_tokens: 12, stop: ['.']}")] == made[
        "reason"
    ]
    assert [each.completion.text for each in alone("more", "generate: {max_new_tokens: 9}")] == made["more"]
    chosen = alone("pick", "choose: {options: [three, four, five]}")
    assert [each.completion.text for each in chosen] == [each.completion.text for each in done.records]
    for one, other in zip(chosen, done.records, strict=True):
        scores = [[option.log_likelihood for option in each.completion.options] for each in (one, other)]
        assert scores[0] == pytest.approx(scores[1], abs=1e-4)


def by_name(record):
    return {each["stage"]: each for each in record.stages}


def prompts_of(record):
    """The whole prompt of each stage."""
    stages = by_name(record)
    reason = stages["reason"]["prompt"]
    more = reason + stages["reason"]["completion"] + stages["more"]["prompt"]
    return {"reason": reason, "more": more, "pick": more + stages["more"]["completion"] + stages["pick"]["prompt"]}


@pytest.mark.slow
@pytest.mark.usefixtures("rows")
def test_a_stage_that_continues_computes_only_its_own_tokens(begin, tmp_path):
    """And, of the transcript, the last token that was written, which nothing has read yet. On the default model."""
    two = EXACT[: EXACT.index("  - name: pick")].replace('12, stop: ["."]', "24")
    first = two[: two.index("  - name: more")]
    timing = begin(first, limit=6, store=tmp_path / "first.sqlite").summary["timing"]
    done = begin(two, limit=6)
    own = done.summary["timing"]["computed_prompt_tokens"] - timing["computed_prompt_tokens"]
    num_added = 2  # " And then"; and one more a row, where the row was cut off and its last token not read yet
    assert num_added * 6 <= own <= (num_added + 1) * 6
    assert done.summary["timing"]["prompt_tokens"] - timing["prompt_tokens"] > 10 * own
