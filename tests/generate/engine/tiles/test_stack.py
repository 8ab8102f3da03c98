"""Whole models in tiles: against the float32 model of the same weights, as near as transformers' own bfloat16 is."""

import functools
import random
from typing import Any

import pytest

from tests.architectures import Spelling, tiny

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("matrix_units")]  # small models, and what is compiled for them

SIZES: dict[str, object] = {
    "vocab_size": 320,
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "head_dim": 32,
    "max_position_embeddings": 512,
}
WINDOWS: dict[str, object] = {
    "use_sliding_window": True,
    "sliding_window": 24,
    "layer_types": ["full_attention", "sliding_attention", "full_attention"],
}
MODELS: dict[str, tuple[str, dict[str, object]]] = {
    "llama": ("llama", {}),
    "llama, two heads kept, tied": ("llama", {"num_key_value_heads": 2, "tie_word_embeddings": True}),
    "llama, biases everywhere in attention": ("llama", {"attention_bias": True}),
    "mistral, a window of 40": ("mistral", {"sliding_window": 40}),
    "mistral, a window of 8": ("mistral", {"sliding_window": 8}),
    "qwen2": ("qwen2", {}),
    "qwen2, a window in some layers": ("qwen2", WINDOWS),
}
UNFIT: dict[str, dict[str, object]] = {
    "gates that are no whole number of tiles": {"intermediate_size": 80},
    "heads of half a tile": {"num_attention_heads": 4, "head_dim": 16},
    "a hidden size of one tile and a half": {"hidden_size": 48, "head_dim": 32},
    "gates with biases": {"mlp_bias": True},
    "another activation": {"hidden_act": "gelu"},
}


def small(name, **more):
    """A model of sizes that fit tiles, of weights that bfloat16 holds, in float32."""
    import torch

    architecture, settings = MODELS[name]
    model = tiny(architecture, **{**SIZES, **settings, **more})
    for key, each in model.named_parameters():
        if key.endswith("bias"):
            torch.nn.init.normal_(each)
    return model.bfloat16().float()


def engine(model, **limits):
    from promptkit.generate.engine.engine import Limits
    from promptkit.generate.engine.loading import make_engine
    from promptkit.generate.meter import Meter

    return make_engine(model, Spelling(), frozenset({2}), Meter(), Limits(**limits))


def reference(model):
    from promptkit.generate.meter import Meter
    from promptkit.generate.reference import Reference

    return Reference(model, Spelling(), frozenset({2}), Meter())


@functools.cache
def made(name):
    """The engine of a model in bfloat16; made once, for those who only ask it."""
    return engine(small(name).bfloat16())


def token_rows():
    """Rows that share most of their beginning, on two levels, and end at many positions."""
    draw = random.Random(4)

    def some(count):
        return tuple(draw.randrange(3, 300) for _ in range(count))

    root, middles = some(60), [some(25), some(40)]
    return [root + middles[number % 2] + some(draw.randint(2, 36)) for number in range(8)]


def engine_logits(made, rows):
    """The logits (2 n, V) after the last two tokens of each row: stretches, what is each row's own, a step of decoding."""
    import torch

    from promptkit.generate import Request
    from promptkit.generate.engine.live import Live
    from promptkit.generate.engine.stretch import Slots
    from promptkit.generate.engine.tree import grow_tree
    from promptkit.generate.engine.trunk import Trunk
    from promptkit.generate.row import Row

    tree = grow_tree([row[:-1] for row in rows], min_stretch=2, min_saved=2)
    trunk, slots = Trunk(tree), Slots(len(rows), max(map(len, rows)))
    live = [
        Live(
            row=Row.start(number, Request(label="x", prompt="", token_ids=row[:-1]), made.tokenizer),
            slot=slots.free.pop(),
            below=trunk.stretch(tree.below[number]),
            start=tree.shared(number),
            following=row[-1],
        )
        for number, row in enumerate(rows)
    ]
    with torch.inference_mode():
        made.compute_stretches([each.below for each in live if each.below])
        first, second = (walk(slots, live, wants_logits=True).written for walk in (made.enter, made.step))
    return torch.stack([first, second], dim=1).flatten(0, 1).float()


def plain_logits(model, rows):
    """The same by the model's own forward pass."""
    import torch

    from promptkit.generate.engine.loading import plain_logits as of_trial

    return torch.cat([of_trial(model, row) for row in rows])


def error(some, exact):
    """The root mean square of the difference."""
    return float((some - exact).square().mean().sqrt())


def assert_as_near_as_the_models_own(fast, name, **more):
    """The engine's error is at most half as much again as that of transformers in the same dtype."""
    rows = token_rows()
    exact = plain_logits(small(name, **more), rows)
    plain = plain_logits(small(name, **more).bfloat16(), rows)
    assert error(plain, exact) > 0
    assert error(engine_logits(fast, rows), exact) <= 1.5 * error(plain, exact)


@pytest.mark.parametrize("name", MODELS)
def test_logits_of_the_stack_are_as_near_as_the_models_own(name):
    """Same weights, other roundings: no further from the float32 model than transformers' forward pass in bfloat16."""
    assert made(name).stack is not None
    assert_as_near_as_the_models_own(made(name), name)


@pytest.mark.parametrize("reason", UNFIT)
def test_what_does_not_fit_tiles_has_no_stack_and_agrees_all_the_same(reason):
    """The layers keep their modules, or are computed one by one; attention takes tiles where its heads fit."""
    fast = engine(small("llama", **UNFIT[reason]).bfloat16())
    assert fast.stack is None
    assert_as_near_as_the_models_own(fast, "llama", **UNFIT[reason])


def test_a_vocabulary_that_does_not_fit_keeps_the_stack():
    """Only the last product is computed otherwise then."""
    from promptkit.generate.engine.tiles.stack import TileHead

    fast = engine(small("llama", vocab_size=301).bfloat16())
    assert fast.stack is not None
    assert not isinstance(fast.head, TileHead)
    assert_as_near_as_the_models_own(fast, "llama", vocab_size=301)


def test_the_models_own_layers_are_gone_where_there_is_a_stack():
    """Their weights are not kept twice; who calls them is told."""
    with pytest.raises(RuntimeError, match="this layer is computed by the engine's stack"):
        made("llama").model.base_model.layers[0]()


@pytest.mark.parametrize("name", ["llama", "mistral, a window of 40", "qwen2"])
def test_a_row_alone_and_among_others_gives_nearly_the_same(name):
    """What is shared is summed in another order, and rounded: by less than half of the error that bfloat16 makes."""
    import torch

    rows = token_rows()
    exact, plain = plain_logits(small(name), rows), plain_logits(small(name).bfloat16(), rows)
    together = engine_logits(made(name), rows)
    alone = torch.cat([engine_logits(made(name), [row]) for row in rows])
    assert error(alone, together) <= 0.5 * error(plain, exact)


def completing(rows, num):
    from promptkit.generate import Request, Sampling

    sampling = Sampling(max_new_tokens=num)
    return [(index, Request(label="x", prompt="", token_ids=row, sampling=sampling)) for index, row in enumerate(rows)]


def asking(rows):
    """Options of few distinct tokens, so that they share beginnings."""
    from promptkit.generate import Request

    draw = random.Random(0)
    asked = []
    for index, row in enumerate(rows):
        options = tuple(row + tuple(draw.randrange(3, 6) for _ in range(draw.randint(1, 6))) for _ in range(5))
        request = Request(label="x", prompt="", token_ids=row, options=tuple("abcde"), option_token_ids=options)
        asked.append((index, request))
    return asked


@pytest.mark.parametrize("limits", [{"num_slots": 3, "chunk": 50}, {"num_slots": 8, "num_guesses": 0}], ids=str)
def test_rows_in_few_slots_write_what_they_write_in_many(limits):
    """Slots are used again, prompts enter in pieces; a token may differ only where two were nearly as likely."""
    from dataclasses import replace

    fast, requests = made("llama"), completing(token_rows(), 12)
    before = fast.limits
    every = dict(fast.complete(requests))
    fast.limits = replace(before, **limits)
    few = dict(fast.complete(requests))
    fast.limits = before
    assert every.keys() == few.keys()
    for index, row in enumerate(token_rows()):
        one, other = every[index].token_ids, few[index].token_ids
        same = next((n for n, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), None)
        if same is not None:
            assert_nearly_as_likely((*row, *one[:same]), one[same], other[same])


def assert_nearly_as_likely(row, one, other):
    """The float32 model's logits of two tokens after a row lie as near to each other as bfloat16 errs."""
    (logits,) = plain_logits(exact_model("llama"), [row])[-1:]
    assert abs(float(logits[one] - logits[other])) < 0.2 * float(logits.std())


@functools.cache
def exact_model(name):
    return small(name)


@pytest.mark.parametrize("name", ["llama", "mistral, a window of 40", "qwen2"])
def test_option_scores_are_as_near_as_the_references(name):
    """A token's share in an option's score, against float32; and from one bfloat16 to the other, never 0.4 apart."""
    import torch

    def scores(compute):
        done = [each for _, made in sorted(compute(asking(token_rows()))) for each in made.options]
        return torch.tensor([each.log_likelihood / each.num_tokens for each in done])

    exact, plain = scores(reference(exact_model(name)).score), scores(reference(small(name).bfloat16()).score)
    fast = scores(made(name).score)
    assert error(fast, exact) <= 1.5 * error(plain, exact)
    assert float((fast - plain).abs().max()) < 0.4


@functools.cache
def tile_head():
    """A last product of 64 inputs and 1,024 tokens."""
    import torch

    from promptkit.generate.engine.tiles.stack import TileHead

    torch.manual_seed(0)
    return TileHead(torch.nn.Linear(64, 1024, bias=False).bfloat16())


def hidden_states(num):
    """Hidden states (n, C), and their exact logits (n, V), float64."""
    import torch

    torch.manual_seed(num)
    hidden = (torch.randn(num, 64) * 8).bfloat16()
    return hidden, hidden.double() @ tile_head().weight.double().T


@pytest.mark.parametrize("num", [1, 31, 100, 600])
def test_the_likeliest_token_is_that_of_exact_logits(num):
    """Wherever the first is ahead of the second by more than float32 sums err; there bfloat16 logits often tie."""
    import torch

    hidden, logits = hidden_states(num)
    top = logits.topk(2, dim=1).values
    is_clear = top[:, 0] - top[:, 1] > 1e-4
    assert float(is_clear.float().mean()) > 0.9
    made = torch.tensor(tile_head().likeliest(hidden))
    assert torch.equal(made[is_clear], logits.argmax(dim=1)[is_clear])


@pytest.mark.parametrize("num", [1, 40, 600])
def test_of_equally_likely_tokens_the_first_is_taken(num):
    """Whichever thread finds which: the reference takes the first, too. Small whole numbers tie exactly."""
    import torch
    from torch import nn

    from promptkit.generate.engine.tiles.stack import TileHead

    torch.manual_seed(num)
    linear = nn.Linear(32, 1024, bias=False).bfloat16()
    linear.weight.data = torch.randint(-1, 2, (1024, 32)).bfloat16()
    hidden = torch.randint(-2, 3, (num, 32)).bfloat16()
    logits = hidden.double() @ linear.weight.data.double().T
    assert TileHead(linear).likeliest(hidden) == [row.index(max(row)) for row in logits.tolist()]


@pytest.mark.parametrize("num", [1, 40, 600])
def test_log_shares_are_those_of_exact_logits(num):
    """To 1e-4, for likely and unlikely tokens: options are told apart by less than bfloat16 logits could say."""
    import torch

    hidden, logits = hidden_states(num)
    draw = random.Random(num)
    rows = [draw.randrange(num) for _ in range(200)]
    tokens = [draw.randrange(1024) for _ in range(200)]
    wanted = logits.log_softmax(dim=1)[rows, tokens]
    shares = torch.tensor(tile_head().log_shares(hidden, rows, tokens), dtype=torch.float64)
    torch.testing.assert_close(shares, wanted, rtol=0, atol=1e-4)


def test_written_logits_are_rounded_once():
    """In the shape that was asked with; what draws samples reads them."""
    import torch

    hidden, logits = hidden_states(6)
    made = tile_head()(hidden.view(2, 3, 64))
    assert made.shape == (2, 3, 1024)
    torch.testing.assert_close(made.view(6, -1).double(), logits, rtol=2**-8, atol=1e-4)


@pytest.fixture
def no_units(monkeypatch):
    """A processor without matrix units."""
    monkeypatch.setattr("promptkit.generate.engine.tiles.units.has_tiles", lambda: False)
    monkeypatch.setattr("promptkit.generate.engine.stretch.takes_tiles", lambda *_: False)


def test_without_matrix_units_float32_tokens_are_the_references(no_units):
    """Every processor gives the tokens of the plain way."""
    requests = completing(token_rows(), 10)
    fast = engine(small("llama"))
    assert fast.stack is None
    expected = {index: each for request in requests for index, each in reference(small("llama")).complete([request])}
    assert dict(fast.complete(requests)) == expected


@pytest.mark.parametrize("name", ["llama", "mistral, a window of 40", "qwen2"])
def test_without_matrix_units_bfloat16_logits_are_as_near(name, no_units):
    """The loops that serve such processors, for the same model."""
    fast: Any = engine(small(name).bfloat16())
    assert fast.stack is None
    assert_as_near_as_the_models_own(fast, name)
