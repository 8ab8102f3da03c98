"""What the linter looks at: a pipeline, its places, and as much of its data and its tokenizer as is to be had at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from promptkit.data import Example, read_rows, read_split, target_of
from promptkit.errors import PromptkitError
from promptkit.generate import Tokenizer
from promptkit.prompt import ChatFormat, Demonstrations, Gallery, Piece, Pool, Prompt, PromptStep
from promptkit.run.declaration import BY_STAGE
from promptkit.run.pipeline import Pipeline
from promptkit.run.prompter import chat_format, query_text
from promptkit.run.stages.preview import loop_variables
from promptkit.run.stages.stage import Stage, placed
from promptkit.spec.document import Node
from promptkit.text import Problem

if TYPE_CHECKING:
    from promptkit.run.lint.gold import Gold

__all__ = ["CHEAP", "MAX_ROWS", "NoDemonstrations", "Shots", "Subject", "Unknown", "first_line"]

MAX_ROWS = 200  # of a split or a pool, read for rules that go through rows
MAX_POOL = 10_000  # rows that a choice among all of them may have
CHEAP = ("balanced", "first", "fixed", "random")  # selectors that answer at once


class Unknown(Exception):
    """What a rule needs is not to be had here; the message says why."""


class NoDemonstrations(Unknown):
    """A rule is about demonstrations, and the prompt shows none: there is nothing that it could find."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shots:
    """A step of demonstrations: where it stands in `prompt`, the rows of its pool that were read, and whether all were."""

    number: int
    step: Demonstrations
    pool: Sequence[Example]
    is_whole: bool

    def as_shown(self) -> Callable[[Example], Example]:
        """What puts a row's symbol in the place of its label, where the step does so for all rows; else changes nothing.

        Labels that are flipped or random are wrong on purpose, and say nothing of what a right completion is.
        """
        labels = self.step.labels
        if labels is None or labels.how != "symbolic" or labels.share < 1:
            return lambda row: row
        try:
            relabelling = labels.relabelling(Pool(rows=self.pool), self.step.seed)
        except PromptkitError as error:
            raise Unknown(first_line(error)) from error

        def shown(row: Example) -> Example:
            try:
                return relabelling.shown(row)
            except PromptkitError:  # a row that is only asked about need not have the field
                return row

        return shown


class Subject:
    """A pipeline under the linter, or a stage of it. What is costly is read once, when a rule first asks for it.

    `at` leads to the stage in the file.
    """

    def __init__(self, pipeline: Pipeline, data_folder: Path | None = None, whole: Subject | None = None) -> None:
        self.pipeline = pipeline
        self.declared = pipeline.declaration
        self.data_folder = data_folder
        self.tree: Node | None = whole.tree if whole else pipeline.tree
        self.at: tuple[str | int, ...] = ()
        self._whole = whole
        self.golds: dict[int, list[Gold]] = {}  # of each step of demonstrations, once a rule has asked for them
        self._splits: dict[str, Sequence[Example]] = {}

    def stages(self) -> dict[str, Subject]:
        """The stages by name; empty where there is one call."""
        places = {block.name: at for at, block in placed(self.declared.stages) if isinstance(block, Stage)}
        found = {name: Subject(each, self.data_folder, self) for name, each in self.pipeline.stages.items()}
        for name, each in found.items():
            each.at = places[name]
        return found

    def problem(self, path: Sequence[str | int], message: str, hint: str = "", *, at_key: bool = False) -> Problem:
        """A problem of what `path` leads to, at its value, or at its key."""
        whole = (*self.at, *path) if path[0] in BY_STAGE else tuple(path)
        if self.tree is None:
            return Problem(position=None, path=".".join(map(str, whole)), message=message, hint=hint)
        place = self.tree.locate(whole)
        position = place.key if at_key else place.value
        return Problem(position=position, path=place.words, message=message, hint=hint)

    def is_inherited(self, path: Sequence[str | int]) -> bool:
        """Whether what `path` leads to stands in a file that the pipeline's own extends."""
        place = self.tree.locate(tuple(path)) if self.tree else None
        return place is not None and place.key.source.extended_at is not None

    @cached_property
    def tests(self) -> Sequence[Example]:
        """The first rows of the test split. Raises `Unknown` where they are not here."""
        return self.rows("test")

    def rows(self, split: str) -> Sequence[Example]:
        """The first rows of a split. Raises `Unknown` where they are not here."""
        if self._whole is not None:
            return self._whole.rows(split)
        data = self.declared.data
        if data is None or data.source(split) is None:
            raise Unknown(f"there is no {split!r} split")
        if split not in self._splits:
            self._check_is_here(split)
            try:
                self._splits[split] = read_split(data, split, data_folder=self.data_folder, limit=MAX_ROWS)
            except (PromptkitError, OSError) as error:
                raise Unknown(f"the split {split!r} cannot be read: {first_line(error)}") from error
        return self._splits[split]

    def _check_is_here(self, split: str) -> None:
        source = self.declared.data.source(split) if self.declared.data else None
        if source is not None and source.hub is not None and (source.local is None or self.data_folder is None):
            how = "`--data DIR` reads the files that `local` names" if source.local else "a file would be read"
            raise Unknown(f"{source.hub} is a data set of the hub, which is not asked: {how}")

    @property
    def first_fields(self) -> Mapping[str, Any]:
        """What templates see of the first row: its fields; in a stage, what its loops lend, too. Raises `Unknown`."""
        if self._whole is None:
            return self.tests[0].fields
        blocks = self._whole.declared.stages
        here = next(block for at, block in placed(blocks) if at == self.at)
        assert isinstance(here, Stage)
        return {**self.tests[0].fields, "stages": {}, **dict(loop_variables(blocks, here))}

    @cached_property
    def shots(self) -> Sequence[Shots]:
        """Each step of demonstrations with its pool. Raises `Unknown` where a pool is not here, or there is no step."""
        return [self._shots(each.number, each.step) for each in self.unread_shots]

    @cached_property
    def unread_shots(self) -> Sequence[Shots]:
        """The same without any rows. Raises `Unknown` where there is no step."""
        steps = enumerate(self.declared.prompt)
        found = [(number, step) for number, step in steps if isinstance(step, Demonstrations) and step.take != 0]
        if not found:
            raise NoDemonstrations("the prompt shows no demonstrations")
        return [Shots(number=number, step=step, pool=(), is_whole=False) for number, step in found]

    def _shots(self, number: int, step: Demonstrations) -> Shots:
        data = self.declared.data
        assert data is not None or not isinstance(step.source, str)
        if data is None:
            raise Unknown("there is no `data`")
        if isinstance(step.source, str):
            self._check_is_here(step.source)
        most = max(MAX_ROWS, step.take or 0) if step.select.kind == "first" and step.take else MAX_POOL
        try:
            pool = read_rows(
                data, step.source, data_folder=self.data_folder, folder=self.pipeline.folder, limit=most + 1
            )
        except (PromptkitError, OSError) as error:
            raise Unknown(f"the pool {step.source!r} cannot be read: {first_line(error)}") from error
        return Shots(number=number, step=step, pool=pool[:most], is_whole=len(pool) <= most)

    def shown(self, shots: Shots) -> Sequence[Example]:
        """The demonstrations of the first example, where all examples get the same. Raises `Unknown` where not."""
        step = shots.step
        if step.per_example:
            raise Unknown("each example has demonstrations of its own")
        if step.select.kind not in CHEAP or step.select.asks_model:
            raise Unknown(f"what `select: {step.select.kind}` takes is known only to a run")
        if not shots.is_whole and step.select.kind != "first":
            raise Unknown(f"the pool has more than {MAX_POOL:,} rows")
        try:
            return self.gallery(shots).rows(self.tests[0])
        except PromptkitError as error:
            raise Unknown(first_line(error)) from error

    def gallery(self, shots: Shots) -> Gallery:
        """What shows a step's demonstrations."""
        return shots.step.gallery(self.pool(shots))

    def pool(self, shots: Shots) -> Pool:
        """The pool of a step, as far as it was read."""
        return Pool(
            rows=shots.pool,
            queries=self.tests,
            text_of=lambda row: query_text(self.declared.prompt, row),
            target_of=self.target,
        )

    def target(self, row: Example) -> object:
        """What a right answer to a row is; None where nobody says, or the row has no such field."""
        try:
            return target_of(self.declared.data, row) if self.declared.data else None
        except PromptkitError:
            return None

    def asking(self, shots: Shots | None) -> Sequence[PromptStep]:
        """The steps that ask: those after the demonstrations, but for a system's words."""
        after = self.declared.prompt[shots.number + 1 :] if shots else self.declared.prompt
        return [step for step in after if not isinstance(step, Demonstrations) and step.kind != "system"]

    def asked(self, shots: Shots | None, row: Example, role: str = "") -> str:
        """What the steps that ask would write of a row, all of it or what has a role. Raises `TemplateError`."""
        pieces: list[Piece] = [piece for step in self.asking(shots) for piece in step.pieces(row, None)]
        return "".join(piece.text for piece in pieces if not role or piece.role == role)

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """The model's tokenizer. Raises `Unknown` where it is not here."""
        if self._whole is not None:
            return self._whole.tokenizer
        found = self.declared.model.tokenizer_here()
        if found is None:
            raise Unknown(f"the tokenizer of {self.declared.model.label!r} is not here; `plan` or `run` prepares it")
        return found

    def prompts(self, num: int) -> list[tuple[Example, Prompt]]:
        """The first examples with their prompts. Raises `Unknown` where a prompt is not to be had."""
        has_some = any(isinstance(step, Demonstrations) and step.take != 0 for step in self.declared.prompt)
        every = self.shots if has_some else ()
        for shots in every:
            self.shown(shots)
        try:
            galleries = {shots.number: self.gallery(shots) for shots in every}
            chat = chat_format(self.pipeline, self.tokenizer) if self.declared.chat else None
            return [(row, self.prompt(row, galleries, chat)) for row in islice(self.tests, num)]
        except PromptkitError as error:
            raise Unknown(first_line(error)) from error

    def prompt(self, row: Example, galleries: dict[int, Gallery], chat: ChatFormat | None) -> Prompt:
        """The prompt of a row. Raises `PromptkitError`."""
        steps = [(number, step) for number, step in enumerate(self.declared.prompt) if not has_none(step)]
        pieces = [piece for number, step in steps for piece in step.pieces(row, galleries.get(number))]
        return chat.prompt(pieces) if chat else Prompt.from_pieces(pieces)


def has_none(step: PromptStep) -> bool:
    """Whether a step is one of demonstrations, and shows none."""
    return isinstance(step, Demonstrations) and step.take == 0


def first_line(error: Exception) -> str:
    """What an error says first."""
    return str(error).partition("\n")[0]
