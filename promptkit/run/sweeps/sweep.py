"""A sweep: the cells of a file's matrix, each a whole pipeline, read and checked before anything runs."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import prod
from pathlib import Path
from typing import Any

from promptkit.errors import DeclarationError, RunError
from promptkit.run.declaration import MATRIX, PipelineDeclaration
from promptkit.run.pipeline import Pipeline, has_matrix, pipeline_of
from promptkit.run.sweeps.matrix import Matrix, Race, same_key
from promptkit.spec import MATRIX_WORDS, Asking, Declaration, Node, compose, parts_of, put, read, resolved
from promptkit.text import Problem, known_names

__all__ = ["Cell", "Sweep", "load_cell", "load_sweep", "load_whole"]

MAX_CELLS = 10_000
MAX_CHOICES = 2_000_000  # of values, before cells are drawn among them


class WithMatrix(Declaration):
    """A file, as far as its matrix goes."""

    matrix: Matrix


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One choice of values, by path, and the pipeline that it makes. Cells are counted from 0."""

    number: int
    settings: Mapping[str, Any]
    pipeline: Pipeline


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """The cells of a file, in the order of its matrix; `paths` are what its matrix names, `seed` decides all draws."""

    file: str
    paths: tuple[str, ...]
    cells: tuple[Cell, ...]
    race: Race | None
    seed: int

    @property
    def name(self) -> str:
        """The pipeline's name."""
        return self.cells[0].pipeline.name

    @property
    def pipelines(self) -> list[Pipeline]:
        """The pipelines of all cells."""
        return [cell.pipeline for cell in self.cells]

    def with_model(self, name: str) -> Sweep:
        """The same cells on another model. Raises `RunError` where the matrix is over models."""
        varying = [path for path in self.paths if parts_of(path)[0] == "model"]
        if varying:
            raise RunError(
                f"{self.file}: --model names one model, and the matrix has its own under {varying[0]!r}\n"
                f"    --set 'matrix.{varying[0]}=[...]' names others"
            )
        return replace(self, cells=tuple(replace(cell, pipeline=cell.pipeline.with_model(name)) for cell in self.cells))

    def cell(self, number: int) -> Cell:
        """A cell by its number. Raises `RunError` where there is none."""
        if not 0 <= number < len(self.cells):
            raise RunError(f"{self.file}: there is no cell {number}: it has {len(self.cells)}, counted from 0")
        return self.cells[number]


def load_sweep(name: str | Path, *, overrides: Sequence[str] = (), allow_code: bool = False) -> Sweep | None:
    """The sweep that a file declares; None where it has no matrix.

    Raises `DeclarationError` with every mistake of every cell, each once. `overrides` are laid over the file below its
    matrix, and may change the matrix too: `matrix.prompt.demonstrations.take=[0, 1]`.
    """
    tree, problems = compose(str(name), overrides)
    return sweep_of(tree, problems, allow_code=allow_code) if has_matrix(tree) else None


def load_whole(name: str | Path, *, overrides: Sequence[str] = (), allow_code: bool = False) -> Pipeline | Sweep:
    """The sweep of a file that has a matrix, the pipeline of any other; the file is read once, as a pipe can be only."""
    tree, problems = compose(str(name), overrides)
    read_tree = sweep_of if has_matrix(tree) else pipeline_of
    return read_tree(tree, problems, allow_code=allow_code)


def sweep_of(tree: Node, problems: Sequence[Problem], *, allow_code: bool) -> Sweep:
    """The sweep that a composed tree with a matrix declares. Raises `DeclarationError` with every mistake."""
    node = tree.value[MATRIX].node
    matrix = read(WithMatrix, tree.only([MATRIX])).matrix
    axes = read_axes(tree, node, matrix)
    cells = read_cells(tree, problems, axes, matrix, allow_code=allow_code)
    check_metric(tree, matrix.race, cells)
    return Sweep(
        file=tree.position.source.name,
        paths=tuple(axis.path for axis in axes),
        cells=tuple(cells),
        race=matrix.race,
        seed=matrix.seed,
    )


def check_metric(tree: Node, race: Race | None, cells: Sequence[Cell]) -> None:
    """Nothing; or `DeclarationError` where a race goes by a metric that a cell does not have."""
    for cell in cells if race and race.metric else ():
        known = [metric.name for metric in cell.pipeline.metrics]
        if race and race.metric and race.metric not in known:
            at = tree.locate((MATRIX, "race", "metric"))
            message, hint = f"cell {cell.number} has no metric {str(race.metric)!r}", known_names(race.metric, known)
            raise DeclarationError([Problem(position=at.value, path=at.words, message=message, hint=hint)])


def load_cell(name: str | Path, number: int, *, overrides: Sequence[str] = (), allow_code: bool = False) -> Pipeline:
    """The pipeline of one cell of a file's matrix. Raises `RunError` where there is none."""
    sweep = load_sweep(name, overrides=overrides, allow_code=allow_code)
    if sweep is None:
        raise RunError(f"{name}: there is no cell {number}: the file has no `matrix`")
    return sweep.cell(number).pipeline


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """A path of the matrix: its parts, its values as they stand in the file, and who asks for them."""

    path: str
    parts: tuple[str, ...]
    values: tuple[Node, ...]
    asking: Asking


def read_axes(tree: Node, node: Node, matrix: Matrix) -> list[Axis]:
    """The matrix's paths, in the order of the file. Raises `DeclarationError` with each that leads nowhere."""
    axes: list[Axis] = []
    problems: list[Problem] = []
    ways: dict[tuple[str, ...], str] = {}
    for path in matrix.axes:
        entry = node.value[path]
        asking = Asking(words=f"{MATRIX}.{path}", key=entry.position, told_at=entry.position)
        axis = Axis(path=path, parts=parts_of(path), values=entry.node.value, asking=asking)
        try:
            way = resolved(tree, check_section(axis), asking)
        except DeclarationError as error:
            problems += error.problems
            continue
        if way in ways:
            message = f"leads to the same place as {ways[way]!r}"
            problems.append(Problem(position=entry.position, path=asking.words, message=message))
        ways[way] = path
        axes.append(axis)
    if problems:
        raise DeclarationError(problems)
    return axes


def check_section(axis: Axis) -> tuple[str, ...]:
    """The parts of a path that begins with a section of the language."""
    known = [field.alias or name for name, field in PipelineDeclaration.model_fields.items()]
    first = axis.parts[0] if axis.parts else ""
    if first not in known:
        raise axis.asking.refuse(f"{axis.path!r} is no path of the file", known_names(first, [*known, *MATRIX_WORDS]))
    return axis.parts


def read_cells(
    tree: Node, problems: Sequence[Problem], axes: Sequence[Axis], matrix: Matrix, *, allow_code: bool
) -> list[Cell]:
    """The cells, those that are equal once put together being one. Raises `DeclarationError` with all their mistakes."""
    cells: dict[str, Cell] = {}
    found: dict[Problem, None] = {}
    choices, most = wanted(axes, matrix)
    for choice in choices:
        if most is not None and len(cells) == most:
            break
        try:
            pipeline = pipeline_of(composed(tree, axes, choice), problems, allow_code=allow_code)
        except DeclarationError as error:
            found.update(dict.fromkeys(error.problems))
            continue
        settings = settings_of(axes, choice)
        cells.setdefault(same_key(pipeline.plain), Cell(number=0, settings=settings, pipeline=pipeline))
    if found:
        raise DeclarationError(sorted(found, key=place))
    if not cells:
        raise matrix_error(tree, "`exclude` leaves no cell")
    in_order = sorted(cells.values(), key=lambda cell: rank_of(axes, cell.settings))
    return [replace(cell, number=number) for number, cell in enumerate(in_order)]


def wanted(axes: Sequence[Axis], matrix: Matrix) -> tuple[Iterator[tuple[Node, ...]], int | None]:
    """The choices of values that may become cells, and at most how many of them do; drawn ones come first."""
    num = prod(len(axis.values) for axis in axes)
    most = MAX_CELLS if matrix.sample is None else MAX_CHOICES
    if num > most:
        hint = "`sample: 100` draws some of them" if matrix.sample is None else "name fewer values"
        message = f"{num:,} cells are more than the {most:,} that can be {'read' if hint[0] == '`' else 'drawn from'}"
        raise axes[0].asking.refuse(message, hint)
    choices = (
        choice for choice in product(*(axis.values for axis in axes)) if not matrix.excludes(settings_of(axes, choice))
    )
    if matrix.sample is None:
        return choices, None
    return iter(sorted(choices, key=lambda choice: draw(matrix.seed, settings_of(axes, choice)))), matrix.sample


def draw(seed: int, settings: Mapping[str, Any]) -> bytes:
    """Where a cell stands in the order in which cells are drawn: the same on any machine, whatever else is there."""
    return hashlib.sha256(f"{seed}\0cell\0{same_key(settings)}".encode()).digest()


def settings_of(axes: Sequence[Axis], choice: Sequence[Node]) -> dict[str, Any]:
    """A choice as plain values, by path."""
    return {axis.path: node.plain() for axis, node in zip(axes, choice, strict=True)}


def rank_of(axes: Sequence[Axis], settings: Mapping[str, Any]) -> list[int]:
    """Where a cell stands in the order of the matrix."""
    keys = [[same_key(node.plain()) for node in axis.values] for axis in axes]
    return [known.index(same_key(settings[axis.path])) for axis, known in zip(axes, keys, strict=True)]


def composed(tree: Node, axes: Sequence[Axis], choice: Sequence[Node]) -> Node:
    """The file with a choice of values laid over it; what is whole is laid before what goes into it."""
    for axis, value in sorted(zip(axes, choice, strict=True), key=lambda each: len(each[0].parts)):
        tree = put(tree, axis.parts, value, axis.asking)
    return tree


def place(problem: Problem) -> tuple[str, int, int]:
    """Where a problem stands: by file, line and column."""
    at = problem.position
    return (at.source.name, at.line, at.column) if at else ("", 0, 0)


def matrix_error(tree: Node, message: str) -> DeclarationError:
    """What to raise for the matrix as a whole."""
    return DeclarationError([Problem(position=tree.value[MATRIX].position, path=MATRIX, message=message)])
