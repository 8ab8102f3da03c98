"""Demonstrations that do not fit: whole ones are dropped, no more than needed, and the record says which."""

import json

import pytest

from promptkit.errors import ModelError, PromptTooLong
from promptkit.generate import Loading
from promptkit.run import Selection, load, make_plan, make_prompter
from promptkit.run.rescoring import record_of

SIZES = (3, 9, 5, 12, 4, 7)  # words of each demonstration's text
FILMS = """
model: {model}
data:
  train: {{rows: [{rows}]}}
  test: {{rows: [{{id: short, q: why, a: yes}}, {{id: long, q: "{long}", a: no}}]}}
  target: "{{{{ a }}}}"
prompt:
  - instruction: "Say yes or no.\\n"
  - demonstrations: {{from: train, template: "{{{{ q }}}} {{{{ a }}}}\\n", fit: {fit}, order: {order}}}
  - query: "{{{{ q }}}}"
{run}
"""
ROWS = ", ".join(f"{{id: d{n}, q: '{' '.join(['qz'] * size)} {n}', a: yes}}" for n, size in enumerate(SIZES))
WRITES = "generate: {max_new_tokens: 60}"
CHOOSES = "choose: {options: [yes, no, 'neither of these, " + "xk " * 18 + "']}"


@pytest.fixture
def planned(write, tiny_model):
    """The plan of such a pipeline on the tiny model, whose context has 256 tokens."""

    def plan(fit="last_ranked", order="as_selected", run=WRITES):
        text = FILMS.format(model=tiny_model, rows=ROWS, long=" ".join(["qz"] * 30), fit=fit, order=order, run=run)
        pipeline = load(write(text))
        generator = pipeline.declaration.model.open(Loading())
        return make_plan(pipeline, Selection(), generator), generator

    return plan


def needed(generator, job, max_new_tokens=60):
    """The tokens of a request, counted plainly."""
    if job.request.options:
        return max(len(generator.tokenizer.encode(job.prompt.text + option)) for option in job.request.options)
    return len(generator.tokenizer.encode(job.prompt.text)) + max_new_tokens


@pytest.mark.parametrize(
    ("fit", "dropped_in_order"),
    [
        ("last_ranked", ["d5", "d4", "d3", "d2", "d1", "d0"]),
        ("first", ["d0", "d1", "d2", "d3", "d4", "d5"]),
        ("longest", ["d3", "d1", "d5", "d2", "d4", "d0"]),
    ],
)
@pytest.mark.parametrize("run", [WRITES, CHOOSES])
def test_as_few_as_needed_are_dropped(planned, fit, dropped_in_order, run):
    """By trying every number, from none; each example by itself."""
    plan, generator = planned(fit, run=run)
    whole, _ = planned("refuse", run=run)
    nums = []
    for job, before in zip(plan.jobs, whole.jobs, strict=True):
        shown = job.prompt.shown
        assert set(shown.dropped) == set(dropped_in_order[: len(shown.dropped)])
        assert set(shown.ids) | set(shown.dropped) == set(dropped_in_order)
        assert needed(generator, job) <= 256
        assert (needed(generator, before) > 256) == bool(shown.dropped)
        if shown.dropped:  # the last one dropped would not have fitted
            back = {dropped_in_order[len(shown.dropped) - 1], *shown.ids}
            pieces = [each.piece.text for each in before.prompt.segments if each.piece.example in (None, *back)]
            tokens = generator.tokenizer.encode("".join(pieces))
            assert needed(generator, job) - len(job.request.token_ids) + len(tokens) > 256
        nums.append(len(shown.dropped))
    assert nums[0] < nums[1]


def test_the_rank_decides_and_not_the_place(planned):
    """What the selector liked least goes first, wherever the order put it."""
    plan, _ = planned("last_ranked", order="reversed")
    shown = plan.jobs[1].prompt.shown
    assert shown.dropped[0] == "d5"
    assert shown.ids == tuple(f"d{n}" for n in reversed(range(6 - len(shown.dropped))))


def test_a_cap_of_ones_own(planned):
    """Prompts of one length for all methods: what is to be written does not count."""
    plan, generator = planned("{tokens: 110}")
    assert all(len(generator.tokenizer.encode(job.prompt.text)) <= 110 for job in plan.jobs)
    assert plan.jobs[0].prompt.shown.ids != ()


def test_a_cap_that_the_query_alone_is_above_is_an_error(planned):
    """Nothing is cut, and a longer prompt would not be of the length that was asked for."""
    with pytest.raises(PromptTooLong, match="tokens with nothing left to drop, and `fit` allows 90"):
        planned("{tokens: 90}")


def test_nothing_is_dropped_unless_declared(planned):
    """Silent dropping is another experiment."""
    plan, _ = planned("refuse")
    assert all(job.prompt.shown.ids == tuple(f"d{n}" for n in range(6)) for job in plan.jobs)


def test_what_counts_tokens_needs_a_tokenizer(write):
    """The scripted model has none."""
    pipeline = load(
        write(FILMS.format(model="{scripted: []}", rows=ROWS, long="x", fit="longest", order="random", run=""))
    )
    with pytest.raises(ModelError) as caught:
        make_plan(pipeline, Selection(), pipeline.declaration.model.open(Loading()))
    assert str(caught.value) == (
        "model 'scripted': `fit` counts tokens, and the model's tokenizer is not here\n    `fit: refuse` counts none"
    )


def test_the_record_keeps_what_was_shown(ran):
    """Columns of JSON text, and the same again when the run is read."""
    rows = ran.to_arrow().to_pylist()
    assert [json.loads(row["demonstrations"]) for row in rows] == [["c", "x"], ["c", "x"]]
    assert [json.loads(row["left_out"]) for row in rows] == [
        [{"id": "a", "why": "itself"}, {"id": "b", "why": "same text"}],
        [{"id": "a", "why": "same text"}, {"id": "b", "why": "itself"}],
    ]
    assert json.loads(rows[0]["relabelled"]) == [
        {"id": "c", "label": "no", "shown": "yes"},
        {"id": "x", "label": "no", "shown": "yes"},
    ]
    assert json.loads(rows[0]["dropped"]) == []
    assert [record_of(row).shown for row in rows] == [record.shown for record in ran.records]


def test_a_run_of_an_older_version_is_still_read(ran):
    """It did not keep what was shown."""
    names = ("demonstrations", "left_out", "dropped", "relabelled")
    rows = ran.to_arrow().to_pylist()
    old = record_of({name: value for name, value in rows[0].items() if name not in names})
    assert old.shown.ids == ()


@pytest.fixture
def ran(write, places):
    """A run whose pool is its own test split, two of its rows of the same text, the labels flipped."""
    import promptkit

    text = """
    model: {scripted: {default: yes}}
    data:
      test:
        rows:
          - {id: a, q: "Is it?", label: yes}
          - {id: b, q: "is it", label: yes}
          - {id: c, q: "Was it?", label: no}
          - {id: x, q: "Will it?", label: no}
      target: "{{ label }}"
    prompt:
      - demonstrations: {from: test, take: 2, template: "{{ q }} {{ label }}\\n", labels: flipped}
      - query: "{{ q }}"
    """
    return promptkit.run(write(text.replace("yes", "'yes'").replace("no}", "'no'}")), limit=2, **places)


def test_a_content_free_prompt_stands_below_the_same_demonstrations(planned):
    """Calibration compares the two: what the shorter query would make room for is not shown."""
    plan, generator = planned()
    prompter = make_prompter(plan.pipeline, plan.selection, generator.tokenizer).within(generator)
    job = plan.jobs[1]
    assert job.prompt.shown.dropped
    prompt = prompter.prompt_with(job.example, {"q": "N/A"})
    assert prompt.text == job.prompt.text.replace(job.example.fields["q"], "N/A")
