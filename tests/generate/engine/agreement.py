"""Requests that bring out where an engine errs, and what it must agree on with the reference."""

import random
from typing import Any

import pytest

from tests.architectures import ARCHITECTURES, MORE, Spelling

# What the engine does not compute, and why: to be made shorter knowingly, and longer never.
FALLS_BACK = {
    "falcon": "its attention has no interface",
    "gptj": "its attention has no interface",
    "gpt_neo": "its attention has no interface",
    "codegen": "its attention has no interface",
    "bloom": "its attention has no interface",
    "mpt": "its attention has no interface",
    "stablelm": "its modules do not hand the engine's state on (KeyError)",
    "nemotron": "its modules do not hand the engine's state on (KeyError)",
    "mamba": "it has layers of the kind linear_attention",
    "jamba": "it has layers of the kind linear_attention",
    "qwen3_next": "it has layers of the kind linear_attention",
    "lfm2": "it has layers of the kind conv",
    "llama4_text": "it has layers of the kind chunked_attention",
}
EXACT = [name for name in (*ARCHITECTURES, *MORE) if name not in FALLS_BACK]
WAYS: list[dict[str, Any]] = [
    {},
    {"num_slots": 3, "chunk": 7},
    {"num_slots": 2, "chunk": 33, "num_guesses": 0},
    {"num_slots": 4, "is_shared": False},
]


def reference(model, eos=frozenset({2})):
    from promptkit.generate.meter import Meter
    from promptkit.generate.reference import Reference

    return Reference(model, Spelling(), eos, Meter())


def engine(model, card=None, **limits):
    from promptkit.generate.engine.engine import Limits
    from promptkit.generate.engine.loading import make_engine
    from promptkit.generate.meter import Meter

    return make_engine(model, Spelling(), frozenset({2}), Meter(), Limits(**limits), card=card)


def alone(compute, requests):
    """The completions by index, each computed with nothing beside it."""
    return {index: made for request in requests for index, made in compute([request])}


def token_rows():
    """Prompts of two levels of shared beginnings, equal ones, one that is another's beginning, one of one token."""
    draw = random.Random(4)

    def some(count):
        return tuple(draw.randrange(3, 300) for _ in range(count))

    root, middles = some(30), [some(20), some(20)]
    rows = [root + middles[number % 2] + some(draw.randint(1, 20)) for number in range(7)]
    return [*rows, rows[0], root[:10], some(1)]


def completing(rows, seed=0, **sampling):
    from promptkit.generate import Request, Sampling

    draw = random.Random(seed)
    return [
        (
            index,
            Request(
                label="x",
                prompt="",
                token_ids=row,
                sampling=Sampling(**{"max_new_tokens": draw.randint(1, 14), **sampling}),
                seed=index,
            ),
        )
        for index, row in enumerate(rows)
    ]


def asking(rows, seed=0):
    """Options of few distinct tokens, so that they share beginnings; for some rows the join changes the prompt's end."""
    from promptkit.generate import Request

    draw = random.Random(seed)
    asked = []
    for index, row in enumerate(rows):
        kept = row[:-1] if index % 3 == 0 and len(row) > 1 else row
        tails = [tuple(draw.randrange(3, 6) for _ in range(draw.randint(1, 6))) for _ in range(4)]
        options = tuple(kept + tail for tail in (*tails, tails[0] + (7, 8)))
        request = Request(label="x", prompt="", token_ids=row, options=tuple("abcde"), option_token_ids=options)
        asked.append((index, request))
    return asked


def assert_same(made, expected):
    assert {index: each.token_ids for index, each in made.items()} == {
        index: each.token_ids for index, each in expected.items()
    }
    assert made == expected


def assert_close(made, expected):
    assert made.keys() == expected.keys()
    for index, completion in expected.items():
        for one, other in zip(made[index].options, completion.options, strict=True):
            assert (one.text, one.num_tokens) == (other.text, other.num_tokens)
            assert one.log_likelihood == pytest.approx(other.log_likelihood, abs=1e-4)
