"""What is looked at for each example: an expression, and no text, which would be true of every one."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from promptkit.spec import Template

__all__ = ["Condition"]


def check_condition(template: Template) -> Template:
    """The template. Raises pydantic's error for a text, which would hold for every example."""
    if template.is_condition:
        return template
    shown = "{{ " + template.text.replace("{{", "").replace("}}", "").strip() + " }}"
    message = "must be one expression, and {text} is a text"
    context = {"text": repr(template.text), "hint": f"an expression is {shown!r}"}
    raise PydanticCustomError("no_condition", message, context)


Condition = Annotated[Template, AfterValidator(check_condition)]
