"""What a section or a step of the language is: a frozen, described model, and the seams that find steps by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Annotated, Any, ClassVar, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ModelWrapValidatorHandler,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError, core_schema

from promptkit.spec.coordinates import Coordinates
from promptkit.text import known_names

__all__ = [
    "SEAM_KEY",
    "Count",
    "Declaration",
    "NaturalNumber",
    "Seam",
    "Seed",
    "StepDeclaration",
    "Texts",
    "kinds_of",
    "shorten",
]

SEAM_KEY = "x-seam"  # stands in a JSON Schema where a step may be named, until the whole schema is put together

Count = Annotated[int, Field(strict=True, ge=1)]
NaturalNumber = Annotated[int, Field(strict=True, ge=0)]
Seed = Annotated[int, Field(strict=True)]
Texts = Annotated[
    tuple[str, ...],
    BeforeValidator(lambda value: (value,) if isinstance(value, str) else value),  # one may stand there alone
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]


class Declaration(BaseModel):
    """A frozen piece of a pipeline. Unknown keys are refused, by name and with the nearest that is known.

    Where `main` names a field, the piece may be written short, as that field's value alone; where that value may
    be a map itself, the long form is known by its keys.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, defer_build=True)
    main: ClassVar[str | None] = None
    main_takes_a_map: ClassVar[bool] = False
    composed_keys: ClassVar[tuple[str, ...]] = ()  # keys that are gone once files are put together

    @model_validator(mode="wrap")
    @classmethod
    def _read(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        if isinstance(data, cls):
            return data
        if cls.main and not (isinstance(data, dict) and is_long_form(data, cls)):
            data = {cls.model_fields[cls.main].alias or cls.main: data}
        if not isinstance(data, dict):
            raise PydanticCustomError("not_a_map", "must be a map, not {value}", {"value": shorten(data)})
        try:
            return handler(data)
        except ValidationError as error:
            details = [cls._explain(each) for each in error.errors(include_url=False)]
            raise ValidationError.from_exception_data(cls.__name__, details) from error

    @classmethod
    def _explain(cls, error: Any) -> InitErrorDetails:
        """The same error, where it is an unknown key with what is known."""
        kind, message, context = error["type"], error["msg"], error.get("ctx") or {}
        if kind == "extra_forbidden" and len(error["loc"]) == 1:
            key = str(error["loc"][0])
            known = [*(field.alias or name for name, field in cls.model_fields.items()), *cls.composed_keys]
            kind, message, context = "unknown_key", f"unknown key {key!r}", {"hint": known_names(key, known)}
        again = PydanticCustomError(kind, message, context)
        return InitErrorDetails(type=again, loc=error["loc"], input=error.get("input"))

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """The piece's schema, or that of its short form where it has one."""
        long_form = handler(schema)
        if cls.main is None:
            return long_form
        fields = handler.resolve_ref_schema(long_form)["properties"]
        return {"anyOf": [long_form, fields[cls.model_fields[cls.main].alias or cls.main]]}


def is_long_form(data: Mapping[str, Any], cls: type[Declaration]) -> bool:
    """Whether a map is the piece's own keys, and not the value of its main field, which may be a map as well."""
    return not cls.main_takes_a_map or bool(cls.model_fields.keys() & data.keys())


class StepDeclaration(Declaration):
    """A kind of step. `kind` is its name in the language, `coordinates` where it stands in ŷ = O ∘ f ∘ I(x)."""

    kind: ClassVar[str]
    coordinates: ClassVar[Coordinates] = Coordinates()

    @property
    def own_coordinates(self) -> Coordinates:
        """Where this step stands, with as many parameters as this one has."""
        return self.coordinates

    @property
    def from_files(self) -> str:
        """What it reads from files that the pipeline's only names, as text; empty for a step that is all in the file."""
        return ""

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """The step's parameters, written out; what may stand in their place belongs to the seam."""
        return handler(schema)


@dataclass(frozen=True, slots=True)
class Seam:
    """A place of the language where steps are named: one dict of kinds, and entry points asked only on a miss.

    Put it in an annotation: `Annotated[Step, ALIGN]` reads `number`, or `regex: {...}`, or `regex: 'pattern'`.
    """

    name: str
    noun: str
    kinds: Callable[[], Mapping[str, type[StepDeclaration]]]
    text_means: str | None = None  # the kind whose short form a bare text is, where it is not a kind's name

    def find(self, name: str, base: type[StepDeclaration]) -> type[StepDeclaration] | None:
        """The kind called `name`: ours, or one that an installed package brings as entry point, made of `base`."""
        ours = self.kinds().get(name)
        if ours is not None:
            return ours
        found = entry_points(group=f"promptkit.{self.name}", name=name)
        return self.load(next(iter(found)), base) if found else None

    def load(self, entry: EntryPoint, base: type[StepDeclaration]) -> type[StepDeclaration]:
        """The kind behind an entry point. Somebody else wrote it: whatever goes wrong is one error that names it."""
        try:
            loaded = entry.load()
        except Exception as error:
            context = {"name": repr(entry.name), "value": entry.value, "why": f"{type(error).__name__}: {error}"}
            message = "the plug-in {name} ({value}) cannot be loaded: {why}"
            raise PydanticCustomError("plugin", message, context) from error
        if not (isinstance(loaded, type) and issubclass(loaded, base)):
            context = {"name": repr(entry.name), "value": entry.value, "noun": self.noun, "base": base.__name__}
            message = "the plug-in {name} ({value}) is no {noun}: it must be a subclass of {base}"
            raise PydanticCustomError("plugin", message, context)
        return loaded

    def names(self) -> list[str]:
        """All names that are known, plug-ins included."""
        return sorted({*self.kinds(), *(entry.name for entry in entry_points(group=f"promptkit.{self.name}"))})

    def read(self, item: Any, info: ValidationInfo, base: type[StepDeclaration] = StepDeclaration) -> StepDeclaration:
        """The step that one value of a file declares, of a kind made of `base`."""
        if isinstance(item, base):
            return item
        if isinstance(item, str):
            name, parameters = (self.text_means, item) if self.text_means else (item, None)
        elif isinstance(item, dict) and len(item) == 1:
            ((name, parameters),) = item.items()
        else:
            message = "a {noun} is a name, or one name with its parameters; not {value}"
            raise PydanticCustomError("not_a_step", message, {"noun": self.noun, "value": shorten(item)})
        kind = self.find(str(name), base)
        if kind is None:
            context = {"noun": self.noun, "name": repr(str(name)), "hint": known_names(str(name), self.names())}
            raise PydanticCustomError("unknown_kind", "no {noun} is called {name}", context)
        return kind.model_validate({} if parameters is None else parameters, context=info.context)

    def __get_pydantic_core_schema__(
        self, source: type[StepDeclaration], handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.with_info_plain_validator_function(partial(self.read, base=source))

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {SEAM_KEY: self.name}

    def __hash__(self) -> int:
        return hash(self.name)


def kinds_of(module: str) -> Callable[[], Mapping[str, type[StepDeclaration]]]:
    """What gives the dict `KINDS` of a module. The kinds import their seam, so the seam asks for them late."""
    return lambda: import_module(module).KINDS


def shorten(value: Any) -> str:
    """The value by `repr`, cut to what a message can hold."""
    shown = repr(str(value) if isinstance(value, str) else value)
    return shown if len(shown) <= 60 else shown[:57] + "..."
