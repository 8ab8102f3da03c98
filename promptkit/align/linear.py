"""`linear`: a class from the scores of the options, by weights that were fitted elsewhere."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import fsum
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field, ValidationInfo, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from promptkit.align.outcome import Found, Missing
from promptkit.align.step import AlignStep
from promptkit.errors import DataError
from promptkit.spec import Coordinates, Declaration
from promptkit.spec.declaration import shorten
from promptkit.text import Located

__all__ = ["Linear", "LinearState"]

Numbers = tuple[Annotated[float, Field(allow_inf_nan=False)], ...]


class LinearState(Declaration):
    """What was fitted: C classes, weights (C, K) for the scores of K options, and a bias (C,)."""

    classes: tuple[str | int, ...] = Field(min_length=2, description="the classes, in the order of the rows")
    weights: tuple[Numbers, ...] = Field(description="a row for each class, a number in it for each option's score")
    bias: Numbers = Field(description="a number for each class")

    @model_validator(mode="after")
    def _shapes_fit(self) -> LinearState:
        num = len(self.classes)
        if len(set(self.classes)) < num:
            raise PydanticCustomError("state", "a class stands there twice")
        for name, rows in (("weights", self.weights), ("bias", self.bias)):
            if len(rows) != num:
                message = f"there are {num} classes, and {name} has {len(rows)} rows"
                raise PydanticCustomError("state", "{message}", {"message": message})
        lengths = sorted({len(row) for row in self.weights})
        if len(lengths) > 1 or not lengths[0]:
            message = f"the rows of weights must be of one length, not {' and '.join(map(str, lengths))}"
            raise PydanticCustomError("state", "{message}", {"message": message})
        return self

    @property
    def num_options(self) -> int:
        """K."""
        return len(self.weights[0])

    def scores(self, option_scores: Sequence[float]) -> list[float]:
        """The score of each class (C,), from those of the options (K,)."""
        rows = zip(self.weights, self.bias, strict=True)
        return [fsum([bias, *(w * x for w, x in zip(row, option_scores, strict=True))]) for row, bias in rows]


def opened(value: Any, info: ValidationInfo) -> Any:
    """What a JSON file holds, where a value is its name; relative to the file that names it."""
    if not isinstance(value, str):
        return value
    folder = value.position.source.folder if isinstance(value, Located) else None
    path = Path(folder or (info.context or {}).get("folder") or ".", str(value))
    try:
        return json.loads(path.read_bytes())
    except OSError as error:
        why = (error.strerror or str(error)).lower()
    except ValueError as error:
        why = f"is not JSON: {error}"
    raise PydanticCustomError("state", "the file {name}: {why}", {"name": repr(str(value)), "why": why})


class Linear(AlignStep):
    """Gives the class with the highest weighted sum of the log-likelihoods of `choose`'s options, in their order.

    It learns nothing: `state` holds what was fitted elsewhere, `{classes: [...], weights: [[...], ...], bias: [...]}`,
    a row of weights for each class. It reads no text, and classes of equal score are ambiguous.
    """

    kind = "linear"
    main: ClassVar[str | None] = "state"
    main_takes_a_map: ClassVar[bool] = True
    coordinates: ClassVar[Coordinates] = Coordinates(alignment="linear", configuration="learnable")
    reads_scores: ClassVar[bool] = True

    state: Annotated[
        LinearState, BeforeValidator(opened), WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "object"}]})
    ] = Field(description="a JSON file with what was fitted, or that itself")

    @property
    def own_coordinates(self) -> Coordinates:
        """The seat, with as many parameters as weights and biases."""
        state = self.state
        return replace(self.coordinates, num_parameters=len(state.classes) * (state.num_options + 1))

    @property
    def from_files(self) -> str:
        """The state as JSON."""
        return self.state.model_dump_json()

    def __call__(self, found: Found) -> Found | Missing:
        """The class, where it is one."""
        scores = found.context.scores
        if not scores:
            return Missing(reason="there are no scores of options, as `choose` gives them")
        if len(scores) != self.state.num_options:
            raise DataError(
                f"linear: the state is fitted to the scores of {self.state.num_options} options, and the example has "
                f"{len(scores)}"
            )
        of_classes = self.state.scores(scores)
        best = [each for each, score in zip(self.state.classes, of_classes, strict=True) if score == max(of_classes)]
        if len(best) == 1:
            return found.become(best[0])
        names = ", ".join(map(str, best))
        return Missing(reason=f"{len(best)} classes have the same score: {names}", is_ambiguous=True)

    def align_target(self, target: Any, fields: Mapping[str, Any]) -> Any:
        """The class that the target is. Raises `ValueError` where it is none."""
        found = next((each for each in self.state.classes if str(each) == str(target)), None)
        if found is None:
            names = ", ".join(map(str, self.state.classes))
            raise ValueError(f"{shorten(target)} is none of the classes {names}")
        return found
