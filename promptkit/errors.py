"""The error tree. What a person can mend is one of these; a mistake of a model is a value, never an error.

PromptkitError
├── DeclarationError      a pipeline file says something that it may not say
├── TemplateError         a template cannot be rendered for an example
├── GrammarError          a grammar, or what is to constrain a completion, cannot be used
├── DataError             a data file, its rows, or a hub data set
├── ModelError            a model cannot be found, read or loaded
│   └── PromptTooLong     a prompt does not fit the model's context
├── GenerationError       a loaded model or a server did not do what was asked of it
│   └── NotEnoughMemory   a run needs more memory than there is, or than it may use
├── RunError              a run folder or the completion store cannot be read or written
├── Interrupted           a person stopped a run; what was finished is kept
├── CodeNotAllowed        a file names Python, and `--allow-code` was not given
└── MissingExtra          an optional dependency is not installed
"""

from __future__ import annotations

from collections.abc import Iterable

from promptkit.text import Problem

__all__ = [
    "CodeNotAllowed",
    "DataError",
    "DeclarationError",
    "GenerationError",
    "GrammarError",
    "Interrupted",
    "MissingExtra",
    "ModelError",
    "NotEnoughMemory",
    "PromptTooLong",
    "PromptkitError",
    "RunError",
    "TemplateError",
]


class PromptkitError(Exception):
    """The root: a mistake that a person can mend, told in one message."""


class DeclarationError(PromptkitError):
    """One file's mistakes, all of them."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class TemplateError(PromptkitError):
    """A template does not parse, or cannot be rendered."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(str(problem))


class GrammarError(PromptkitError):
    """A grammar does not parse, or says what cannot be done here."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(str(problem))


class DataError(PromptkitError):
    """A data source cannot be read, or a row is not what it should be."""


class ModelError(PromptkitError):
    """A model cannot be found, read or loaded."""


class PromptTooLong(ModelError):
    """A prompt does not fit the model's context."""


class GenerationError(PromptkitError):
    """A model or server failed while it generated."""


class NotEnoughMemory(GenerationError):
    """A run needs more memory than there is, or than it may use, with one row at a time."""


class RunError(PromptkitError):
    """A run folder or the completion store cannot be read or written."""


class Interrupted(PromptkitError):
    """A person stopped a run. The message says what is kept, and how to go on."""


class CodeNotAllowed(PromptkitError):
    """A file names Python code, and nobody allowed it to run."""


class MissingExtra(PromptkitError):
    """An optional dependency is not installed; the message names the extra that brings it."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(f"{package!r} is not installed; it comes with: pip install 'promptkit[{extra}]'")
