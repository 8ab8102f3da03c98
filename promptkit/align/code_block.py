"""`code_block`: code between fences."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from pydantic import Field

from promptkit.align.fence import Block, blocks
from promptkit.align.outcome import Found, Missing
from promptkit.align.step import ItemStep
from promptkit.align.take import Take, take_from
from promptkit.spec import Texts

__all__ = ["CodeBlock"]


class CodeBlock(ItemStep):
    """Finds code between fences, three or more backticks or tildes; a block that is empty is none.

    Where the fence is indented, as it is in a list, so much is taken off the code's lines.
    """

    kind = "code_block"
    main: ClassVar[str | None] = "language"

    language: Texts = Field(
        default=(), description="the language that the fence must be tagged with, or several; any block if not given"
    )
    take: Take = Field(
        default="last", description="which block: first, last, only (ambiguous if they differ), all (gives a list)"
    )
    open: bool = Field(
        default=False, strict=True, description="whether a last block that is not closed counts, to the text's end"
    )

    def read(self, found: Found) -> Found | Missing:
        """The code that is asked for."""
        every = list(blocks(found.value))
        return take_from(self.candidates(found, every), self.take) or Missing(reason=self.absent(every))

    def candidates(self, found: Found, every: list[Block]) -> Iterator[Found]:
        """The code of each block that counts."""
        for block in every:
            code = found.value[block.code.start : block.code.end]
            if (block.is_closed or self.open) and self.speaks(block) and code.strip():
                part = found.part(block.code.start, block.code.end)
                yield part.become(dedented(code, len(block.indent))) if block.indent else part

    def speaks(self, block: Block) -> bool:
        """Whether the block is in a language that is asked for."""
        return not self.language or block.language in {language.lower() for language in self.language}

    def absent(self, every: list[Block]) -> str:
        """Why there is no code."""
        wanted = f" in {' or '.join(self.language)}" if self.language else ""
        if any(self.speaks(block) and not block.is_closed for block in every) and not self.open:
            return f"the code block{wanted} is not closed"
        others = sorted({block.language or "no language" for block in every if not self.speaks(block)})
        return f"no code block{wanted}" + (f"; there are some in {', '.join(others)}" if others else "")


def dedented(code: str, width: int) -> str:
    """The code without up to so many characters of white space, or of quotes, before each line."""
    return "".join(
        line[len(line) - len(line[:width].lstrip(" \t>") + line[width:]) :] for line in code.splitlines(True)
    )
