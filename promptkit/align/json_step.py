"""`json`: a JSON document, or a value in it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import ConfigDict, Field

from promptkit.align.document import Document, documents
from promptkit.align.mending import strict
from promptkit.align.outcome import Found, Missing
from promptkit.align.pointer import Pointer, value_at
from promptkit.align.schema import Schema
from promptkit.align.step import AlignStep
from promptkit.align.take import TakeOne, take_from

__all__ = ["Json"]

MAX_CHECKED = 100_000  # characters of a document that a schema is checked on; that takes half a second


class Json(AlignStep):
    """Reads a JSON document: the whole text, else in a fence tagged as JSON, else an object or array in prose.

    Usual damage is put right (`repair`): wrong quotes, raw line ends, backslashes, comments, commas, Python's words.
    What could only be guessed at is no document, and so is one that does not end, though its last bracket alone were
    missing: nobody knows what else is. NaN and infinities are refused. Of a name that stands twice the last counts.
    A value that an earlier step read is taken as it is.
    """

    kind = "json"
    main: ClassVar[str | None] = "pointer"
    model_config = ConfigDict(populate_by_name=True)

    pointer: Pointer = Field(default="", description="the way to the answer in the document, /answer or /steps/0/text")
    schema_: Schema | None = Field(
        default=None,
        alias="schema",
        description="a JSON Schema that the document must fit, written here or in a file beside the pipeline's",
    )
    take: TakeOne = Field(
        default="last", description="which document of several in prose: first, last, only (ambiguous if they differ)"
    )
    repair: bool = Field(default=True, strict=True, description="whether usual damage is put right")
    open: bool = Field(
        default=False, strict=True, description="whether a document that does not end is read as if it ended there"
    )

    @property
    def from_files(self) -> str:
        """The schema, which may have a file of its own."""
        return json.dumps(self.schema_.content) if self.schema_ else ""

    def __call__(self, found: Found) -> Found | Missing:
        """The document, or the value in it that the pointer leads to."""
        if found.value is None:
            return Missing(reason="json reads text, not None")
        if not isinstance(found.value, str):
            return self.value_in(found)
        every = documents(found.value, repair=self.repair, is_open=self.open)
        chosen = every[-1:] if self.take == "last" else every
        return take_from((self.of(found, each) for each in chosen), self.take) or Missing(reason="no JSON document")

    def of(self, found: Found, document: Document) -> Found | Missing:
        """The answer of one document."""
        if document.reason:
            return Missing(reason=document.reason)
        span = document.span
        if self.schema_ is not None and span.end - span.start > MAX_CHECKED:
            length = span.end - span.start
            return Missing(reason=f"the document has {length} characters, a schema is checked on {MAX_CHECKED}")
        return self.value_in(found.part(span.start, span.end).become(document.value))

    def value_in(self, found: Found) -> Found | Missing:
        """The value that the pointer leads to, in a document that fits the schema."""
        if self.schema_ is not None and (violation := self.schema_.violation(found.value)):
            return Missing(reason=f"the document does not fit the schema: {violation}")
        try:
            value = value_at(found.value, self.pointer)
        except LookupError as error:
            return Missing(reason=str(error.args[0]))
        return Missing(reason=f"{self.pointer or 'the document'} is null") if value is None else found.become(value)

    def align_target(self, target: Any, fields: Mapping[str, Any]) -> Any:
        """A text that is a JSON object or array as its value; anything else as it is, as a later pointer may mean it."""
        if isinstance(target, str) and not self.pointer:
            try:
                value = strict(target)
            except ValueError:
                return target
            return value if isinstance(value, dict | list) else target
        return target
