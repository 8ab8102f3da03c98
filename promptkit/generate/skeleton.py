"""A usual decoder put together from its outline and its weights, without transformers.

Importing transformers' models brings tensors spread over machines, quantisers, a compiler and losses: two seconds, and
nothing of it is needed where the engine's own blocks take the place of every layer. What is left of a model then is its
embedding, its rotary positions, its last norm and its head: the same arithmetic, written out here.
"""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from safetensors.torch import load_file
from torch import nn

from promptkit.generate.engine.blocks import window_of
from promptkit.generate.outline import Outline

__all__ = ["Skeleton", "outline_of", "put_together"]

# the models whose modules around their layers are these and no others, and rotary positions that no length changes
USUAL = frozenset({"LlamaForCausalLM", "MistralForCausalLM", "Qwen2ForCausalLM"})
FIXED_ROTARY = frozenset({"default", "linear", "llama3", "yarn"})
GATES = frozenset({"SiLU", "SiLUActivation"})


def outline_of(model: Any) -> Outline | None:
    """The outline of a model that transformers has made; None where a skeleton would not compute what it computes."""
    is_known = type(model).__name__ in USUAL and type(model).__module__.startswith("transformers.models.")
    if not is_known or model.device.type != "cpu":
        return None
    base = model.model
    layers, rotary = list(base.layers), base.rotary_emb
    norms = [base.norm, *(norm for each in layers for norm in (each.input_layernorm, each.post_attention_layernorm))]
    classes = {type(each).__name__ for each in layers}
    settings = {(each.self_attn.head_dim, float(each.self_attn.scaling)) for each in layers}
    epsilons = {float(each.variance_epsilon) for each in norms}
    is_even = len(classes) == len(settings) == len(epsilons) == 1
    if not is_even or not is_plain(model) or rotary.rope_type not in FIXED_ROTARY:
        return None
    head_size, scale = settings.pop()
    return Outline(
        model_class=type(model).__name__,
        layer_class=classes.pop(),
        head_size=head_size,
        attention_scale=scale,
        epsilon=epsilons.pop(),
        windows=tuple(window_of(each.self_attn) for each in layers),
        kinds=tuple(getattr(each, "attention_type", "full_attention") for each in layers),
        inverse_frequencies=tuple(rotary.inv_freq.tolist()),
        rotary_scale=float(rotary.attention_scaling),
        is_tied=model.lm_head.weight is base.embed_tokens.weight,
    )


def is_plain(model: Any) -> bool:
    """Whether the linear maps are nothing but that, the gates the usual ones, and all numbers of one dtype."""
    modules = dict(model.named_modules())
    maps = [each for name, each in modules.items() if name.endswith(("_proj", "lm_head"))]
    gates = [each for name, each in modules.items() if name.endswith(".act_fn")]
    return (
        all(type(each) is nn.Linear for each in maps)
        and all(type(each).__name__ in GATES for each in gates)
        and {each.dtype for each in model.parameters()} == {model.dtype}
    )


def put_together(outline: Outline, folder: Path, dtype: torch.dtype) -> Skeleton:
    """The model of an outline with the weights (model.safetensors, or its parts) in a folder, which are mapped, not read.

    Raises `KeyError`, `ValueError` or what safetensors raises where they are not the weights of such a model.
    """
    weights: dict[str, torch.Tensor] = {}
    whole = folder / "model.safetensors"  # which transformers reads rather than parts
    for path in [whole] if whole.is_file() else sorted(folder.glob("model-*.safetensors")):
        weights |= load_file(path)
    weights = {name: weight.to(dtype) for name, weight in weights.items()}
    if outline.is_tied:
        weights["lm_head.weight"] = weights["model.embed_tokens.weight"]
    # the engine knows modules by the names of their classes
    model: Skeleton = type(outline.model_class, (Skeleton,), {})(outline, weights)
    unknown = set(weights) - set(model.state_dict())
    if unknown:
        raise ValueError(f"weights that such a model does not have: {sorted(unknown)}")
    return model.eval()


class Skeleton(nn.Module):
    """A causal language model, once the engine has put its blocks in: the layers themselves compute nothing."""

    def __init__(self, outline: Outline, weights: dict[str, torch.Tensor]) -> None:
        super().__init__()
        self.model = Decoder(outline, weights)
        self.lm_head = linear("lm_head", weights)

    @property
    def base_model(self) -> nn.Module:
        """The model without its head."""
        return self.model

    @property
    def device(self) -> torch.device:
        """Where the weights lie."""
        return self.lm_head.weight.device

    @property
    def dtype(self) -> torch.dtype:
        """That of the weights."""
        return self.lm_head.weight.dtype

    def get_output_embeddings(self) -> nn.Module:
        """The head."""
        return self.lm_head

    def forward(self, *, logits_to_keep: torch.Tensor, **inputs: Any) -> SimpleNamespace:
        """`logits` (B, n, V) after the tokens at the places `logits_to_keep` (n,)."""
        hidden = self.model(**inputs).last_hidden_state
        return SimpleNamespace(logits=self.lm_head(hidden[:, logits_to_keep, :]))


class Decoder(nn.Module):
    """The model without its head."""

    def __init__(self, outline: Outline, weights: dict[str, torch.Tensor]) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding.from_pretrained(weights["model.embed_tokens.weight"])  # type: ignore[no-untyped-call]
        layer_class = type(outline.layer_class, (Layer,), {})
        self.layers = nn.ModuleList(layer_class(outline, weights, place) for place in range(len(outline.kinds)))
        self.norm = Norm("model.norm", weights, outline.epsilon)
        self.rotary_emb = Rotary(outline)

    def forward(self, *, input_ids: torch.Tensor, position_ids: torch.Tensor, **rest: Any) -> SimpleNamespace:
        """`last_hidden_state` (B, T, C) of tokens (B, T) at their positions (B, T)."""
        hidden = self.embed_tokens(input_ids)
        angles = self.rotary_emb(hidden, position_ids)
        for layer in self.layers:
            hidden = layer(hidden, position_embeddings=angles, **rest)
        return SimpleNamespace(last_hidden_state=self.norm(hidden))


class Rotary(nn.Module):
    """The angles of rotary positions. Su et al. 2021, section 3.2.2."""

    def __init__(self, outline: Outline) -> None:
        super().__init__()
        self.inv_freq = torch.tensor(outline.inverse_frequencies)
        self.scale = outline.rotary_scale

    def forward(self, hidden: torch.Tensor, position_ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Cosines and sines (B, T, D), in the dtype of the hidden states, of positions (B, T)."""
        half = position_ids[..., None].float() * self.inv_freq
        whole = torch.cat((half, half), dim=-1)
        return (whole.cos() * self.scale).to(hidden.dtype), (whole.sin() * self.scale).to(hidden.dtype)


class Layer(nn.Module):
    """A layer's weights and settings, under the names of transformers' modules."""

    def __init__(self, outline: Outline, weights: dict[str, torch.Tensor], place: int) -> None:
        super().__init__()
        name = f"model.layers.{place}"
        self.attention_type = outline.kinds[place]
        self.input_layernorm = Norm(f"{name}.input_layernorm", weights, outline.epsilon)
        self.post_attention_layernorm = Norm(f"{name}.post_attention_layernorm", weights, outline.epsilon)
        self.self_attn = linears(f"{name}.self_attn", ("q_proj", "k_proj", "v_proj", "o_proj"), weights)
        self.self_attn.head_dim = outline.head_size
        self.self_attn.scaling = outline.attention_scale
        self.self_attn.layer_idx = place
        self.self_attn.sliding_window = outline.windows[place]
        self.mlp = linears(f"{name}.mlp", ("gate_proj", "up_proj", "down_proj"), weights)
        self.mlp.act_fn = nn.SiLU()


class Norm(nn.Module):
    """The RMS norm. Zhang and Sennrich 2019, section 3."""

    def __init__(self, name: str, weights: dict[str, torch.Tensor], epsilon: float) -> None:
        super().__init__()
        self.weight = frozen(weights[f"{name}.weight"])
        self.variance_epsilon = epsilon

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        """The norm (..., C) in the dtype of `hidden` (..., C), rounded where transformers' modules round."""
        wide = hidden.float()
        scaled = wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + self.variance_epsilon)
        return self.weight * scaled.to(hidden.dtype)


def linears(name: str, parts: tuple[str, ...], weights: dict[str, torch.Tensor]) -> Any:
    """A module of linear maps, which itself computes nothing."""
    module = nn.Module()
    for part in parts:
        module.add_module(part, linear(f"{name}.{part}", weights))
    return module


def linear(name: str, weights: dict[str, torch.Tensor]) -> nn.Linear:
    """A linear map by its weights.

    It is made small: of full size it would draw random numbers first, and on the "meta" device torch imports its
    compiler for that.
    """
    made = nn.Linear(1, 1, bias=f"{name}.bias" in weights)
    made.weight = frozen(weights[f"{name}.weight"])
    made.out_features, made.in_features = made.weight.shape
    if made.bias is not None:
        made.bias = frozen(weights[f"{name}.bias"])
    return made


def frozen(weight: torch.Tensor) -> nn.Parameter:
    """The weight as a parameter that is not trained."""
    return nn.Parameter(weight, requires_grad=False)
