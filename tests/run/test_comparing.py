"""Runs compared example by example: what is paired, what flipped, and what was the first to differ."""

import json

import pytest

import promptkit
from promptkit.errors import RunError
from promptkit.run import compare_runs
from promptkit.run.compare.moved import moved
from tests.run.sums import SUMS, folder_of


@pytest.fixture
def ran(write, places):
    """The folder of a run of the sums, changed as the pairs say."""

    def run(*changes, text=SUMS, **more):
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        return folder_of(promptkit.run(write(text), **places, **more))

    return run


def pair_of(*folders, metric=None):
    """The one pair of two runs."""
    (pair,) = compare_runs(folders, metric).pairs
    return pair


PROMPT = ('"Q: {{ question }}?\\nA:"', '"{{ question }} is?"')
GENERATION = ('completion: " The answer is 5."', 'completion: " The answer is 4."')
PARSER = ("'answer is (?P<answer>\\S+)'", "'That (?P<answer>\\S+)'")


@pytest.mark.parametrize(
    ("change", "cause", "part"),
    [(GENERATION, "generation", "f"), (PARSER, "parser", "O")],
)
def test_a_flip_names_what_was_the_first_to_differ(ran, change, cause, part):
    """The parts of the formula, in the order of the flow."""
    pair = pair_of(ran(), ran(change))
    assert {each.part for each in pair.moved} == {part}
    assert [flip.cause for flip in pair.flips] == [cause]


def test_a_prompt_comes_before_what_follows_from_it(ran):
    """Another completion after another prompt is no news of the model; nor is another reading of it."""
    pair = pair_of(ran(), ran(PROMPT, GENERATION, PARSER))
    assert {flip.cause for flip in pair.flips} == {"prompt"}
    assert {each.part for each in pair.moved} == {"I", "f", "O"}


def test_what_flipped_is_shown_losses_first(ran):
    """Both ways, with what either run has of it."""
    text = SUMS.replace('" The answer is 5."', '" The answer is 4."').replace("The answer is 2.", "The answer is 3.")
    pair = pair_of(ran(), ran(text=text))
    lost, won = pair.flips
    assert (lost.id, lost.change, lost.before.answer, lost.after.answer) == ("a", -1, 2, 3)
    assert (won.id, won.change, won.before.answer, won.after.answer) == ("b", 1, 5, 4)
    assert won.after.target == "4"
    assert pair.causes == {"generation": (1, 1)}
    found = pair.metrics["exact_match"]
    assert (found.num, found.num_better, found.num_worse, found.p_value) == (4, 1, 1, 1)


def test_only_what_both_have_is_paired(ran):
    """lm-eval#3831: differences of means over other rows are differences of rows."""
    pair = pair_of(ran(), ran(limit=2))
    assert (pair.num_common, pair.alone, pair.metrics["exact_match"].num) == (2, (2, 0), 2)
    other = pair_of(ran(), ran(("question: 2 + 2", "question: 1 + 1")))
    assert (other.num_common, other.num_other) == (3, 1)


def test_runs_of_other_data_are_refused(ran):
    """Rows are numbered alike in every data set: an id alone is no proof."""
    one, other = ran(), ran(*((f"question: {n} + {n}", f"question: 0{n} + {n}") for n in "1234"))
    with pytest.raises(RunError) as caught:
        compare_runs([one, other])
    assert str(caught.value) == (
        f"{str(one)!r} and {str(other)!r} have no example in common: 4 ids are the same, and their fields are not"
    )
    with pytest.raises(RunError) as caught:
        compare_runs([one])
    assert str(caught.value) == "compare takes two runs or more, and was given 1"


def test_a_metric_that_they_do_not_share_is_refused(ran):
    """An accuracy and an exact match are no pair."""
    one, other = ran(), ran(text=SUMS + "score: [accuracy]\n")
    with pytest.raises(RunError) as caught:
        compare_runs([one, other])
    assert str(caught.value) == (
        f"{str(one)!r} has exact_match and {str(other)!r} accuracy: no metric in common\n"
        "    run both files with the same `score`"
    )
    with pytest.raises(RunError) as caught:
        compare_runs([one, one], "exct_match")
    assert str(caught.value) == (
        "the runs do not both have the metric 'exct_match'\n    known: exact_match   did you mean 'exact_match'?"
    )


def test_without_targets_other_answers_are_flips(ran):
    """Nobody knows which is right; that they differ is known."""
    bare = SUMS.replace('  target: "{{ answer }}"\n', "")
    pair = pair_of(ran(text=bare), ran(GENERATION, text=bare))
    assert [(flip.id, flip.change) for flip in pair.flips] == [("b", 0)]
    assert pair.metrics["exact_match"].difference is None
    assert json.loads(json.dumps(pair.to_json(5)))["num_flips"] == 1


VOTED = SUMS.replace("align:\n", "generate: {samples: 2, temperature: 1}\nalign:\n") + "  - vote\n"


def test_votes_are_compared_as_they_were_decided(ran):
    """One score an example, whatever its samples say."""
    pair = pair_of(ran(text=VOTED), ran(GENERATION, text=VOTED))
    assert (pair.metrics["exact_match"].num, pair.metrics["exact_match"].num_better) == (4, 1)
    assert [(flip.before.answer, flip.after.answer, flip.cause) for flip in pair.flips] == [(5, 4, "generation")]


STAGES = SUMS.split("prompt:")[0] + (
    "stages:\n"
    '  - {name: solve, prompt: [{query: "Q: {{ question }}?\\nA:"}]}\n'
    '  - {name: say, prompt: [{query: "{{ stages.solve.text }} So {{ question }} is"}]\n'
    "     , align: [number]}\n"
)


def test_a_later_prompt_that_follows_from_an_earlier_text_is_no_other_prompt(ran):
    """The stage that wrote something else is the first to differ."""
    rules = ("when: '2 \\+ 2', completion: \" The answer is 5.\"", "when: '2 \\+ 2\\?', completion: \" Four.\"")
    said = ("  scripted:\n", "  scripted:\n    - {when: 'Four', completion: \"4\"}\n")
    pair = pair_of(ran(text=STAGES), ran(said, rules, text=STAGES))
    assert [(flip.id, flip.cause) for flip in pair.flips] == [("b", "generation")]


def test_what_pipelines_do_not_share_is_named_by_its_place():
    """Parts in the order of the flow; names and tests make no difference."""
    one = {"name": "a", "prompt": [{"query": "x"}], "generate": {"stop": ["a", "b"]}, "align": ["number"]}
    other = {"name": "b", "align": ["strip"], "prompt": [{"query": "y"}], "generate": {"stop": ["a"]}, "examples": [1]}
    assert [(each.part, each.path, dict(each.values)) for each in moved(one, other)] == [
        ("I", "prompt[0].query", {"before": "x", "after": "y"}),
        ("f", "generate.stop[1]", {"before": "b"}),
        ("O", "align[0]", {"before": "number", "after": "strip"}),
    ]
    assert moved({"chat": None}, {}) == [], "a section that is taken back is none"
    staged = [{"stages": [{"name": "s", "prompt": "p", "align": [each]}]} for each in ("number", "strip")]
    assert [(each.part, each.path) for each in moved(*staged)] == [("O", "stages[0].align[0]")]


def test_several_runs_are_all_compared_with_the_first(ran):
    """And their tests are paid for together."""
    compared = compare_runs([ran(), ran(GENERATION), ran(PARSER)])
    assert [each.number for each in compared.pairs] == [1, 2]
    assert [each.adjusted["exact_match"] for each in compared.pairs] == [1.0, 1.0]
