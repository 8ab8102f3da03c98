"""What of a model decides the memory that a run of it takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from promptkit.generate.prepared import Facts

__all__ = ["Shape"]

BASE = 520 * 10**6  # a run's process with torch and compiled loops, as resident; transformers takes 180 MB more
CARD_BASE = 600 * 10**6  # CUDA's context and the workspaces of its libraries
DTYPE_SIZES = {"float32": 4, "bfloat16": 2, "float16": 2}
HEAD_LINES = 256  # of logits, where only sums over them are kept; see `blocks`
# whose logits are one product; see `blocks`
PLAIN = frozenset({"llama", "mistral", "olmo2", "qwen2", "qwen3", "smollm3"})
LAID_OUT = frozenset({"llama", "mistral", "qwen2"})  # architectures whose blocks `fuse` lays out anew


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What of a model decides the memory that a run of it takes. All sizes are known; `assumed` names those guessed."""

    num_parameters: int
    dtype_size: int
    num_layers: int
    num_heads: int
    num_kv_heads: int
    key_size: int
    value_size: int
    hidden_size: int
    intermediate_size: int
    vocab_size: int
    laid_out: int = 0  # bytes of weights that the engine lays out anew, beside the file's
    head_copy: int = 0  # bytes of a tied head's second copy
    lines_at_once: int | None = (
        None  # of logits, where options are scored: all of them, or so many with sums kept alone
    )
    base: int = BASE
    is_on_card: bool = False
    assumed: tuple[str, ...] = ()

    @classmethod
    def of(
        cls, facts: Facts, dtype: str, *, is_on_card: bool = False, lays_out: bool = True, has_units: bool = False
    ) -> Self:
        """The shape of a model in a dtype. What its configuration does not say is assumed rather too large than too small.

        `lays_out` says whether the processor has bfloat16 units, for which all weights of a block are laid out anew, and
        `has_units` whether they are matrix units, which sum logits without writing them.
        """
        sizes, size = facts.sizes, DTYPE_SIZES[dtype]
        usual = assumed_sizes(facts.num_parameters)
        known = {name: getattr(sizes, name) or value for name, value in usual.items()}
        is_new = facts.architecture in LAID_OUT and not is_on_card
        is_packed = dtype == "bfloat16" and lays_out and not is_on_card
        blocks = laid_out(known, is_packed=is_packed) if is_new else 0
        is_summed = is_packed and facts.architecture in PLAIN
        head = known["vocab_size"] * known["hidden_size"] if is_packed else 0
        return cls(
            num_parameters=facts.num_parameters,
            dtype_size=size,
            **known,
            laid_out=size * (blocks + (0 if sizes.is_tied else head)),
            head_copy=size * head if sizes.is_tied else 0,
            lines_at_once=(0 if has_units else HEAD_LINES) if is_summed else None,
            base=CARD_BASE if is_on_card else BASE,
            is_on_card=is_on_card,
            assumed=tuple(name for name in usual if getattr(sizes, name) is None),
        )

    @property
    def layer_bytes_per_token(self) -> int:
        """What one token's keys and values take in one layer."""
        return self.num_kv_heads * (self.key_size + self.value_size) * self.dtype_size

    @property
    def bytes_per_token(self) -> int:
        """What one token's keys and values take."""
        return self.num_layers * self.layer_bytes_per_token

    @property
    def weights(self) -> int:
        """The bytes of the weights, once."""
        return self.num_parameters * self.dtype_size

    @property
    def pass_bytes_per_token(self) -> int:
        """What one token of a pass takes while a layer is computed, without its lines: hidden states, gates, heads, attention."""
        hidden = 4 * self.hidden_size + 3 * self.intermediate_size
        heads = self.num_heads * self.key_size + self.num_kv_heads * (self.key_size + self.value_size)
        out = self.num_heads * self.value_size
        return self.dtype_size * (hidden + heads + 2 * out)

    @property
    def line_bytes(self) -> int:
        """What one line of attention takes: what a token found among one run of keys, in float32."""
        return 4 * self.num_heads * self.value_size


def assumed_sizes(num_parameters: int) -> dict[str, int]:
    """Sizes of a decoder of so many parameters, with the usual proportions, but twice the layers and no shared heads.

    A block has some 12 C² parameters (Kaplan et al. 2020, table 1), and C is about 128 times the number of blocks.
    """
    hidden = max(64, round((num_parameters * 128 / 12) ** (1 / 3)))
    heads = max(1, hidden // 64)
    return {
        "num_layers": max(2, 2 * hidden // 128),
        "num_heads": heads,
        "num_kv_heads": heads,
        "key_size": 64,
        "value_size": 64,
        "hidden_size": hidden,
        "intermediate_size": 4 * hidden,
        "vocab_size": 262_144,
    }


def laid_out(known: Mapping[str, int], *, is_packed: bool) -> int:
    """How many of the blocks' weights are laid out anew on a processor: where they are packed for its bfloat16 units all
    that are multiplied with, else those of modules that are joined.
    """
    hidden, gates = known["hidden_size"], known["intermediate_size"]
    queries, kept = known["num_heads"] * known["key_size"], known["num_kv_heads"] * known["key_size"]
    joined = hidden * (queries + 2 * kept) + 2 * hidden * gates
    single = queries * hidden + gates * hidden
    return known["num_layers"] * (joined + (single if is_packed else 0))
