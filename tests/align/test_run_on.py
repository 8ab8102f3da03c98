"""`run_on`: what a model writes after its answer is not its answer."""

import pytest

from promptkit.align import Answer, Chain, Context, RunOn

CHAIN = Chain((RunOn(),))
ANSWER = " He has 5 left. The answer is 5."


def kept(completion, **context):
    outcome = CHAIN.align(completion, Context(**context))
    assert isinstance(outcome, Answer)
    return outcome.value


@pytest.mark.parametrize(
    "more",
    [
        "\n\nQ: And Tom?\nA: 7",
        "\n\nQuestion: And Tom?",
        "\nQuestion 2: And Tom?",
        "\n**Question:** no",
        "\nProblem 3: And Tom?",
        "\n### Instruction\nAnd Tom?",
        "\nUser: And Tom?",
        "<|im_end|>\n<|im_start|>user\nAnd Tom?",
        "</s>[INST] And Tom?",
        "<|endoftext|>Human: 7",
    ],
)
def test_a_next_question_ends_the_completion(more):
    """Stops do the same while the model writes; completions from anywhere were written without (lm-eval#1086)."""
    assert kept(ANSWER + more).rstrip() == ANSWER


def test_the_pipelines_own_format_ends_it_too():
    """Derived from the templates: no list of words could know it."""
    text = ANSWER + "\nPassage: The next one.\nLabel: 7"
    assert kept(text) == text
    assert kept(text, formats=("Passage:",)).rstrip() == ANSWER


def test_a_question_said_again_is_no_next_one():
    """FIELD 11: such stops kill models that restate the question before they answer it."""
    restated = "Question: How many are left?\nAnswer: 5"
    assert kept(restated) == restated
    later = f"Let me read it once more.\n{restated}"
    assert kept(later, question="How many are left?") == later
    assert kept(later, question="What is the colour of the sky?") == "Let me read it once more.\n"


@pytest.mark.parametrize("answer", ["5", "Yes.", "(B)", "**No**", "New York", "\\boxed{5}"])
def test_a_question_after_a_short_answer_is_a_next_one(answer):
    """Models without a stop go on so after every answer, and the next one's is not this one's."""
    assert kept(f"{answer}\n\nQuestion: And Tom?\nAnswer: 7").rstrip() == answer


@pytest.mark.parametrize("preface", ["Sure!", "**Solution**", "## Eggs", "Let's see.", "Of course:", "---", "Step 1"])
def test_a_question_after_a_preface_is_the_one_asked(preface):
    """Nothing has been answered yet."""
    text = f"{preface}\n\nQuestion: How many are left?\nAnswer: 5"
    assert kept(text) == text


@pytest.mark.parametrize("text", ["5", "Q1. How many?\nFive.\nQ2. And now?\nFour.\nThe answer is 4.", "a Q: b"])
def test_what_goes_on_without_a_next_question_is_kept(text):
    """Models that take a question apart ask themselves, too."""
    assert kept(text) == text


def test_markers_of_ones_own_are_plain_texts(declare):
    """A full stop in one is a full stop."""
    chain = declare("align: {run_on: ['N.B.', 'P S:']}")
    assert chain.align("It is 5 at the least.\nP S: 6").value == "It is 5 at the least.\n"
    assert chain.align("It is 5 at the least.\nNxBx 6").value == "It is 5 at the least.\nNxBx 6"
