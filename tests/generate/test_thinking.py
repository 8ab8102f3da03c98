"""Thinking: budget, forced close, and that stops, answers and constraints wait until it is over."""

import re
from dataclasses import replace
from typing import Any

import pytest

from promptkit.generate import Request, Sampling, Think, Thought


class Letters:
    """A stand-in for a tokenizer: a token is a letter, but for the two tags, which have no text where they are special."""

    chat_template = None
    special_tokens: dict[str, str] = {}  # noqa: RUF012 - it has none
    tags = ("<think>", "</think>")

    def __init__(self, *, is_special=False):
        self.is_special = is_special

    def encode(self, text, *, add_special_tokens=True):
        found = []
        while text:
            tag = next((place for place, tag in enumerate(self.tags) if text.startswith(tag)), None)
            found.append(ord(text[0]) if tag is None else 0x20000 + tag)
            text = text[1 if tag is None else len(self.tags[tag]) :]
        return tuple(found)

    def decode(self, token_ids):
        tags = ("", "") if self.is_special else self.tags
        return "".join(tags[each - 0x20000] if each >= 0x20000 else chr(each) for each in token_ids if each)


def row(text, prompt="Q", think=None, is_special=False, settled=None, **sampling):
    """The completion of a row whose model would write `text`, and then end."""
    from promptkit.generate.row import Row

    tokenizer: Any = Letters(is_special=is_special)
    limits = Sampling(**{"max_new_tokens": 20, **sampling})
    thinking = (think or Think()).thinking(prompt, limits.max_new_tokens, tokenizer)
    ids = tokenizer.encode(prompt)
    asked = Request(label="x", prompt=prompt, token_ids=ids, sampling=limits, thinking=thinking, settled=settled)
    made = Row.start(0, asked, tokenizer)
    for token in [*tokenizer.encode(text), 0]:
        while made.forced:
            if ended := made.finished(made.taken(token), frozenset({0})):
                return made.completion(ended)
        if ended := made.finished(made.taken(token), frozenset({0})):
            return made.completion(ended)
    raise AssertionError("it went on")


def seen(made):
    return made.text, made.ended, made.thought


def thought(state, num_tokens, num_forced, end):
    return Thought(state=state, num_tokens=num_tokens, num_forced=num_forced, end=end)


def test_stops_count_only_after_the_thinking():
    """FIELD 3, 11: vllm#17292; a stop such as a blank line fires in any thinking, and in the space after it."""
    made = row("<think>a\n\nb</think>\n\nc\n\nd", stop=("\n\n",))
    assert seen(made) == ("<think>a\n\nb</think>\n\nc", "stop", thought("closed", 6, 0, 21))


def test_a_completion_that_does_not_open_it_is_all_answer():
    """A model that was told not to think, or that does not: its stops hold from the first token."""
    assert seen(row("\n\nc", stop=("\n\n",))) == ("", "stop", thought("none", 0, 0, 0))
    assert seen(row("c <think>\n\n", stop=("\n\n",))) == ("c <think>", "stop", thought("none", 0, 0, 0))
    assert seen(row("<thin")) == ("<thin", "eos", thought("none", 0, 0, 0))
    assert row("abcdef", max_new_tokens=3).ended == "length"


@pytest.mark.parametrize(
    ("prompt", "is_open"),
    [("Q<think>\n", True), ("Q<think>\n\n</think>\n\n", False), ("Q", False), ("<think>a</think>b<think>so,", True)],
)
def test_the_prompt_may_have_opened_it(prompt, is_open):
    """FIELD 3, lm-eval PR#3675: templates do, and some close it at once where no thinking is asked for."""
    made = row("a</think>b", prompt)
    assert made.thought == (thought("closed", 2, 0, 9) if is_open else thought("none", 0, 0, 0))
    assert row("a</think>b", prompt, Think(opened=not is_open)).thought != made.thought


def test_a_spent_budget_closes_it_and_the_answer_goes_on():
    """What is forced is written as if the model had written it, and counted apart."""
    made = row("<think>abcdefghi", think=Think(budget=4))
    assert seen(made) == ("<think>abc</think>\n\ndefghi", "eos", thought("forced", 4, 3, 20))
    assert made.num_new_tokens == len(made.token_ids) == 4 + 3 + 6 + 1
    said = row("<think>abcdefghi", think=Think(budget=4, then=" So.</think> It is "), stop=(" ",))
    assert seen(said)[0] == "<think>abc So.</think> It is defghi"
    assert said.text[said.thought.end :] == "It is defghi"


def test_a_budget_of_nothing_is_no_thinking():
    """The same as a template that closes it at once, for models whose template cannot."""
    assert row("abc", "Q<think>", Think(budget=0)).text == "</think>\n\nabc"
    assert row("<think>abc", think=Think(budget=0)).text == "<think></think>\n\nabc"
    assert row("abc", think=Think(budget=0)).text == "abc"


def test_thinking_never_eats_the_answer():
    """`max_new_tokens` counts what comes after it. Without a budget it has as many tokens itself, and then ends."""
    made = row("<think>abcdefg</think>hijklmn", think=Think(budget=12), max_new_tokens=3)
    assert seen(made) == ("<think>abcdefg</think>hij", "length", thought("closed", 9, 0, 22))
    assert seen(row("<think>abcdefg</think>", max_new_tokens=5)) == ("<think>abcd", "length", thought("open", 5, 0, 11))


def test_thinking_that_ends_the_text_is_open():
    """It said nothing; no answer may be read out of it."""
    assert seen(row("<think>a\n\n", stop=("\n\n",))) == ("<think>a\n\n", "eos", thought("open", 5, 0, 10))


def test_tags_without_text_of_their_own_are_seen():
    """Special tokens are left out of a text; the place at which the answer begins is known all the same."""
    made = row("<think>a\n\nb</think>\n\nc\n\nd", stop=("\n\n",), is_special=True)
    assert seen(made) == ("a\n\nb\n\nc", "stop", thought("closed", 6, 0, 6))
    assert row("<think>abcde", think=Think(budget=3), is_special=True).text == "ab\n\ncde"


def test_an_answer_is_looked_for_only_after_the_thinking():
    """`stop_when_answered` is shown what follows it and nothing else."""
    asked = []

    def settled(text):
        asked.append(text)
        return "7" in text

    made = row("<think>7 7</think> is 7.", settled=settled)
    assert seen(made) == ("<think>7 7</think> is 7", "answered", thought("closed", 5, 0, 19))
    assert asked == ["i", "is", "is ", "is 7"]


@pytest.mark.slow
class TestEngines:
    """Tags are letters here, so that random weights write them."""

    thinks = (
        Think(open="e", close="a", opened=True),
        Think(budget=5, close="e", opened=True),
        Think(budget=9, open="zz", close="zq", opened=True, then="zq So: "),
        Think(budget=3, open="o", close="zq", opened=False),
        Think(budget=0, opened=True),
        None,
    )

    def requests(self, generator, num=18, *, temperature=0.0, constraint=None):
        prompts = [f"Q: How many apples are there? {'A: ' * (number % 3)}{number % 5}" for number in range(num)]
        for number, prompt in enumerate(prompts):
            think = self.thinks[number % len(self.thinks)]
            sampling = Sampling(max_new_tokens=10 + number % 7, temperature=temperature, stop=("ee",))
            yield Request(
                label=str(number),
                prompt=prompt,
                token_ids=generator.tokenizer.encode(prompt),
                sampling=replace(sampling, stop=()) if constraint else sampling,
                seed=number,
                thinking=think.thinking(prompt, sampling.max_new_tokens, generator.tokenizer) if think else None,
                constraint=constraint,
                wants_likelihood=number % 4 == 0,
            )

    @pytest.mark.parametrize("temperature", [0.0, 1.0])
    @pytest.mark.parametrize("is_constrained", [False, True])
    def test_rows_think_the_same_whatever_stands_beside_them(self, tiny_model, cache, temperature, is_constrained):
        """Forced tokens go through in one pass, as guesses that are right; still one by one's tokens."""
        from promptkit.generate import Constrain, Loading
        from promptkit.generate.engine.engine import Engine
        from promptkit.generate.local_generator import LocalGenerator

        generator = LocalGenerator(str(tiny_model), Loading(dtype="float32"))
        constraint = Constrain(regex="[0-9]{2,3} apples").fixed if is_constrained else None
        requests = list(self.requests(generator, temperature=temperature, constraint=constraint))
        alone = [generator.alone(request) for request in requests]
        for slots in (1, 3, 18):
            generator.loading = replace(generator.loading, slots=slots)
            made = dict(generator.generate(requests))
            assert isinstance(generator.engine, Engine)
            for index, expected in enumerate(alone):
                likelihood = made[index].log_likelihood
                assert made[index] == replace(expected, log_likelihood=likelihood), requests[index].thinking
                assert likelihood == (expected.log_likelihood and pytest.approx(expected.log_likelihood, abs=1e-3))
        assert {each.thought.state for each in alone if each.thought} >= {"closed", "forced", "none"}
        for each in alone:
            answer = each.text[each.thought.end if each.thought else 0 :]
            assert not is_constrained or each.ended == "length" or re.fullmatch(" ?[0-9]{2,3} apples", answer)
