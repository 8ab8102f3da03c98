"""Why completions are not in the store: what differs from the nearest that is kept."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from promptkit.generate import Generator, Request
from promptkit.generate.alone import parting_place
from promptkit.run.places import Entry, Kept, Places, canonical
from promptkit.run.store import Store

__all__ = ["Missed", "Misses", "PromptChange", "why_missed"]

log = logging.getLogger(__name__)

Why = Literal["changed", "unfinished", "new", "unknown"]
MODEL = ("kind", "weights", "name")  # parts of an identity that say which model it is
PROMPT, SEED = "prompt", "seed"
OF_SAMPLES = ("top_p", "top_k")
SHOWN_TOKENS, SHOWN_CHARACTERS = 8, 24  # of a prompt from where it differs
OTHERS = {  # what is said of a part that is a digest
    "chat_template": "the model's chat template is another",
    "config": "the model's configuration is another",
    "constraint": "what completions must be is another",
    "likelihood": "log-likelihoods are asked for, or were and are not",
    "options": "the options are others",
    "rules": "the script's rules are others",
    "seed": "the seed is another",
    "thinking": "thinking is declared otherwise",
    "tokenizer": "the tokenizer is another",
    "until": "the rule that ends a completion with its answer is another",
    "weights": "the weights are others",
}
WHYS: dict[Why, str] = {
    "unfinished": "asked for before, and not finished",
    "new": "asked for the first time",
    "unknown": "asked for the first time, or by an earlier version, which did not note of which example a prompt was",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptChange:
    """The first token in which an example's prompt differs from the one that is kept, counted from 1; texts from there.

    Without tokens, as with a server, the first character. A text is empty where the prompt ends.
    """

    example: str
    place: int
    unit: Literal["token", "character"]
    now: str
    kept: str

    def __str__(self) -> str:
        """As the end of a sentence."""
        return f"in {self.example} from {self.unit} {self.place:,} on, {self.now!r} was {self.kept!r}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Missed:
    """Some of the `num_all` completions of a run that are not in the store, all for one reason.

    `differs` has the parts in which they are not the nearest that is kept, with their values now and there; None where a
    value says nothing to people. `kept_on` is the day when that was asked.
    """

    why: Why
    num: int
    num_all: int
    differs: Mapping[str, tuple[Any, Any] | None] = field(default_factory=dict)
    prompt: PromptChange | None = None
    kept_on: str = ""

    @property
    def reason(self) -> str:
        """Why, in words."""
        if self.why != "changed":
            return WHYS[self.why]
        said = "; ".join(self._said(name, values) for name, values in self.differs.items())
        return f"{said} (kept on {self.kept_on})"

    def _said(self, name: str, values: tuple[Any, Any] | None) -> str:
        if name == PROMPT:
            return f"the prompt is another{f': {self.prompt}' if self.prompt else ''}"
        if values is None:
            return OTHERS.get(name, f"{name} is another")
        now, kept = values
        return f"{name} is {shown(now)}, was {shown(kept)}"

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        differs = {name: values and {"now": values[0], "kept": values[1]} for name, values in self.differs.items()}
        return {
            "why": self.why,
            "num": self.num,
            "differs": differs,
            "prompt": asdict(self.prompt) if self.prompt else None,
            "kept_on": self.kept_on or None,
            "said": self.reason,
        }


class Misses:
    """Collects why completions were missed. That what is kept was made otherwise is said, once, before work begins."""

    def __init__(self) -> None:
        self.found: list[Missed] = []
        self._is_said = False

    def __call__(self, missed: Sequence[Missed]) -> None:
        """Takes what was missed in one part of a run."""
        self.found += missed
        changed = [each for each in missed if each.why == "changed"]
        if changed and not self._is_said:
            self._is_said = True
            first, num = changed[0], sum(each.num for each in missed)
            more = f"; {num - first.num:,} more for other reasons, which `plan` tells" if num > first.num else ""
            log.info("%s of %s not in the store: %s%s", f"{first.num:,}", f"{first.num_all:,}", first.reason, more)

    def to_json(self) -> list[dict[str, Any]]:
        """All of it as JSON values."""
        return [each.to_json() for each in self.found]


def why_missed(
    entries: Iterable[tuple[Entry, Request]], num_all: int, generator: Generator, store: Store
) -> list[Missed]:
    """Why the store does not hold these, of `num_all`: one of each reason, what was changed first, then by number."""
    groups: dict[str, Missed] = {}
    with store.places() as places:
        near = Nearest(places, generator)
        for entry, request in entries:
            why, kept = near.find(entry)
            differs = near.differs(entry, kept) if kept else {}
            key = canonical([why, differs])
            if key in groups:
                groups[key] = replace(groups[key], num=groups[key].num + 1)
                continue
            groups[key] = Missed(why=why, num=1, num_all=num_all, differs=differs)
            if kept:
                day = time.strftime("%Y-%m-%d", time.localtime(kept.asked_at))
                groups[key] = replace(groups[key], kept_on=day, prompt=near.prompt_change(differs, kept, request))
    return sorted(groups.values(), key=lambda each: (each.why != "changed", -each.num))


class Nearest:
    """Looks for what is kept and differs least from what is asked of a model."""

    def __init__(self, places: Places, generator: Generator) -> None:
        places.note_old()
        self.places = places
        self.generator = generator
        self.identity = dict(generator.identity)
        self.unknown: Why = "unknown" if places.has_placeless() else "new"
        self._identities: dict[bytes, dict[str, Any]] = {}

    def find(self, entry: Entry) -> tuple[Why, Kept | None]:
        """Why what is asked is not kept, and the nearest that is, where there is any."""
        if self.places.was_asked(entry.place, entry.key):
            return "unfinished", None
        here = [each for each in self.places.near(entry) if self.differs(entry, each)]
        # of other places only what its seed does not explain: another sample, or another example, has another seed
        there = [] if here else [each for each in self.places.elsewhere(entry) if self._is_twin(entry, each)]
        for kept in sorted(here or there, key=lambda each: (len(self.differs(entry, each)), -each.asked_at)):
            if self.places.has(kept.key):
                return "changed", kept
        return self.unknown, None

    def differs(self, entry: Entry, kept: Kept) -> dict[str, tuple[Any, Any] | None]:
        """The parts in which the two differ, in the order of the flow."""
        found: dict[str, tuple[Any, Any] | None] = {}
        known = self._identity_of(kept)
        if known != self.identity:
            found |= differing(self.identity, known)
        is_retokenised = "tokenizer" in found  # then no prompt is the same
        if kept.parts.prompt != entry.parts.prompt and not is_retokenised:
            found[PROMPT] = None
        if kept.parts.settings != entry.parts.settings:
            found |= differing(json.loads(entry.parts.settings), json.loads(kept.parts.settings))
        if kept.parts.seed != entry.parts.seed and None not in (kept.parts.seed, entry.parts.seed):
            found[SEED] = None
        return found

    def prompt_change(self, differs: Mapping[str, Any], kept: Kept, request: Request) -> PromptChange | None:
        """Where the request's prompt is another than that of what is kept; None where it is the same."""
        before = self.places.request(kept.key) if PROMPT in differs else None
        if before is None:
            return None
        if "tokens" in before and request.token_ids and self.generator.tokenizer:
            place = parting_place(request.token_ids, before["tokens"]) or 0
            ids = (request.token_ids, before["tokens"])
            now, then = (self.generator.tokenizer.decode(each[place : place + SHOWN_TOKENS]) for each in ids)
            return PromptChange(example=request.label, place=place + 1, unit="token", now=now, kept=then)
        texts = (request.prompt, str(before.get("prompt", "")))
        place = parting_place(*([ord(each) for each in text] for text in texts)) or 0
        now, then = (each[place : place + SHOWN_CHARACTERS] for each in texts)
        return PromptChange(example=request.label, place=place + 1, unit="character", now=now, kept=then)

    def _is_twin(self, entry: Entry, kept: Kept) -> bool:
        """Whether what was asked elsewhere was asked of the same model, and something but the seed differs."""
        known = self._identity_of(kept)
        is_same_model = all(known.get(name) == self.identity.get(name) for name in MODEL)
        return is_same_model and bool(self.differs(entry, kept).keys() - {SEED})

    def _identity_of(self, kept: Kept) -> dict[str, Any]:
        if kept.identity not in self._identities:
            self._identities[kept.identity] = self.places.identity(kept.identity)
        return self._identities[kept.identity]


def differing(now: Mapping[str, Any], kept: Mapping[str, Any]) -> dict[str, tuple[Any, Any] | None]:
    """The names whose values differ, each with both values; None for digests, and what has no meaning beside greedy text."""
    shared = now.keys() & kept.keys()
    names = [name for name in dict.fromkeys((*now, *kept)) if now.get(name) != kept.get(name)]
    names = [name for name in names if name not in OF_SAMPLES or name in shared]  # greedy text has none of them
    return {name: None if name in OTHERS else (now.get(name), kept.get(name)) for name in names}


def shown(value: Any) -> str:
    """A value in a sentence.

    >>> shown("float32"), shown(256), shown(None), shown(["Q:"])
    ('float32', '256', 'not set', "['Q:']")
    """
    return "not set" if value is None else str(value)
