"""One kind for each seam, as somebody else would write it: promptkit's public faces and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from pydantic import Field

from promptkit.align import AlignStep, Found, Missing
from promptkit.data import Example
from promptkit.generate import Completion, Generator, Loading, ModelDeclaration, Request, Work
from promptkit.prompt import Chooser, Gallery, Piece, Pool, PromptStep, Selector
from promptkit.score import Metric
from promptkit.spec import Coordinates

__all__ = ["LastWord", "Parrot", "SameLength", "Shortest", "Shout"]


class Shout(PromptStep):
    """A field of the example, in capitals."""

    kind = "shout"
    main: ClassVar[str | None] = "field"

    field: str = Field(description="the field's name")
    end: str = Field(default="!", description="what follows it")

    def pieces(self, example: Example, gallery: Gallery | None) -> list[Piece]:
        """The capitals."""
        return [Piece(text=str(example.fields[self.field]).upper() + self.end, kind=self.kind)]


class Shortest(Selector):
    """The shortest rows first."""

    kind = "shortest"

    def chooser(self, pool: Pool, seed: int) -> Chooser:
        """The pool by the length of its fields; the id decides between equals."""

        def length(number: int) -> tuple[int, str]:
            return len(str(dict(pool.rows[number].fields))), pool.rows[number].id

        return lambda _, allowed, num: sorted(allowed, key=length)[:num]


class Parrot(ModelDeclaration):
    """A model that says the end of its prompt again."""

    kind = "parrot"

    words: int = Field(default=1, ge=1, description="how many words it can remember")

    @property
    def label(self) -> str:
        """The name in tables."""
        return f"parrot-{self.words}"

    def open(self, loading: Loading) -> Generator:
        """The bird."""
        return Bird(self.words)


class Bird:
    """What `Parrot` opens."""

    tokenizer = None
    context_length = None
    work = Work()

    def __init__(self, words: int) -> None:
        self.words = words
        self.name = f"parrot-{words}"

    @property
    def identity(self) -> Mapping[str, Any]:
        """All that can change what it says."""
        return {"kind": "parrot", "words": self.words}

    def generate(self, requests: Sequence[Request]) -> Iterator[tuple[int, Completion]]:
        """The last words of each prompt."""
        for index, request in enumerate(requests):
            yield index, Completion(text=" ".join(request.prompt.split()[-self.words :]), num_new_tokens=self.words)


class LastWord(AlignStep):
    """The last word of the text."""

    kind = "last_word"
    coordinates: ClassVar[Coordinates] = Coordinates(alignment="structural")

    def __call__(self, found: Found) -> Found | Missing:
        """The word, with its own span."""
        text = str(found.value).rstrip(" .!\n")
        return found.part(text.rfind(" ") + 1, len(text)) if text else Missing(reason="there are no words")


class SameLength(Metric):
    """1 where answer and target have as many characters; else 0."""

    kind = "same_length"

    def __call__(self, answer: Any, target: Any) -> float:
        """1.0 or 0.0."""
        return float(len(str(answer)) == len(str(target)))


def no_step() -> None:
    """Nothing that promptkit could use, though an entry point names it."""
