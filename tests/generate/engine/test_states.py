"""Texts as vectors: the numbers that transformers' own hidden states have, whatever stands beside a row."""

import random

import pytest
import torch

from promptkit.generate.engine.engine import Limits
from promptkit.generate.engine.loading import make_engine
from promptkit.generate.engine.states import NUM_TOKENS, batches, engine_means, plain_means, vectors_of
from promptkit.generate.meter import Meter
from tests.architectures import ARCHITECTURES, Spelling, tiny

ALL = [*ARCHITECTURES, "opt", "olmo3", "qwen3_moe", "gpt_oss"]
PLAIN = ("falcon",)  # the engine does not compute it


def engine_of(model):
    return make_engine(model, Spelling(), frozenset(), Meter(), Limits())


def rows(count, seed=0):
    draw = random.Random(seed)
    return [tuple(draw.randrange(3, 300) for _ in range(draw.randint(1, 40))) for _ in range(count)]


@torch.inference_mode()
def alone(model, row):
    """The means (L + 1, C) of all of a row's hidden states, from transformers' own forward pass over it alone."""
    states = model(input_ids=torch.tensor([row]), output_hidden_states=True).hidden_states
    return torch.stack([each[0].mean(dim=0) for each in states])


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ALL)
def test_means_are_those_of_transformers_hidden_states(architecture):
    """Every layer from the embedding to the last norm, by the engine and by the plain forward pass."""
    model = tiny(architecture)
    texts = rows(24)
    expected = torch.stack([alone(model, row) for row in texts])
    layers = range(expected.shape[1])
    torch.testing.assert_close(plain_means(model, texts, layers), expected, rtol=1e-4, atol=1e-4)
    if architecture not in PLAIN:
        torch.testing.assert_close(engine_means(engine_of(model), texts, layers), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.slow
def test_layers_come_in_the_order_in_which_they_are_asked_for_and_none_above_is_computed():
    """A layer in the middle costs half of the model."""
    model = tiny("llama")
    texts = rows(6)
    expected = torch.stack([alone(model, row) for row in texts])
    engine = engine_of(model)
    computed = []
    for number, layer in enumerate(engine.model.model.layers):
        layer.register_forward_hook(lambda *_, number=number: computed.append(number))
    torch.testing.assert_close(engine_means(engine, texts, [1, 0]), expected[:, [1, 0]], rtol=1e-4, atol=1e-4)
    assert set(computed) == {0}


def test_a_batch_holds_as_much_as_a_pass_takes_and_every_row_once():
    """Rows of like length go together, and one that is longer than a pass goes alone."""
    texts = [*rows(200), tuple(range(NUM_TOKENS + 5))]
    found = list(batches(texts))
    assert sorted(number for batch in found for number in batch) == list(range(201))
    assert found[0] == [200]
    assert all(len(batch) * max(len(texts[number]) for number in batch) <= NUM_TOKENS for batch in found[1:])
    for batch in batches(texts, is_even=True):
        assert len({len(texts[number]) for number in batch}) == 1


def test_vectors_weigh_layers_alike():
    """A layer whose numbers are a hundred times as large counts no more; the whole is of length 1."""
    means = torch.tensor([[[3.0, 4.0], [0.0, 200.0]]])
    half = 0.5**0.5
    assert vectors_of(means).tolist() == [pytest.approx([0.6 * half, 0.8 * half, 0.0, half])]
