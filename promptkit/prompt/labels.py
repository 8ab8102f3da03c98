"""Labels that are changed on purpose, to learn what a model takes from its demonstrations."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from promptkit.data import Example
from promptkit.errors import DataError
from promptkit.prompt.pool import Frozen, Pool
from promptkit.prompt.shown import Relabelled
from promptkit.spec import Declaration
from promptkit.text import known_names

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["Deceived", "Labels", "Relabelling"]

SYMBOLS = ("foo", "bar", "baz", "qux", "quux", "corge", "grault", "garply")


class Labels(Declaration):
    """A change of what demonstrations show as their label (Min et al. 2022, section 4; Wei et al. 2023, sections 3 and 4)."""

    main: ClassVar[str | None] = "how"

    how: Literal["flipped", "random", "symbolic"] = Field(
        alias="as",
        description="flipped: the other of two classes, of more always the same other one, drawn by the step's `seed`; random: "
        "one of the classes, drawn for each row; symbolic: a word without meaning for each class",
    )
    field: str = Field(default="label", description="the field that holds the label")
    share: float = Field(
        default=1.0,
        ge=0,
        le=1,
        description="the share of the demonstrations that are changed; the seed decides which",
    )
    among: tuple[Any, ...] | None = Field(
        default=None, min_length=2, description="the classes; the field's values in the pool, sorted, if not given"
    )
    symbols: dict[str, str] | tuple[str, ...] = Field(
        default=SYMBOLS,
        description="with `symbolic`: the words, one a class in the classes' order; or a map from classes to words",
    )

    @field_validator("symbols", mode="before")
    @classmethod
    def _as_text(cls, symbols: Any) -> Any:
        if isinstance(symbols, dict):
            return {str(key): str(value) for key, value in symbols.items()}
        return tuple(map(str, symbols)) if isinstance(symbols, list | tuple) else symbols

    @field_validator("among")
    @classmethod
    def _without_places(cls, among: tuple[Any, ...] | None) -> tuple[Any, ...] | None:
        return among and tuple(str(each) if isinstance(each, str) else each for each in among)

    @model_validator(mode="after")
    def _fits_together(self) -> Labels:
        if "symbols" in self.model_fields_set and self.how != "symbolic":
            message = "`symbols` are for `as: symbolic`, and the labels are {how}"
            raise PydanticCustomError("stray", message, {"how": self.how, "at": ("symbols",)})
        words = list(self.symbols.values() if isinstance(self.symbols, dict) else self.symbols)
        if len(set(words)) < len(words):
            raise PydanticCustomError("symbols", "two of the words are the same", {"at": ("symbols",)})
        return self

    def relabelling(self, pool: Pool, seed: int) -> Relabelling:
        """What changes the labels of a pool's rows. Raises `DataError` where its classes are not as declared."""
        values = self.among or [self.value(row) for row in pool.rows]
        classes = {str(value): value for value in values}
        names = list(classes) if self.among else sorted(classes)
        if len(names) < 2 and self.how != "symbolic":
            raise DataError(
                f"labels: the field {self.field!r} has one class in the pool, {names[0]!r}: no other to show"
            )
        return Relabelling(labels=self, seed=seed, classes=classes, table=self.table(names, classes, seed))

    def table(self, names: Sequence[str], classes: Mapping[str, Any], seed: int) -> Mapping[str, Any]:
        """What is shown for each class, where that is the same for all rows."""
        if self.how == "symbolic":
            return dict(zip(names, self.words(names), strict=True))
        circle = sorted(names, key=lambda name: drawn(seed, "classes", name))  # no class is its own successor
        return {name: classes[circle[place - 1]] for place, name in enumerate(circle)}

    def words(self, names: Sequence[str]) -> list[str]:
        """The symbols of the classes. Raises `DataError` where one has none."""
        given = self.symbols if isinstance(self.symbols, dict) else dict(zip(names, self.symbols, strict=False))
        lacking = [name for name in names if name not in given]
        if lacking:
            raise DataError(
                f"labels: `symbols` has no word for the class {lacking[0]!r}\n    classes: {', '.join(names)}"
            )
        return [given[name] for name in names]

    def value(self, row: Example) -> Any:
        """The row's own label. Raises `DataError` where it has no such field."""
        if self.field not in row.fields:
            hint = known_names(self.field, row.fields)
            raise DataError(f"{row.origin}: labels: the row has no field {self.field!r}\n    {hint}")
        return row.fields[self.field]


@dataclass(frozen=True, slots=True, kw_only=True)
class Relabelling:
    """What changes the labels of rows: the classes by their text, and what is shown for each."""

    labels: Labels
    seed: int
    classes: Mapping[str, Any]
    table: Mapping[str, Any]

    def apply(self, rows: Sequence[Example]) -> tuple[tuple[Example, ...], tuple[Relabelled, ...]]:
        """The rows with their new labels, in the same order; and which of them show another than their own."""
        num = int(self.labels.share * len(rows) + 0.5)
        chosen = set(sorted((row.id for row in rows), key=lambda name: drawn(self.seed, "share", name))[:num])
        pairs = [(row, self.shown(row) if row.id in chosen else row) for row in rows]
        changed = (self.relabelled(*pair) for pair in pairs)
        return tuple(shown for _, shown in pairs), tuple(each for each in changed if each.label != each.shown)

    def relabelled(self, row: Example, shown: Example) -> Relabelled:
        """The row's label and the one that it is shown under."""
        name = self.labels.field
        return Relabelled(id=row.id, label=str(self.labels.value(row)), shown=str(shown.fields[name]))

    def shown(self, row: Example) -> Example:
        """The row under its new label."""
        own = str(self.labels.value(row))
        if own not in self.classes:
            raise DataError(f"{row.origin}: labels: {own!r} is not among the classes: {', '.join(self.classes)}")
        if self.labels.how == "random":
            names = list(self.table)
            label = self.classes[sorted(names)[int.from_bytes(drawn(self.seed, "label", row.id), "big") % len(names)]]
        else:
            label = self.table[own]
        return replace(row, fields=MappingProxyType({**row.fields, self.labels.field: label}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Deceived:
    """The frozen model, which is shown demonstrations under their new labels whenever it is asked about some."""

    frozen: Frozen
    relabelling: Relabelling

    def embed(self, texts: Sequence[str], layers: Sequence[int]) -> npt.NDArray[np.float32]:
        """The texts as vectors: what is compared is what the prompt asks, and not changed."""
        return self.frozen.embed(texts, layers)

    def embed_with(self, name: str, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """The same by another model."""
        return self.frozen.embed_with(name, texts)

    def choices(self, asked: Sequence[tuple[Sequence[Example], Example]]) -> list[list[float]]:
        """The log-likelihoods of the options after demonstrations as they would be shown."""
        return self.frozen.choices([(self.relabelling.apply(rows)[0], example) for rows, example in asked])


def drawn(seed: int, purpose: str, name: str) -> bytes:
    """A random number that seed, purpose and name alone decide, as 32 bytes."""
    return hashlib.sha256(f"{seed}\0labels {purpose}\0{name}".encode()).digest()
