"""The `examples:` of a file: completions, written there or in a file beside it, and what the chain must make of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from promptkit.align import Context, Status
from promptkit.data.file_name import DataFile, FileName
from promptkit.data.files import READERS, Row, rows_of_file
from promptkit.data.text_file import read_text
from promptkit.errors import DataError, DeclarationError
from promptkit.spec import Declaration, NaturalNumber
from promptkit.spec.declaration import shorten
from promptkit.spec.template import FolderLoader
from promptkit.text import Position, Problem, known_names, nearest

__all__ = ["UNSET", "Case", "CheckedExample", "read_cases"]

UNSET = "\0unset"
TEXT_SUFFIX = ".txt"
EXPECTATIONS = ("answer", "answer_field", "status", "span", "step")
ONLY_WITH_ROWS = ("id", "field", "answer_field")
NUM_NAMES = 20  # of a file's ids that a hint may list

SpanEnds = tuple[NaturalNumber, NaturalNumber]


def find(name: FileName) -> Path | None:
    """The file: beside the pipeline's, in the folder above it, or among the shipped ones, as templates are found."""
    return FolderLoader(name.folder).find(name.name)


def is_found(name: FileName) -> FileName:
    """The name of a file that is there, and of a kind that can be read."""
    suffix = Path(name.name).suffix.lower()
    if suffix != TEXT_SUFFIX and suffix not in READERS:
        hint = known_names(suffix, (*READERS, TEXT_SUFFIX))
        message = "the suffix {suffix} is neither that of a text nor a data format's"
        raise PydanticCustomError("suffix", message, {"suffix": repr(suffix), "hint": hint})
    if find(name) is None:
        looked = ", ".join(str(folder) for folder in FolderLoader(name.folder).folders)
        beside = sorted(each.name for each in name.folder.iterdir()) if name.folder else []
        close = nearest(name.name, beside)
        meant = f"   did you mean {close!r}?" if close else ""
        context = {"name": repr(name.name), "hint": f"looked in: {looked}{meant}"}
        raise PydanticCustomError("no_file", "there is no file {name}", context)
    return name


class CheckedExample(Declaration):
    """A completion written down, and what the align chain must make of it. `promptkit check` runs these.

    With `from` and no `id` every row of the file is an example.
    """

    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": ["completion"]}, {"required": ["from"]}]})

    completion: str | None = Field(default=None, description="what a model might write")
    source: Annotated[FileName, AfterValidator(is_found)] | None = Field(
        default=None,
        alias="from",
        description="the file that holds the completion: a .txt that is one, or rows in any data format; looked for as"
        " templates are",
    )
    id: str | int | None = Field(default=None, description="with `from`: the row, by its id; all rows if not given")
    field: str = Field(default="completion", description="with `from`: the field that holds the completion")
    answer: Any = Field(default=UNSET, description="the answer that the chain must give; null: no answer")
    answer_field: str | None = Field(
        default=None, description="with `from`: the field that holds the answer; null in it: no answer"
    )
    status: Status | None = Field(default=None, description="the status that the chain must give")
    span: SpanEnds | str | None = Field(
        default=None, description="where the answer must stand: `[start, end]`, its end not included; or the text there"
    )
    step: str | None = Field(
        default=None,
        description="the step that must answer, or at which the chain must stop; or a part of its name, `number`, `first[1]`",
    )
    ended: Literal["stop", "eos", "length"] = Field(default="eos", description="why the completion ended")
    stage: str | None = Field(
        default=None, description="with `stages`: the one whose chain is tested; the last that answers if not given"
    )
    fields: dict[str, Any] = Field(
        default_factory=dict, description="the example's fields, for steps that need them; they go before the row's own"
    )
    prompt: str = Field(default="", description="the text before the completion, for steps that need it")
    question: str = Field(default="", description="what was asked, for steps that need it")

    @field_validator("span", mode="before")
    @classmethod
    def _is_a_place(cls, span: Any) -> Any:
        is_ends = isinstance(span, list | tuple) and len(span) == 2 and all(type(end) is int for end in span)
        if not (span is None or isinstance(span, str) or (is_ends and 0 <= span[0] <= span[1])):
            message = "must be `[start, end]` or the text that stands there, not {span}"
            raise PydanticCustomError("span", message, {"span": shorten(span)})
        return span

    @model_validator(mode="after")
    def _names_one_completion(self) -> CheckedExample:
        if (self.completion is None) == (self.source is None):
            given = "neither" if self.source is None else "both"
            raise PydanticCustomError(
                "no_completion", "needs `completion` or `from`, and has {given}", {"given": given}
            )
        stray = [name for name in ONLY_WITH_ROWS if name in self.model_fields_set]
        if stray and (self.source is None or not self.has_rows):
            what = "`completion`" if self.source is None else f"a {TEXT_SUFFIX} file"
            context = {"name": stray[0], "what": what, "at": (stray[0],)}
            raise PydanticCustomError("only_with_rows", "`{name}` is for a file of rows, and this is {what}", context)
        return self

    @model_validator(mode="after")
    def _expects_something(self) -> CheckedExample:
        others = (self.answer_field, self.status, self.span, self.step)
        if "answer" not in self.model_fields_set and all(each is None for each in others):
            one_of = ", ".join(f"`{name}`" for name in EXPECTATIONS)
            raise PydanticCustomError("no_expectation", "needs one of {names}, or several", {"names": one_of})
        if "answer" in self.model_fields_set and self.answer_field is not None:
            message = "`answer` and `answer_field` are two ways to say the answer: give one"
            raise PydanticCustomError("two_answers", message, {"at": ("answer_field",)})
        return self

    @property
    def has_rows(self) -> bool:
        """Whether the file holds rows, and not one text."""
        return self.source is not None and Path(self.source.name).suffix.lower() != TEXT_SUFFIX


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One completion of an example: the only one, or that of a row, which `origin` then names.

    `index` is the number of the example from 0. `answer` is `UNSET` where it says nothing of the answer.
    """

    example: CheckedExample
    index: int
    position: Position | None
    completion: str
    context: Context
    answer: Any
    origin: str = ""


def read_cases(
    examples: Sequence[CheckedExample], places: Sequence[Mapping[str, Any]], formats: tuple[str, ...] = ()
) -> list[Case]:
    """All cases of a pipeline's examples; `places` are the examples as the file says them, `formats` its prompt's.

    Raises `DeclarationError` with every file that cannot be read, row that lacks something, and id that is not there.
    """
    cases: list[Case] = []
    problems: list[Problem] = []
    for index, example in enumerate(examples):
        place = places[index] if index < len(places) else {}
        reader = CaseReader(index=index, example=example, place=place, formats=formats)
        try:
            cases += reader.cases()
        except DataError as error:
            message, _, hint = str(error).partition("\n")
            path = f"examples[{index}].{reader.key}"
            problems.append(Problem(position=reader.position, path=path, message=message, hint=hint.strip()))
    if problems:
        raise DeclarationError(problems)
    return cases


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseReader:
    """Reads the cases of one example."""

    index: int
    example: CheckedExample
    place: Mapping[str, Any]
    formats: tuple[str, ...]

    @property
    def key(self) -> str:
        """The key that names the completion."""
        return "completion" if self.example.source is None else "from"

    @property
    def position(self) -> Position | None:
        """Where the completion, or its file, is named."""
        return getattr(self.place.get(self.key), "position", None)

    def cases(self) -> Iterator[Case]:
        """The cases. Raises `DataError`."""
        example = self.example
        if example.source is None:
            yield self.case(example.completion or "", {}, example.answer)
            return
        path = find(example.source)
        if path is None:  # it was there when the pipeline was read
            raise DataError(f"there is no file {example.source.name!r}")
        file = DataFile(path=path, name=example.source.name)
        if example.has_rows:
            yield from self.rows(file)
        else:
            yield self.case(read_text(file), {}, example.answer, origin=file.name)

    def rows(self, file: DataFile) -> Iterator[Case]:
        """A case for each row that is asked for. An id may stand there several times, with a completion each."""
        ids = []
        for number, row in enumerate(rows_of_file(file)):
            id_ = str(row.fields.get("id", f"{file.path.stem}-{number}"))
            if self.example.id in (None, id_) or str(self.example.id) == id_:
                yield self.of_row(row)
            ids.append(id_)
        if self.example.id is not None and str(self.example.id) not in ids:
            raise DataError(f"{file.name} has no row {str(self.example.id)!r}\n{some_names(str(self.example.id), ids)}")

    def of_row(self, row: Row) -> Case:
        """The case that a row is."""
        example = self.example
        text = value_of(row, example.field)
        if not isinstance(text, str):
            raise DataError(f"{row.origin}: the field {example.field!r} holds {text!r}, not text")
        answer = example.answer if example.answer_field is None else value_of(row, example.answer_field)
        return self.case(text, row.fields, answer, origin=row.origin)

    def case(self, completion: str, fields: Mapping[str, Any], answer: Any, origin: str = "") -> Case:
        """The case of a completion."""
        example = self.example
        context = Context(
            fields={**fields, **example.fields},
            prompt=example.prompt,
            question=example.question,
            formats=self.formats,
            ended=example.ended,
            is_traced=True,
        )
        return Case(
            example=example,
            index=self.index,
            position=self.position,
            completion=completion,
            context=context,
            answer=answer,
            origin=origin,
        )


def value_of(row: Row, name: str) -> Any:
    """A field of a row. Raises `DataError` where it has none of that name."""
    if name not in row.fields:
        raise DataError(f"{row.origin}: there is no field {name!r}\n{known_names(name, row.fields)}")
    return row.fields[name]


def some_names(name: str, ids: Sequence[str]) -> str:
    """The ids that are known, the first of them where they are many, and the nearest."""
    if len(ids) <= NUM_NAMES:
        return known_names(name, ids)
    hint = known_names(name, ids).partition("   did you mean")
    return f"known: {', '.join(ids[:NUM_NAMES])}, ... {''.join(hint[1:])}"
