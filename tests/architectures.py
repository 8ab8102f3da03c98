"""Tiny models of many architectures, of random weights: what two engines have to agree on."""

from typing import Any

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
    "gemma2": {"head_dim": 16, "sliding_window": 8, "query_pre_attn_scalar": 16, "tie_word_embeddings": False},
    "gemma3_text": {"head_dim": 16, "sliding_window": 8, "query_pre_attn_scalar": 16, "tie_word_embeddings": False},
    "phi3": {},
    "gpt2": {"n_embd": 48, "n_layer": 3, "n_head": 4, "n_positions": 128},
    "gpt_neox": {},
    "olmo2": {},
    "falcon": {"new_decoder_architecture": False, "alibi": False},
    "granite": {"logits_scaling": 2.0, "residual_multiplier": 0.5},
    "starcoder2": {"sliding_window": None},
    "cohere": {"logit_scale": 0.5},
}
MIXED: dict[str, object] = {
    "layer_types": ["sliding_attention", "full_attention", "sliding_attention"],
    "sliding_window": 8,
}
EXPERTS: dict[str, object] = {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 32}
MORE: dict[str, dict[str, object]] = {  # beyond those that the reference itself is tested with
    "phi": {"partial_rotary_factor": 0.5},
    "stablelm": {"partial_rotary_factor": 0.5},
    "opt": {"ffn_dim": 96, "word_embed_proj_dim": 48, "init_std": 0.3},
    "olmo": {},
    "olmo3": MIXED,
    "gptj": {"n_embd": 48, "n_layer": 3, "n_head": 4, "n_positions": 128, "rotary_dim": 8},
    "gpt_neo": {"attention_types": [[["global", "local"], 2]], "num_hidden_layers": 4, "window_size": 8},
    "codegen": {"n_embd": 48, "n_layer": 3, "n_head": 4, "n_positions": 128, "rotary_dim": 8},
    "gpt_bigcode": {"n_embd": 48, "n_layer": 3, "n_head": 4, "n_positions": 128},
    "qwen2_moe": {**EXPERTS, "shared_expert_intermediate_size": 32},
    "qwen3_moe": {**EXPERTS, "head_dim": 16},
    "mixtral": {"num_local_experts": 4, "num_experts_per_tok": 2},
    "olmoe": EXPERTS,
    "cohere2": {**MIXED, "logit_scale": 0.5},
    "gpt_oss": {**MIXED, "head_dim": 16, "num_local_experts": 4, "num_experts_per_tok": 2},
    "smollm3": {"no_rope_layers": [1, 0, 1]},
    "exaone4": MIXED,
    "glm": {"head_dim": 16, "partial_rotary_factor": 0.5},
    "glm4": {"head_dim": 16, "partial_rotary_factor": 0.5},
    "nemotron": {"partial_rotary_factor": 0.5},
    "granitemoe": {"num_local_experts": 4, "num_experts_per_tok": 2, "attention_multiplier": 0.25},
    "helium": {"head_dim": 12},
    "ernie4_5": {"head_dim": 16},
    "hunyuan_v1_dense": {"head_dim": 16},
    "seed_oss": {"head_dim": 16},
    "arcee": {},
    "apertus": {},
    "ministral": {"head_dim": 16, **MIXED},
    "gemma": {"head_dim": 16, "tie_word_embeddings": False},
    "deepseek_v3": {
        "n_routed_experts": 4,
        "num_experts_per_tok": 2,
        "n_group": 1,
        "topk_group": 1,
        "moe_intermediate_size": 32,
        "kv_lora_rank": 16,
        "q_lora_rank": 16,
        "qk_rope_head_dim": 8,
        "qk_nope_head_dim": 8,
        "v_head_dim": 12,
        "num_key_value_heads": 4,
        "first_k_dense_replace": 1,
    },
    "bloom": {"n_layer": 3, "n_head": 4},
    "mpt": {"d_model": 48, "n_layers": 3, "n_heads": 4, "max_seq_len": 128},
    "persimmon": {},
    "mamba": {"state_size": 8},
    "jamba": {"num_experts": 2, "attn_layer_period": 2, "attn_layer_offset": 1, "use_mamba_kernels": False},
    "lfm2": {"layer_types": ["conv", "full_attention", "conv"]},
    "qwen3_next": {
        **EXPERTS,
        "head_dim": 16,
        "layer_types": ["linear_attention", "full_attention", "linear_attention"],
    },
    "llama4_text": {
        "head_dim": 16,
        "num_local_experts": 2,
        "intermediate_size_mlp": 96,
        "attention_chunk_size": 8,
        "layer_types": ["chunked_attention", "full_attention", "chunked_attention"],
    },
}


class _Spelling:
    """A stand-in for a tokenizer: every token is one character, so any sequence of tokens is a text."""

    chat_template = None
    special_tokens: dict[str, str] = {}  # noqa: RUF012 - it has none

    def decode(self, token_ids: Any) -> str:
        return "".join(chr(0x4E00 + number) for number in token_ids)


Spelling: Any = _Spelling  # what else a tokenizer does, no engine asks for


def tiny(architecture: str, **settings: object) -> Any:
    """A model of random weights, float32; `settings` beside those of its architecture."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    torch.manual_seed(1)
    known = {**ARCHITECTURES, **MORE}[architecture]
    config = AutoConfig.for_model(architecture, **{**SMALL, **known, **settings})
    return AutoModelForCausalLM.from_config(config).float().eval()
