"""What of a row a choice goes by, as a template over its fields."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from promptkit.data import Example
from promptkit.errors import DataError, TemplateError
from promptkit.spec import Template

__all__ = ["By", "at_row"]


def check_tells_apart(template: Template) -> Template:
    """The template. Raises pydantic's error for one that says the same of every row: a bare field name is a text."""
    if template.names:
        return template
    shown = "{{ " + template.text.strip() + " }}"
    message = "says {text} of every row, and names no field"
    raise PydanticCustomError("no_field", message, {"text": repr(template.text), "hint": f"a field is {shown!r}"})


By = Annotated[Template, AfterValidator(check_tells_apart)]


def at_row(by: Template, row: Example, *, as_value: bool = False) -> object:
    """What the template gives for a row, as text or as a value. Raises `DataError` that names the row."""
    try:
        return by.value(row.fields) if as_value else by.render(row.fields)
    except TemplateError as error:
        raise DataError(f"{row.origin}: {error}") from error
