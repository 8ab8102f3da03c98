"""A step of I: a small function from an example to the pieces that it adds to the prompt."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from promptkit.data import Example
from promptkit.prompt.prompt import Piece, Role
from promptkit.spec import Coordinates, Seam, StepDeclaration, Template, kinds_of

if TYPE_CHECKING:
    from promptkit.prompt.gallery import Gallery

__all__ = ["PROMPT", "Cue", "Instruction", "PromptStep", "PromptSteps", "Query", "System", "TextStep", "piece_of"]


class PromptStep(StepDeclaration):
    """A step of the prompt. What it adds depends on the example, and on the demonstrations that it shows."""

    coordinates: ClassVar[Coordinates] = Coordinates(location="input", operator="concatenative")
    is_only_for_chat: ClassVar[bool] = False

    @abstractmethod
    def pieces(self, example: Example, gallery: Gallery | None) -> list[Piece]:
        """What this step adds for `example`; `gallery` shows the demonstrations of a step that has some."""

    def format(self) -> str:
        """The words with which this step begins to ask a question (`Q:`); empty where it asks none, or has none."""
        return ""


class TextStep(PromptStep):
    """A step that adds one piece of text."""

    main: ClassVar[str | None] = "text"
    role: ClassVar[Role] = "user"

    text: Template = Field(description="the text, exactly as the model gets it; or the name of a .jinja file")

    def pieces(self, example: Example, gallery: Gallery | None) -> list[Piece]:
        """The rendered text."""
        rendered = self.text.render(example.fields)
        return [piece_of(rendered, self.text, kind=self.kind, role=self.role)]


class System(TextStep):
    """Text for the system's turn of a chat."""

    kind = "system"
    role: ClassVar[Role] = "system"
    is_only_for_chat: ClassVar[bool] = True


class Instruction(TextStep):
    """What the model is asked to do."""

    kind = "instruction"


class Query(TextStep):
    """The example that is asked about."""

    kind = "query"

    def format(self) -> str:
        """The first words of the template."""
        return self.text.opening


class Cue(TextStep):
    """Text put after the query, such as " Let's think step by step." (Kojima et al. 2022, section 3.1)."""

    kind = "cue"
    opens_the_answer: bool = Field(
        default=False, description="in a chat: the text begins the assistant's turn, and the model continues it"
    )

    def pieces(self, example: Example, gallery: Gallery | None) -> list[Piece]:
        """The rendered cue, in the user's turn or at the head of the assistant's."""
        rendered = self.text.render(example.fields)
        role: Role = "assistant" if self.opens_the_answer else "user"
        return [piece_of(rendered, self.text, kind=self.kind, role=role)]


def piece_of(rendered: str, template: Template, *, kind: str, role: Role, example: str | None = None) -> Piece:
    """The piece that a template's text becomes, tied to the template's place."""
    return Piece(
        text=rendered, kind=kind, role=role, position=template.position, template=template.name, example=example
    )


PROMPT = Seam("prompt", "prompt step", kinds_of("promptkit.prompt.kinds"))
PromptSteps = tuple[Annotated[PromptStep, PROMPT], ...]
