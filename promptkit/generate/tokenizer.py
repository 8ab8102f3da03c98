"""Text to tokens and back, with the tokenizers library alone: neither torch nor transformers is imported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import tokenizers

__all__ = ["FastTokenizer", "Tokenizer"]


class Tokenizer(Protocol):
    """A model's own tokenizer."""

    @property
    def chat_template(self) -> str | None:
        """The model's chat template, in Jinja; None where it has none."""

    @property
    def special_tokens(self) -> dict[str, str]:
        """The special tokens by role, such as `bos_token`."""

    def encode(self, text: str, *, add_special_tokens: bool = True) -> tuple[int, ...]:
        """The token ids of `text`, with BOS and the like where the model's tokenizer adds them."""

    def encode_all(self, texts: Sequence[str], *, add_special_tokens: bool = True) -> list[tuple[int, ...]]:
        """The token ids of each text, as `encode` gives them."""

    def starts_all(self, texts: Sequence[str], *, add_special_tokens: bool = True) -> list[list[int]]:
        """For each text: the character at which each token begins; -1 for a token that was put around the text."""

    def decode(self, token_ids: Sequence[int]) -> str:
        """The text of tokens, special tokens left out, nothing else changed."""

    def pieces(self, text: str, *, add_special_tokens: bool = True) -> list[tuple[int, str]]:
        """Each token of `text`: its id, and the stretch of text that it covers; a special token's own name."""


class FastTokenizer:
    """A tokenizer read from the `tokenizer.json` that was prepared for a model."""

    def __init__(self, path: Path, chat_template: str | None, special_tokens: Mapping[str, str]) -> None:
        self.path = path
        self.chat_template = chat_template
        self.special_tokens = dict(special_tokens)

    @cached_property
    def backend(self) -> tokenizers.Tokenizer:
        """The tokenizers library's object, read when it is first needed."""
        import tokenizers  # noqa: PLC0415 - most verbs need no tokens

        backend = tokenizers.Tokenizer.from_file(str(self.path))
        backend.no_truncation()
        backend.no_padding()
        return backend

    def encode(self, text: str, *, add_special_tokens: bool = True) -> tuple[int, ...]:
        """The token ids of `text`, with BOS and the like where the model's tokenizer adds them."""
        return tuple(self.backend.encode(text, add_special_tokens=add_special_tokens).ids)

    def encode_all(self, texts: Sequence[str], *, add_special_tokens: bool = True) -> list[tuple[int, ...]]:
        """The token ids of each text, as `encode` gives them, on all processors at once."""
        encoded = self.backend.encode_batch_fast(list(texts), add_special_tokens=add_special_tokens)
        return [tuple(each.ids) for each in encoded]

    def starts_all(self, texts: Sequence[str], *, add_special_tokens: bool = True) -> list[list[int]]:
        """For each text: the character at which each token begins; -1 for a token that was put around the text."""
        encoded = self.backend.encode_batch(list(texts), add_special_tokens=add_special_tokens)
        return [
            [
                -1 if outside else start
                for (start, _), outside in zip(each.offsets, each.special_tokens_mask, strict=True)
            ]
            for each in encoded
        ]

    def decode(self, token_ids: Sequence[int]) -> str:
        """The text of tokens, special tokens left out, nothing else changed."""
        return self.backend.decode(list(token_ids), skip_special_tokens=True)

    def pieces(self, text: str, *, add_special_tokens: bool = True) -> list[tuple[int, str]]:
        """Each token of `text`: its id, and the stretch of text that it covers; a special token's own name."""
        encoded = self.backend.encode(text, add_special_tokens=add_special_tokens)
        stretches = zip(encoded.ids, encoded.tokens, encoded.offsets, strict=True)
        return [(number, text[start:end] if end > start else token) for number, token, (start, end) in stretches]
