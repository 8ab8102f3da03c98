"""What a choice of demonstrations asks the frozen model. Every answer is kept in the store: asked again, it costs nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from promptkit.data import Example
from promptkit.errors import DeclarationError, ModelError, PromptTooLong
from promptkit.generate import Generator, HasStates
from promptkit.prompt import ChatFormat, Demonstrations, Piece, Prompt
from promptkit.run.execute import Progress, execute
from promptkit.run.pipeline import Pipeline
from promptkit.run.plan import Job
from promptkit.run.prompter import chat_format
from promptkit.run.requests import choice_parts
from promptkit.run.store import Store, default_store
from promptkit.text import Problem

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from promptkit.generate.sentences import SentenceModel

__all__ = ["FrozenModel"]

MEANS = 1  # raised when the same text may give another vector than before
CHOOSING = "choosing demonstrations"
SHOWN = 40  # characters of a text in a message


@dataclass(frozen=True, slots=True, kw_only=True)
class FrozenModel:
    """The model of a pipeline, open, and the store; the user's own where none is named.

    `watch` is told how far it is with `choices`. `refresh` asks again what the store holds. `sentences` gives the model of
    sentence-transformers of a name, where several runs share it.
    """

    pipeline: Pipeline
    generator: Generator
    store: Path | None = None
    watch: Callable[[Callable[[], Progress]], None] = lambda _: None
    refresh: bool = False
    sentences: Callable[[str], SentenceModel] | None = None

    def within(self, stage: Pipeline) -> FrozenModel:
        """The same for one stage of the pipeline."""
        return replace(self, pipeline=stage)

    def embed(self, texts: Sequence[str], layers: Sequence[int] = ()) -> npt.NDArray[np.float32]:
        """The texts as vectors (N, L * D) of length 1; zero for a text without tokens. See `HasStates`.

        Raises `ModelError` where the model has no hidden states to be had, or no such layer, and `PromptTooLong`.
        """
        from promptkit.run.vectors import KeptVectors  # noqa: PLC0415 - brings numpy

        model = self.generator
        if not isinstance(model, HasStates) or model.tokenizer is None:
            raise ModelError(
                f"model {model.name!r}: its hidden states are not to be had, so it cannot tell which texts are near\n"
                "    a model on this machine can; `bm25`, or `knn` with `embed: NAME`, asks none"
            )
        chosen = model.layers(layers)
        tokens = model.tokenizer.encode_all(texts)
        self._check_room(texts, tokens)
        kept = KeptVectors(
            store=self.store or default_store(),
            identity={"model": model.identity, "layers": chosen, "means": MEANS},
            name=model.name,
            embed=partial(model.embed, layers=chosen),
            refresh=self.refresh,
        )
        return kept.of([(row, b"".join(token.to_bytes(4, "little") for token in row)) for row in tokens])

    def embed_with(self, name: str, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """The texts as vectors (N, D) of length 1 by another model: one of sentence-transformers, by its name."""
        from promptkit.generate.sentences import SentenceModel  # noqa: PLC0415 - only where a file asks for it
        from promptkit.run.vectors import KeptVectors  # noqa: PLC0415 - brings numpy

        model = (self.sentences or SentenceModel)(name)
        kept = KeptVectors(
            store=self.store or default_store(),
            identity=model.identity,
            name=name,
            embed=model.embed,
            refresh=self.refresh,
        )
        return kept.of([(text, text.encode()) for text in texts])

    def choices(self, asked: Sequence[tuple[Sequence[Example], Example]]) -> list[list[float]]:
        """For each pair of demonstrations and example: the log-likelihood of each of `choose`'s options after them.

        Raises `DeclarationError` where the pipeline has no `choose`, or several steps of demonstrations: none of them
        can be chosen by what the model says while another is not chosen yet.
        """
        chat = chat_format(self.pipeline, self.generator.tokenizer)
        jobs = [self._job(shown, example, chat) for shown, example in asked]
        with Store(self.store or default_store()) as store:
            made = execute(jobs, self.generator, store, self.watch, refresh=self.refresh)
        return [[option.log_likelihood for option in each.completion.options] for each in made]

    def _job(self, shown: Sequence[Example], example: Example, chat: ChatFormat | None) -> Job:
        """The job that scores the example's options after these demonstrations."""
        declared = self.pipeline.declaration
        steps = [step for step in declared.prompt if isinstance(step, Demonstrations)]
        if declared.choose is None or len(steps) > 1:
            why = f"{len(steps)} steps of demonstrations" if declared.choose else "no `choose`"
            message = f"demonstrations are chosen by what the model would answer, and the pipeline has {why}"
            raise DeclarationError([Problem(position=None, path=self.pipeline.file, message=message)])
        pieces: list[Piece] = []
        for step in declared.prompt:
            if isinstance(step, Demonstrations):
                pieces += step.pieces_of(shown)
            else:
                pieces += step.pieces(example, None)
        prompt = chat.prompt(pieces) if chat else Prompt.from_pieces(pieces)
        choice = choice_parts(declared.choose, example, prompt, self.generator.tokenizer)
        return Job(example=example, prompt=prompt, request=choice["request"], options=choice["options"], part=CHOOSING)

    def _check_room(self, texts: Sequence[str], tokens: Sequence[Sequence[int]]) -> None:
        """Nothing; or `PromptTooLong` that shows the first text that the model cannot read whole."""
        most = self.generator.context_length
        for text, row in zip(texts, tokens, strict=True):
            if most is not None and len(row) > most:
                raise PromptTooLong(
                    f"a text of {len(row)} tokens is to be compared, and {self.generator.name!r} reads {most} at most: "
                    f"{text[:SHOWN]!r} ...\n    `by:` says what is compared; nothing was cut"
                )
