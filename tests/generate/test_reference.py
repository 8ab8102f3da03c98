"""The plain engine over many architectures: batched, padded, rows leaving early, and still one-by-one's tokens."""

import random

import pytest

from tests.architectures import ARCHITECTURES, Spelling, tiny

pytestmark = pytest.mark.slow  # three imports of torch, and many small models


def engine(model):
    from promptkit.generate.meter import Meter
    from promptkit.generate.reference import Reference

    return Reference(model, Spelling(), frozenset({2}), Meter())


def rows(count):
    draw = random.Random(4)
    return [tuple(draw.randrange(3, 300) for _ in range(draw.randint(1, 40))) for _ in range(count)]


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_batched_tokens_equal_one_by_one_generation(architecture):
    """Sliding windows, soft-capping, learned positions: padding on the left must be seen by none of them."""
    import torch

    from promptkit.generate import Request, Sampling

    model = tiny(architecture)
    prompts = rows(6)
    limits = [3, 20, 11, 20, 7, 16]
    requests = [
        (index, Request(label="x", prompt="", token_ids=ids, sampling=Sampling(max_new_tokens=limit)))
        for index, (ids, limit) in enumerate(zip(prompts, limits, strict=True))
    ]
    made = dict(engine(model).complete(requests))
    for index, (ids, limit) in enumerate(zip(prompts, limits, strict=True)):
        tokens = torch.tensor([ids])
        with torch.inference_mode():
            out = model.generate(
                tokens, attention_mask=torch.ones_like(tokens), max_new_tokens=limit, do_sample=False, pad_token_id=0
            )
        assert made[index].token_ids == tuple(out[0, len(ids) :].tolist())


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_option_scores_equal_one_by_one_scores(architecture):
    """To 1e-4, whatever the model does to its logits after the last product."""
    import torch

    from promptkit.generate import Request

    model = tiny(architecture)
    options = [(5,), (6, 7), (8, 9, 10)]
    requests = [
        (
            index,
            Request(
                label="x",
                prompt="",
                token_ids=ids,
                options=tuple("abc"),
                option_token_ids=tuple(ids + option for option in options),
            ),
        )
        for index, ids in enumerate(rows(4))
    ]
    for index, completion in engine(model).score(requests):
        ids = requests[index][1].token_ids
        for option, score in zip(options, completion.options, strict=True):
            with torch.inference_mode():
                shares = model(torch.tensor([ids + option])).logits[0].double().log_softmax(-1)
            direct = sum(float(shares[len(ids) - 1 + place, token]) for place, token in enumerate(option))
            assert score.log_likelihood == pytest.approx(direct, abs=1e-4)


def test_the_head_is_float32_for_scoring_in_bfloat16():
    """bfloat16 logits tie where float32 logits of the same hidden states do not; greedy text is not touched."""
    import torch

    from promptkit.generate.head import float32_head

    model = tiny("llama").bfloat16()
    tokens = torch.tensor([[5, 6, 7]])
    with torch.inference_mode():
        with float32_head(model):
            fine = model(tokens).logits
        coarse = model(tokens).logits
        hidden = model.model(tokens).last_hidden_state
    assert fine.dtype == torch.float32
    assert coarse.dtype == torch.bfloat16
    torch.testing.assert_close(fine, hidden.float() @ model.lm_head.weight.float().T)
