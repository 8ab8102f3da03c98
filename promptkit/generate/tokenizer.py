"""Text to tokens and back, with the tokenizers library alone: neither torch nor transformers is imported."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

__all__ = ["Tokenizer"]


class Tokenizer(Protocol):
    """A model's own tokenizer. `chat_template` is the model's, None where it has none."""

    @property
    def chat_template(self) -> str | None: ...

    @property
    def special_tokens(self) -> dict[str, str]:
        """The special tokens by role, such as `bos_token`."""

    def encode(self, text: str, *, add_special_tokens: bool = True) -> tuple[int, ...]:
        """The token ids of `text`, with BOS and the like where the model's tokenizer adds them."""

    def decode(self, token_ids: Sequence[int]) -> str:
        """The text of tokens, special tokens left out, nothing else changed."""

    def pieces(self, text: str) -> list[tuple[int, str]]:
        """Each token of `text`: its id, and how it reads."""
