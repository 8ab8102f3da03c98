"""Mistakes that a new user makes in demonstrations, stages and sweeps: each is told once, with its place and what is right.

They are told when the file is read, where the file alone shows them: a run that ends after an hour for a slip in the
second stage costs that hour.
"""

import pytest

from promptkit.errors import DataError, DeclarationError, ModelError, PromptTooLong, TemplateError
from promptkit.generate import Loading
from promptkit.run import Selection, load, load_sweep, make_prompter, read_examples

SHOTS = """\
model: {scripted: {default: ""}}
data:
  train: {rows: [{id: a, film: dull, label: bad}, {id: b, film: fine, label: good}]}
  test: {rows: [{id: c, film: long, label: bad}]}
  target: "{{ label }}"
prompt:
  - demonstrations: {from: train, take: 2, template: "{{ film }}: {{ label }}\\n"}
  - query: "{{ film }}:"
"""
STAGES = """\
model: {scripted: {default: " 7"}}
data: {test: {rows: [{question: 3 + 4, answer: 7}]}, target: "{{ answer }}"}
stages:
  - name: reason
    prompt: [{query: "{{ question }}"}]
  - name: conclude
    continue: reason
    prompt: [{cue: " So"}]
    align: [number]
"""
SWEEP = SHOTS + "matrix: {prompt.demonstrations.take: [1, 2]}\n"


@pytest.fixture
def told(tmp_path, monkeypatch):
    """A function that gives the first line of what is said of a file, changed as the pair says."""
    monkeypatch.chdir(tmp_path)

    def told(text, old, new, *, how=load):
        assert old in text
        (tmp_path / "p.yaml").write_text(text.replace(old, new, 1), encoding="utf-8")
        with pytest.raises(DeclarationError) as caught:
            how("p.yaml")
        return [str(problem).splitlines() for problem in caught.value.problems]

    return told


@pytest.mark.parametrize(
    ("old", "new", "said", "hint"),
    [
        (
            "from: train",
            "from: trian",
            "p.yaml:7:28: prompt[0].demonstrations.from: the pipeline has no split 'trian'",
            "known: test, train   did you mean 'train'?",
        ),
        (
            "take: 2",
            "take: 2, select: {fixed: [a]}",
            "p.yaml:7:41: prompt[0].demonstrations.take: 2 are to be taken, and `fixed` names 1",
            "",
        ),
        (
            "from: train",
            "from: [{film: x, label: y}]",
            "p.yaml:7:57: prompt[0].demonstrations.take: 2 are to be taken, and `from` has 1",
            "",
        ),
        (
            "take: 2",
            "take: 2, seed: '7'",
            "p.yaml:7:50: prompt[0].demonstrations.seed: must be a whole number, not '7'",
            "",
        ),
        (
            "take: 2",
            "take: 2, labels: {as: random, among: [bad]}",
            "p.yaml:7:72: prompt[0].demonstrations.labels.among: must have at least 2 items, not ['bad']",
            "",
        ),
        (
            "model:",
            "chat: {separator: ' '}\nmodel:",
            "p.yaml:1:19: chat.separator: `separator` is for `system: fold`, and the system has a turn of its own",
            "`system: fold`",
        ),
        (
            '  - query: "{{ film }}:"',
            '  - cue: {text: It is, opens_the_answer: true}\n  - query: "{{ film }}:"',
            "p.yaml:8:5: prompt[1]: what opens the answer stands last in the prompt",
            "the model goes on from there",
        ),
        (
            '  - query: "{{ film }}:"\n',
            '  - query: "{{ film }}:"\nchoose: {options: [x, y]}\nalign: [{label_map: {to: [bad, good], from: trian}}]\n',
            "p.yaml:10:45: align[0].label_map.from: the pipeline has no split 'trian'",
            "known: test, train   did you mean 'train'?",
        ),
    ],
)
def test_mistakes_of_demonstrations_are_told_when_the_file_is_read(told, old, new, said, hint):
    """`check` reads no more than the file: what it shows must be told there."""
    ((first, *rest),) = told(SHOTS, old, new)
    assert first == said
    assert [line.strip() for line in rest[2:]] == ([hint] if hint else [])


@pytest.mark.parametrize(
    ("old", "new", "said", "hint"),
    [
        (
            '" So"',
            '"{{ stages.reason.txt }}"',
            "p.yaml:8:20: stages[1].prompt[0].cue: a stage has no 'txt', as in `stages.reason.txt`",
            "known: answer, ended, prompt, rounds, status, text, transcript   did you mean 'text'?",
        ),
        (
            "continue: reason",
            'continue: reason\n    when: "stages.reason.answer"',
            "p.yaml:8:11: stages[1].when: must be one expression, and 'stages.reason.answer' is a text",
            "an expression is '{{ stages.reason.answer }}'",
        ),
        (
            "continue: reason",
            'continue: reason\n    repeat: {max: 2, until: "{{ a }} or {{ b }}"}',
            "p.yaml:8:29: stages[1].repeat.until: must be one expression, and '{{ a }} or {{ b }}' is a text",
            "an expression is '{{ a  or  b }}'",
        ),
        (
            "continue: reason",
            "continue: reason\n    repeat: {max: 2, as: part}",
            "p.yaml:8:26: stages[1].repeat.as: `as` names an item of `for`, and there is no `for`",
            "templates see the round as `round`",
        ),
        (
            "align: [number]",
            "align: [number]\n    if_missing: stop",
            "p.yaml:10:17: stages[1].if_missing: 'stop' is not one of its values",
            "known: end, go_on",
        ),
        ("name: reason\n    prompt", "prompt", "p.yaml:4:5: stages[0]: 'name' is missing", ""),
        (
            "continue: reason",
            'continue: reason\n    repeat: {until: "{{ true }}"}',
            "p.yaml:8:5: stages[1].repeat: 'max' is missing",
            "",
        ),
    ],
)
def test_mistakes_of_stages_are_told_when_the_file_is_read(told, old, new, said, hint):
    """A condition that is a text would hold for every example, and nobody would see it."""
    first, *rest = told(STAGES, old, new)[0]
    assert first == said
    assert [line.strip() for line in rest[2:]] == ([hint] if hint else [])


def test_a_union_tells_one_mistake_once(told):
    """A word in the place of `if_missing` is no map that went wrong."""
    assert len(told(STAGES, "align: [number]", "align: [number]\n    if_missing: stop")) == 1


@pytest.mark.parametrize(
    ("new", "said"),
    [
        ("race: {metric: f1}, prompt", "p.yaml:9:25: matrix.race.metric: cell 0 has no metric 'f1'"),
        ("exclude: [{}], prompt", "p.yaml:9:20: matrix.exclude[0]: must not be empty"),
        ("seed: '1', prompt", "p.yaml:9:16: matrix.seed: must be a whole number, not '1'"),
    ],
)
def test_mistakes_of_a_matrix_are_told_when_the_file_is_read(told, new, said):
    """Before anything runs."""
    ((first, *_),) = told(SWEEP, "matrix: {prompt", f"matrix: {{{new}", how=load_sweep)
    assert first == said


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("take: 9", "p.yaml:7:28: prompt[0].demonstrations.take: 9 are to be taken, but 'train' has 2 rows"),
        (
            "take: 2, order: {fixed: [zz]}",
            "p.yaml:7:60: prompt[0].demonstrations.order: fixed: the pool has no row with the id 'zz'\n    known: a, b",
        ),
        (
            "take: 1, select: {fixed: [x]}",
            "p.yaml:7:61: prompt[0].demonstrations.select: fixed: the pool has no row with the id 'x'\n    known: a, b",
        ),
    ],
)
def test_a_choice_that_cannot_be_made_names_its_place(tmp_path, monkeypatch, change, said):
    """A pipeline may have several steps of demonstrations, and a sweep many."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "p.yaml").write_text(SHOTS.replace("take: 2", change), encoding="utf-8")
    with pytest.raises(DataError) as caught:
        make_prompter(load("p.yaml"), Selection(), None)
    assert str(caught.value) == said


def test_a_cap_that_no_prompt_can_keep_is_an_error(tmp_path, monkeypatch, tiny_model):
    """With nothing left to drop, a prompt above `fit: tokens` would be run as if the cap were not there."""
    monkeypatch.chdir(tmp_path)
    text = SHOTS.replace('{scripted: {default: ""}}', str(tiny_model)).replace(
        "take: 2", "take: 2, fit: {drop: first, tokens: 1}"
    )
    (tmp_path / "p.yaml").write_text(text, encoding="utf-8")
    pipeline = load("p.yaml")
    model = pipeline.declaration.model.open(Loading())
    prompter = make_prompter(pipeline, Selection(), model.tokenizer).within(model)
    with pytest.raises(PromptTooLong) as caught:
        prompter.prompt(read_examples(pipeline, Selection())[0])
    assert model.tokenizer is not None
    num = len(model.tokenizer.encode("long:"))
    assert str(caught.value) == (
        f"data.test.rows[0]: the prompt has {num} tokens with nothing left to drop, and `fit` allows 1\n"
        "    more `tokens`, or a shorter prompt; nothing but whole demonstrations is ever dropped"
    )


def test_a_folder_that_is_not_there_is_told_before_the_hub_is_asked():
    """What begins like a path is one."""
    from promptkit.generate.sentences import SentenceModel

    with pytest.raises(ModelError) as caught:
        _ = SentenceModel("./nowhere").model
    assert str(caught.value) == "embed './nowhere': there is no such folder"


def test_what_a_map_does_not_have_is_told_in_our_words(tmp_path, monkeypatch):
    """In the first round of a loop its own stage has not run, and Jinja's words are about Python's objects."""
    monkeypatch.chdir(tmp_path)
    text = SHOTS.replace('"{{ film }}:"', '"{{ {}.solve }}:"')
    (tmp_path / "p.yaml").write_text(text, encoding="utf-8")
    pipeline = load("p.yaml")
    with pytest.raises(TemplateError) as caught:
        make_prompter(pipeline, Selection(), None).prompt(read_examples(pipeline, Selection())[0])
    assert str(caught.value).splitlines()[0] == (
        "p.yaml:8:12: (data.test.rows[0]): template: there is no 'solve' in this map"
    )
    assert str(caught.value).splitlines()[-1] == "    `is defined` after it asks whether there is"
