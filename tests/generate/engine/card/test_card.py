"""The engine as it computes on a card, its programs written as loops: the same tokens as the reference's.

What is tested is all but the programs themselves and the card's own repeating: who reads what, where keys and values lie,
how steps are rounded up to sizes and filled in. `test_programs` has the programs; `test_on_card` a card, where there is one.
"""

import random
from dataclasses import replace

import pytest

from tests.architectures import tiny
from tests.generate.engine.agreement import (
    EXACT,
    WAYS,
    alone,
    asking,
    assert_close,
    assert_same,
    completing,
    engine,
    reference,
    token_rows,
)

pytestmark = pytest.mark.slow  # many small models


def card(**sizes):
    from promptkit.generate.engine.card.card import Card
    from tests.generate.engine.card.loops import Loops
    from tests.generate.engine.card.tape import Taped

    kernels = Taped(Loops(**sizes))
    return Card(kernels, kernels.record)


@pytest.mark.parametrize("architecture", EXACT)
def test_tokens_and_scores_equal_the_references(architecture):
    """With prompts cut into chunks, few slots, and steps that are repeated once they were seen often enough."""
    model = tiny(architecture)
    plain = reference(model)
    prompts, questions = completing(token_rows(), max_new_tokens=6), asking(token_rows()[::3])
    completions, scores = alone(plain.complete, prompts), alone(plain.score, questions)
    made = engine(model, card(), num_slots=3, chunk=33)
    assert made.card is not None and made.stack is None
    assert_same(dict(made.complete(prompts)), completions)
    assert_close(dict(made.score(questions)), scores)
    assert made.card.steps.num_repeated > 10


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("architecture", ["llama", "gemma2"])
def test_the_tokens_are_the_same_however_small_the_pieces(architecture, way):
    """Pieces of two tokens and five keys: every run is cut, and every token has many lines."""
    model = tiny(architecture)
    prompts = completing(token_rows(), max_new_tokens=10)
    expected = alone(reference(model).complete, prompts)
    made = engine(model, card(num_tokens=2, num_keys=5), **way)
    assert_same(dict(made.complete(prompts)), expected)
    assert_same(dict(made.complete(prompts[::-1])), expected)
