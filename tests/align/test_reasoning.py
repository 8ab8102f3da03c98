"""`reasoning`: what a reasoning model says, apart from what it thought."""

import pytest

from promptkit.align import Answer, Apart, Chain, Context, Reasoning

CHAIN = Chain((Reasoning(),))
THINKING_TOO_LONG = "the thinking never closes"


def said(completion, **context):
    outcome = CHAIN.align(completion, Context(**context))
    return outcome.value.strip() if isinstance(outcome, Answer) else (outcome.status, outcome.reason)


@pytest.mark.parametrize(
    "completion",
    [
        "<think>\n2 + 2 is 5? No.\n</think>\n\n4",
        "2 + 2 is 5? No.\n</think>\n\n4",
        "<think>a <think>b</think> c</think>4",
        "<think>a</think> 5, or <think>b</think> 4",
        "<thinking>a</thinking>4",
        "<THINK>a</THINK>4",
        "[THINK]a[/THINK]4",
        "\u25c1think\u25b7a\u25c1/think\u25b7 4",
        "<|begin_of_thought|>a<|end_of_thought|>\n<|begin_of_solution|>4<|end_of_solution|>",
        "<|START_THINKING|>a<|END_THINKING|><|START_RESPONSE|>4<|END_RESPONSE|>",
        "<|channel|>analysis<|message|>a<|end|><|start|>assistant<|channel|>final<|message|>4<|return|>",
        "analysisLet me see.assistantfinal4",
        "4<think>was that right? yes</think>",
        "4",
        " 4<|im_end|>\n",
    ],
)
def test_the_answer_is_what_stands_outside_the_thinking(completion):
    """Opened in the prompt, nested, several, in the tags of many models (lm-eval PR#3675, PR#3700)."""
    assert said(completion) == "4"


@pytest.mark.parametrize("completion", ["<think>it is 4, I", "4 <think>or", "<think>a</think>5<think>no, 4"])
def test_thinking_that_never_closes_has_no_answer(completion):
    """What stands in it was not said; the text itself shows that it was cut (lm-eval#3403)."""
    assert said(completion) == ("truncated", THINKING_TOO_LONG)


def test_thinking_that_the_prompt_opened_may_never_close():
    """Nothing in the completion shows it: the prompt does."""
    reason = "the thinking, opened in the prompt, never closes"
    assert said("it is 4, I", prompt="Q: 2 + 2?\n<think>\n") == ("truncated", reason)
    assert said("it is 4", prompt="Write <think> before you think.") == "it is 4"


def test_nothing_after_the_thinking_is_no_answer():
    """The model stopped before it said anything."""
    assert said("<think>it is 4</think>\n") == ("unparsed", "nothing follows the thinking")


def test_the_thinking_is_captured_with_its_span():
    """A person wants to see it, and to count it."""
    text = "<think>two and two</think> 4"
    outcome = CHAIN.align(text)
    assert isinstance(outcome, Answer)
    capture = outcome.captures["thinking"]
    assert capture.value == "two and two"
    assert text[capture.span.start : capture.span.end] == "two and two"
    assert text[outcome.span.start : outcome.span.end] == " 4"


def test_a_model_of_ones_own_has_its_own_tags(declare):
    """New models come with new tags."""
    chain = declare("align: {reasoning: [['<<', '>>']]}")
    assert chain.align("<< <think> >>4").value == "4"


def test_what_is_known_of_the_thinking_goes_before_its_tags():
    """Tags may have no text of their own, or be others than the step's; thinking after it is left out all the same."""
    text = "it is 5 4"
    assert said(text, thinking=Apart(is_open=False, end=7)) == "4"
    assert said(text, thinking=Apart(is_open=True, end=9)) == ("truncated", THINKING_TOO_LONG)
    assert said(text, thinking=Apart(is_open=False, end=9)) == ("unparsed", "nothing follows the thinking")
    forced = "<think>it is</think>\n\n5? No.\n</think>\n\n4"
    assert said(forced, thinking=Apart(is_open=False, end=22)) == "4"
    outcome = CHAIN.align("<think>two and two</think> 4", Context(thinking=Apart(is_open=False, end=27)))
    assert isinstance(outcome, Answer)
    assert (outcome.value, outcome.captures["thinking"].value) == ("4", "two and two")
