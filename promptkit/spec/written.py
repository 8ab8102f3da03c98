"""Values that a file writes in a form of their own: a template, a grammar, the name of a file."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Self

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationInfo
from pydantic_core import core_schema

__all__ = ["Written"]


class Written:
    """A value of a declaration that is no model: it says how it is read and written, and `form` is its JSON Schema."""

    __slots__ = ()

    form: ClassVar[Mapping[str, Any]]

    @classmethod
    @abstractmethod
    def read(cls, value: Any, info: ValidationInfo) -> Self:
        """What a file's value is. Raises `PydanticCustomError` for what it cannot be."""

    @abstractmethod
    def as_written(self) -> Any:
        """What a file would write for it."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        written = core_schema.plain_serializer_function_ser_schema(lambda each: each.as_written())
        return core_schema.with_info_plain_validator_function(cls.read, serialization=written)

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return dict(cls.form)
