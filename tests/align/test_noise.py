"""What no model would write, and some do: bytes of any kind, through every step that promptkit ships."""

import random
from pathlib import Path

import pytest

from promptkit.align import KINDS, STATUSES, Answer, Chain, Context

# what a kind that needs parameters is given; a kind that needs none is tried as it is
PARAMETERS = {
    "after": "is ",
    "all_of": {"parts": {"a": "number", "b": ["boxed", "strip"]}, "optional": "b"},
    "before": [".", "</think>"],
    "between": {"start": "[", "end": ["]", "}"], "open": True},
    "capture": "name",
    "first": ["number", {"regex": "a.c"}, "strip"],
    "grammar": {"text": 'start: "answer is " NUMBER\n%import common.NUMBER', "anchor": "anywhere"},
    "map": {"table": {"a": 1}, "otherwise": "keep"},
    "pmi": "Answer:",
    "reject": ["12", "is .$"],
    "regex": {"pattern": "(?i)answer is:?\\s*(?P<answer>[^\\n]+)|(?P<answer>\\d+)", "take": "last"},
}
NOT_TRIED = {
    "best": "reads samples",
    "linear": "reads scores",
    "python": "code of one's own",
    "use": "chains of these: see below",
    "vote": "reads samples",
}
CONTEXT = Context(
    fields={"options": ["A) 5", "B) the moon"]}, prompt="Q: 2 + 2?\nA:", question="2 + 2?", formats=("Q:",)
)
READY_MADE = sorted((Path(__file__).parents[2] / "templates" / "align").glob("*.yaml"))
NUM_TEXTS, MAX_LENGTH = 10_000, 120
PIECES = [b"answer is ", b"<think>", b"</think>", b"\\boxed{", b"{", b"}", b"[", b'"', b"12,5", b"```", b"\n", b"(B)"]


def noise():
    """Random bytes, read as text in the way that nothing fails; every second one with pieces of what steps look for."""
    chance = random.Random(4)
    for number in range(NUM_TEXTS):
        parts = [chance.randbytes(chance.randrange(MAX_LENGTH))]
        if number % 2:
            parts += [part for _ in range(4) for part in (chance.choice(PIECES), chance.randbytes(chance.randrange(8)))]
            chance.shuffle(parts)
        yield b"".join(parts).decode("utf-8", errors="replace")


TEXTS = list(noise())


def check(chain):
    """Reads every text. A step that raised would say so in its reason."""
    for text in TEXTS:
        outcome = chain.align(text, CONTEXT)
        assert outcome.status in STATUSES
        if isinstance(outcome, Answer):
            assert 0 <= outcome.span.start <= outcome.span.end <= len(text)
        else:
            assert " raised " not in outcome.reason


@pytest.mark.parametrize("kind", sorted(KINDS.keys() - NOT_TRIED))
def test_no_step_raises_and_every_span_lies_in_the_text(kind):
    """A run of a million rows meets everything."""
    check(Chain((KINDS[kind].model_validate(PARAMETERS.get(kind, {})),)))


@pytest.mark.slow
@pytest.mark.parametrize("name", [path.stem for path in READY_MADE])
def test_no_ready_made_chain_raises(name):
    """Their steps meet what other steps made of it."""
    check(Chain((KINDS["use"].model_validate({"chain": name}),)))
