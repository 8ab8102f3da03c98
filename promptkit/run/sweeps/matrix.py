"""`matrix:`, as a file declares it: paths of the file with their values, what is left out, drawn and raced."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from promptkit.spec import Count, Declaration, Seed
from promptkit.text import known_names

__all__ = ["Matrix", "Race", "same_key"]

Share = Annotated[float, Field(gt=0, lt=1)]


class Race(Declaration):
    """Drops cells that are clearly worse before they have seen all examples.

    After each round but the last, each cell that is left is compared with the best so far by an exact one-sided sign test
    over the examples that all of them have seen (McNemar 1947). Its p-value is multiplied by the number of other cells at
    the start and of such rounds (Bonferroni): the chance that a race drops a cell which is as good as any is at most
    `alpha`. Racing after Maron and Moore (1994) and Birattari et al. (2002).
    """

    every: Count = Field(default=32, description="examples a round; all cells see the same ones")
    keep: Share = Field(
        default=0.5,
        description="the least share of the cells that a round leaves, rounded up, as in successive halving (Jamieson and "
        "Talwalkar 2016)",
    )
    alpha: Share = Field(
        default=0.05, description="the chance, over the whole race, to drop a cell that is as good as any"
    )
    metric: str | None = Field(default=None, description="the metric that decides; the first if not given")
    order: Literal["random", "data"] = Field(
        default="random", description="in which order examples come: drawn by the matrix's `seed`, or as in the data"
    )


class Matrix(Declaration):
    """A sweep: every other key is a path of the file, as `--set` knows it, with a list of values; each choice is a cell."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Annotated[tuple[Any, ...], Field(min_length=1)]]

    exclude: tuple[Mapping[str, Any], ...] = Field(
        default=(), description="cells to leave out: those that have all the values of an item"
    )
    sample: Count | None = Field(default=None, description="at most so many cells, drawn by `seed`; all if not given")
    seed: Seed = Field(default=0, description="decides which cells are drawn, and the order of a race's examples")
    race: Race | None = Field(default=None, description="drop clearly worse cells early")

    @classmethod
    def _explain(cls, error: Any) -> InitErrorDetails:
        location = error["loc"]
        if error["type"] in ("list_type", "tuple_type") and location and location[-1] not in cls.model_fields:
            again = PydanticCustomError("axis", "a path of a matrix has a list of values")
            return InitErrorDetails(type=again, loc=location, input=error["input"])
        return super()._explain(error)

    @property
    def axes(self) -> dict[str, tuple[Any, ...]]:
        """Each path with its values, in the order of the file."""
        return dict(self.__pydantic_extra__ or {})

    @model_validator(mode="after")
    def _excludes_what_is_there(self) -> Matrix:
        if not self.axes:
            hint = "such as `prompt.demonstrations.take: [0, 4, 8]`"
            raise PydanticCustomError("no_axis", "names no path with a list of values", {"hint": hint})
        for number, item in enumerate(self.exclude):
            if not item:
                raise PydanticCustomError("no_value", "must not be empty", {"at": ("exclude", number)})
            for path, value in item.items():
                self._check_excluded(path, value, ("exclude", number, path))
        return self

    def _check_excluded(self, path: str, value: Any, place: tuple[str | int, ...]) -> None:
        if path not in self.axes:
            context = {"path": repr(str(path)), "hint": known_names(path, self.axes), "at": place}
            raise PydanticCustomError("unknown_key", "{path} is no path of this matrix", context)
        if same_key(value) not in map(same_key, self.axes[path]):
            context = {"value": same_key(value), "path": str(path), "at": place}
            raise PydanticCustomError("no_value", "{value} is no value of {path} in this matrix", context)

    def excludes(self, settings: Mapping[str, Any]) -> bool:
        """Whether a cell with these settings is left out."""
        return any(all(same_key(settings[path]) == same_key(item[path]) for path in item) for item in self.exclude)


def same_key(value: Any) -> str:
    """The value as JSON text: what two values that mean the same have in common, and 1 and true have not.

    >>> same_key(1), same_key(True), same_key({"b": 1, "a": "x"})
    ('1', 'true', '{"a": "x", "b": 1}')
    """
    return json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
