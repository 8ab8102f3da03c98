"""Samples that lm-evaluation-harness logs (`--log_samples`): one line a document and filter, in `samples_*.jsonl`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from promptkit.data.files import Row
from promptkit.data.sample import Names, Sample, Unreadable, text_or_unreadable
from promptkit.spec.declaration import shorten

__all__ = ["LmEvalRows"]

RESPONSES = ("resps", "filtered_resps")


@dataclass(frozen=True, slots=True)
class LmEvalRows:
    """Rows of such a log. Each document stands there once for every filter, with the same completions: one is read.

    The document's fields, and `target`, are the sample's; its prompt is the request's.
    """

    names: Names
    filter: Any

    @property
    def about(self) -> str:
        """Which of its filters is read."""
        others = "; the rows of other filters hold the same completions" if self.filter is not None else ""
        return "an lm-eval log" + (f", filter {self.filter!r}{others}" if others else "")

    @staticmethod
    def fits(fields: Mapping[str, Any]) -> bool:
        """Whether a row looks like one of these."""
        return "doc" in fields and ("doc_id" in fields or "arguments" in fields) and any(map(fields.get, RESPONSES))

    def samples(self, row: Row, fallback_id: str) -> Iterator[Sample | Unreadable]:
        """The completions of a document: of each request, all that were asked for."""
        if row.fields.get("filter") != self.filter:
            return
        id_ = row.fields.get("doc_id", fallback_id)
        fields = fields_of(row.fields)
        requests = next((found for name in RESPONSES if isinstance(found := row.fields.get(name), list)), [])
        if not requests:
            yield Unreadable(id=id_, reason=f"{row.origin}: there are no `resps`")
            return
        number = 0
        for index, found in enumerate(requests):
            known = {"prompt": prompt_of(row.fields.get("arguments"), index), **self.names.beside(fields)}
            if is_score(found):
                yield Unreadable(
                    id=id_, reason=f"{row.origin}: resps[{index}] holds {shorten(found)}, the scores of options"
                )
                return
            for text in found if isinstance(found, list) else [found]:
                place = f"{row.origin}: resps[{index}]"
                yield from text_or_unreadable(
                    text, place, id=id_, origin=row.origin, fields=fields, number=number, **known
                )
                number += 1


def is_score(found: Any) -> bool:
    """Whether a response is a log-likelihood with whether it was the greedy one, not a text."""
    return isinstance(found, list) and len(found) > 0 and isinstance(found[0], list)


def fields_of(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    """The document's fields, and what a right answer is."""
    doc = fields["doc"] if isinstance(fields.get("doc"), dict) else {"doc": fields.get("doc")}
    return {"target": fields["target"], **doc} if "target" in fields else doc


def prompt_of(arguments: Any, index: int) -> str:
    """The prompt of a request: the first of its arguments, which are lists, or maps where they were written as such."""
    try:
        if isinstance(arguments, dict):
            arguments = list(arguments.values())
        request = arguments[index]
        first = next(iter(request.values())) if isinstance(request, dict) else request[0]
    except (IndexError, KeyError, StopIteration, TypeError):
        return ""
    return first if isinstance(first, str) else ""
