"""The plain engine over many architectures: batched, padded, rows leaving early, and still one-by-one's tokens."""

import random

import pytest

pytestmark = pytest.mark.slow  # three imports of torch, and many small models

SMALL: dict[str, object] = {
    "vocab_size": 300,
    "hidden_size": 48,
    "intermediate_size": 96,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 128,
    "initializer_range": 0.3,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
ARCHITECTURES: dict[str, dict[str, object]] = {
    "llama": {},
    "qwen2": {},
    "qwen3": {"head_dim": 16},
    "mistral": {"sliding_window": 8},
    "gemma2": {"head_dim": 16, "sliding_window": 8, "query_pre_attn_scalar": 16},
    "gemma3_text": {"head_dim": 16, "sliding_window": 8, "query_pre_attn_scalar": 16},
    "phi3": {},
    "gpt2": {"n_embd": 48, "n_layer": 3, "n_head": 4, "n_positions": 128},
    "gpt_neox": {},
    "olmo2": {},
    "falcon": {"new_decoder_architecture": False, "alibi": False},
    "granite": {"logits_scaling": 2.0, "residual_multiplier": 0.5},
    "starcoder2": {"sliding_window": None},
    "cohere": {"logit_scale": 0.5},
}


class Spelling:
    """A stand-in for a tokenizer: every token is one character, so any sequence of tokens is a text."""

    chat_template = None
    special_tokens: dict[str, str] = {}  # noqa: RUF012 - it has none

    def decode(self, token_ids):
        return "".join(chr(0x4E00 + number) for number in token_ids)


def tiny(architecture):
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    torch.manual_seed(1)
    config = AutoConfig.for_model(architecture, **{**SMALL, **ARCHITECTURES[architecture]})
    return AutoModelForCausalLM.from_config(config).float().eval()


def engine(model):
    from promptkit.generate.meter import Meter
    from promptkit.generate.reference import Reference

    return Reference(model, Spelling(), frozenset({2}), Meter())  # type: ignore[arg-type]


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
