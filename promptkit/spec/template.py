"""Templates: Jinja in an immutable sandbox, strict about names, exact to the byte.

Nothing is stripped and nothing collapsed; a name that is not there is an error; a template cannot reach Python's
insides, change what it is given, or read any file but the templates of its own pipeline.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar

from jinja2 import BaseLoader, StrictUndefined, TemplateNotFound, TemplateSyntaxError, UndefinedError, meta, nodes
from jinja2 import Template as JinjaTemplate
from jinja2.environment import TemplateExpression
from jinja2.exceptions import FilterArgumentError, SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from pydantic import ValidationInfo
from pydantic_core import PydanticCustomError

from promptkit.errors import TemplateError
from promptkit.spec.declaration import shorten
from promptkit.spec.shipped import shipped_folder
from promptkit.spec.written import Written
from promptkit.text import Located, Position, Problem, Source, known_names

__all__ = ["FolderLoader", "Template", "environment"]

SUFFIX = ".jinja"


class FolderLoader(BaseLoader):
    """Finds a template beside the pipeline's file, in the folder above it, or among the shipped; nowhere else."""

    def __init__(self, folder: Path | None) -> None:
        beside = [folder, folder.parent] if folder else []
        self.folders = [*beside, shipped_folder()]

    def find(self, name: str) -> Path | None:
        """The template's file, or None. A name that climbs (`..`, or from the root) finds nothing."""
        relative = Path(name)
        if relative.is_absolute() or ".." in relative.parts:
            return None
        return next((folder / relative for folder in self.folders if (folder / relative).is_file()), None)

    def get_source(self, environment: object, template: str) -> tuple[str, str, Callable[[], bool]]:
        """The template's text, for Jinja's own `include` and `extends`."""
        path = self.find(template)
        if path is None:
            raise TemplateNotFound(template)
        return path.read_bytes().decode("utf-8"), str(path), lambda: True


@functools.lru_cache(maxsize=64)
def environment(folder: Path | None) -> ImmutableSandboxedEnvironment:
    """The sandbox for the templates of the pipelines in `folder`. It depends on nothing else, so one serves all."""
    sandbox = ImmutableSandboxedEnvironment(
        loader=FolderLoader(folder),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        autoescape=False,
    )
    del sandbox.globals["lipsum"], sandbox.filters["random"]  # the same input gives the same prompt
    sandbox.filters["tojson"] = to_json  # Jinja's own escapes for HTML
    sandbox.filters["fromjson"] = from_json
    return sandbox


def to_json(value: Any, indent: int | None = None) -> str:
    """JSON, readable, as a data set would write it."""
    return json.dumps(value, ensure_ascii=False, indent=indent)


def from_json(text: Any) -> Any:
    """The value that a JSON text says: the cells of a CSV file are texts, and lists among them are often JSON."""
    try:
        return json.loads(text)
    except (TypeError, ValueError, RecursionError) as error:
        raise FilterArgumentError(f"fromjson: {shorten(text)} is not JSON") from error


class Template(Written):
    """A template and where it was written. Equal text in the same folder is an equal template."""

    form: ClassVar[Mapping[str, Any]] = {
        "type": "string",
        "description": "a Jinja template, or the name of a .jinja file",
    }

    __slots__ = (
        "_attributes",
        "_expression",
        "_is_block",
        "_jinja",
        "_names",
        "_parts",
        "name",
        "position",
        "source",
        "text",
    )

    def __init__(self, text: str, *, position: Position | None = None, folder: Path | None = None) -> None:
        """Reads a template: a text that ends with `.jinja` on one line names a file, any other is the template.

        Raises `TemplateError` where the file is missing, or the template does not parse.
        """
        if position is None and isinstance(text, Located):
            position = text.position
        if position is not None and position.source.folder is not None:
            folder = position.source.folder
        self.position = position
        self.name: str | None = None
        self.source: Source | None = None  # the template's own file, where it has one
        self.text = str(text)
        self._is_block = isinstance(text, Located) and text.is_block  # only then are its lines lines of the file
        sandbox = environment(folder)
        if text.endswith(SUFFIX) and "\n" not in text and "{" not in text:
            self._open(text, sandbox)
        parsed = self._parse(sandbox)
        self._names = frozenset(meta.find_undeclared_variables(parsed) - sandbox.globals.keys())
        self._parts = frozenset(parts_read(parsed))
        self._attributes = attributes_read(parsed)
        self._jinja: JinjaTemplate = sandbox.from_string(parsed)
        self._expression: TemplateExpression | None = None
        if is_one_expression(parsed):
            inner = self.text.strip().removeprefix("{{").removesuffix("}}").strip("-+")
            self._expression = sandbox.compile_expression(inner, undefined_to_none=False)

    def _open(self, text: str, sandbox: ImmutableSandboxedEnvironment) -> None:
        loader = sandbox.loader
        assert isinstance(loader, FolderLoader)
        path = loader.find(text)
        if path is None:
            looked = ", ".join(str(folder) for folder in loader.folders)
            raise TemplateError(self._problem(f"there is no template {str(text)!r}", hint=f"looked in: {looked}"))
        self.name = str(text)
        try:
            self.text = path.read_bytes().decode("utf-8")
        except UnicodeDecodeError as error:
            raise TemplateError(self._problem(f"the template {self.name!r} is not UTF-8 text")) from error
        self.source = Source(name=self.name, text=self.text, folder=path.parent)

    def _parse(self, sandbox: ImmutableSandboxedEnvironment) -> nodes.Template:
        try:
            parsed = sandbox.parse(self.text)
        except TemplateSyntaxError as error:
            message = (error.message or "does not parse").rstrip(".")
            raise TemplateError(self._problem(f"template: {lower_first(message)}", line=error.lineno)) from error
        for node in parsed.find_all((nodes.Getattr, nodes.Getitem)):
            name = node.attr if isinstance(node, nodes.Getattr) else getattr(getattr(node, "arg", None), "value", None)
            if isinstance(name, str) and name.startswith("__"):
                raise TemplateError(self._problem(f"template: {name!r} is out of a template's reach", line=node.lineno))
        return parsed

    @property
    def names(self) -> frozenset[str]:
        """The names that the template takes from the example."""
        return self._names

    def parts_of(self, name: str) -> frozenset[str]:
        """What the template reads of a map called `name`: `reason` where it says `stages.reason.text`."""
        return frozenset(part for whole, part in self._parts if whole == name)

    def attributes_of(self, name: str) -> frozenset[tuple[str, str]]:
        """What it reads of the maps inside a map called `name`: `reason` and `text` where it says `stages.reason.text`."""
        return self._attributes.get(name, frozenset())

    @property
    def is_condition(self) -> bool:
        """Whether it can be true of one example and not of another: one expression, or a text that statements write."""
        return self._expression is not None or "{%" in self.text

    def render(self, fields: Mapping[str, Any]) -> str:
        """The text for these fields, exactly. Raises `TemplateError` that names the template's line."""
        try:
            return self._jinja.render(fields)
        except Exception as error:
            raise self._failed(error, fields) from error

    @property
    def opening(self) -> str:
        """The first line of what the template writes before it writes anything of an example; empty if nothing."""
        literal = re.split(r"\{[{%#]", self.text, maxsplit=1)[0].strip()
        return literal.partition("\n")[0].strip()

    def value(self, fields: Mapping[str, Any]) -> Any:
        """Like `render`, but a template that is one expression, such as `{{ options }}`, keeps its value as it is."""
        if self._expression is None:
            return self.render(fields)
        try:
            value = self._expression(fields)
            if isinstance(value, StrictUndefined):
                str(value)  # raises what is undefined
        except Exception as error:
            raise self._failed(error, fields) from error
        return value

    def _failed(self, error: Exception, fields: Mapping[str, Any]) -> TemplateError:
        """What a person sees of a failure in the middle of Jinja."""
        message, hint = str(error) or type(error).__name__, ""
        if isinstance(error, UndefinedError) and (match := re.fullmatch(r"'(\w+)' is undefined", message)):
            message, hint = f"undefined name {match[1]!r}", known_names(match[1], fields)
        elif isinstance(error, UndefinedError) and (
            match := re.fullmatch(r"'dict object' has no attribute '(\w+)'", message)
        ):
            message, hint = f"there is no {match[1]!r} in this map", "`is defined` after it asks whether there is"
        elif isinstance(error, SecurityError):
            message = f"out of a template's reach: {message}"
        return TemplateError(
            self._problem(f"template: {message.rstrip('.')}", line=failing_line(error.__traceback__), hint=hint)
        )

    def _problem(self, message: str, *, line: int | None = None, hint: str = "") -> Problem:
        """A problem at a line of the template, as a place in the file in which the template was written."""
        position, path = self.position, ""
        if self.source is not None:
            position = Position(source=self.source, line=line or 1, column=1)
            path = f"(named at {self.position})" if self.position else ""
        elif position is not None and line is not None and self._is_block:
            position = Position(source=position.source, line=position.line + line, column=1)
        return Problem(position=position, path=path, message=message, hint=hint)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Template) and (self.text, self.name) == (other.text, other.name)

    def __hash__(self) -> int:
        return hash((self.text, self.name))

    def __repr__(self) -> str:
        return f"Template({self.name or self.text!r})"

    @classmethod
    def read(cls, value: Any, info: ValidationInfo) -> Template:
        """The template that a file's value is. A mistake inside it becomes an error that carries its own place."""
        if isinstance(value, Template):
            return value
        if not isinstance(value, str):
            raise PydanticCustomError("not_text", "a template must be text, not {value}", {"value": repr(value)})
        try:
            return Template(value, folder=(info.context or {}).get("folder"))
        except TemplateError as error:
            raise PydanticCustomError("template", "template", {"problem": error.problem}) from error

    def as_written(self) -> str:
        """Its file's name, or its text."""
        return self.name or self.text


def parts_read(parsed: nodes.Template) -> Iterator[tuple[str, str]]:
    """The names of maps and what is read of them, where both are written out."""
    for node in parsed.find_all((nodes.Getattr, nodes.Getitem)):
        whole = getattr(node, "node", None)
        name = name_read(node)
        if isinstance(whole, nodes.Name) and name is not None:
            yield whole.name, name


def attributes_read(parsed: nodes.Template) -> dict[str, frozenset[tuple[str, str]]]:
    """By the name of a map: which maps in it are read, and what of them, where all is written out."""
    found: dict[str, set[tuple[str, str]]] = {}
    for node in parsed.find_all((nodes.Getattr, nodes.Getitem)):
        inner = getattr(node, "node", None)
        outer = getattr(inner, "node", None)
        part, name = name_read(inner), name_read(node)
        if isinstance(outer, nodes.Name) and part is not None and name is not None:
            found.setdefault(outer.name, set()).add((part, name))
    return {name: frozenset(read) for name, read in found.items()}


def name_read(node: object) -> str | None:
    """The name that a node reads of what stands before it; None where it is no such node, or computes the name."""
    if isinstance(node, nodes.Getattr):
        return node.attr
    name = getattr(getattr(node, "arg", None), "value", None) if isinstance(node, nodes.Getitem) else None
    return name if isinstance(name, str) else None


def is_one_expression(parsed: nodes.Template) -> bool:
    """Whether the template is one `{{ expression }}` and no text around it."""
    if len(parsed.body) != 1 or not isinstance(parsed.body[0], nodes.Output):
        return False
    inside = parsed.body[0].nodes
    return len(inside) == 1 and not isinstance(inside[0], nodes.TemplateData)


def failing_line(traceback: TracebackType | None) -> int | None:
    """The template line at which Jinja failed, from the frames that it rewrote."""
    line = None
    while traceback is not None:
        if "__jinja_exception__" in traceback.tb_frame.f_globals:
            line = traceback.tb_lineno
        traceback = traceback.tb_next
    return line


def lower_first(message: str) -> str:
    """The message as our own begin."""
    return message[:1].lower() + message[1:]
