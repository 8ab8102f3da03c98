"""`generate.constrain` put together with the align chain: what a completion must be, so that the chain can read it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from promptkit.align import AlignStep, Chain, Choice, First, Found, GrammarStep, Json, Regex, Strip, Use
from promptkit.align.chain import whole
from promptkit.align.context import Context
from promptkit.align.schema import always_has
from promptkit.generate import Constrain, Constraint, NotConstrained
from promptkit.run.seats import inner_steps
from promptkit.text import known_names

__all__ = ["Constraining"]

UNCHANGING = ("reasoning",)  # steps that leave a text as it is that has nothing for them
WHITE = "".join(chr(code) for code in range(0x3001) if chr(code).isspace())
ANSWER = "answer"
ANY_DOCUMENT: Mapping[str, Any] = {"type": ["object", "array"]}


@dataclass(frozen=True)
class Constraining:
    """The section, and the chain that reads what it lets the model write."""

    section: Constrain
    steps: tuple[AlignStep, ...]

    @cached_property
    def fixed(self) -> Constraint | None:
        """The constraint, where it is the same for every example. Raises `NotConstrained` and `GrammarError`."""
        if self.section.step is None:
            return self.section.fixed
        place = self.place
        return None if isinstance(place.step, Choice) else place.constraint(self.section)

    def of(self, fields: Mapping[str, Any]) -> Constraint:
        """The constraint for one example. Raises `NotConstrained`, `ValueError`, and `TemplateError`."""
        if self.fixed is not None:
            return self.fixed
        if self.section.step is None:
            return self.section.by_texts(self.section.texts(fields))
        return self.section.by_texts(self.spellings(fields))

    def spellings(self, fields: Mapping[str, Any]) -> Sequence[str]:
        """The ways to name an option that the chain reads as that option. Raises `ValueError` where it reads none."""
        step = self.place.step
        assert isinstance(step, Choice)
        options = step.of(self.place.seen(fields))
        chain, context = Chain(self.steps), Context(fields=fields)
        found = []
        for index, label in enumerate(options.labels):
            texts = [*marked(label), *options.texts[index : index + 1]]
            texts += [f"{mark} {text}" for text in options.texts[index : index + 1] for mark in marked(label)]
            value = chain.align_target(step.value(index, options), fields)
            results = ((text, chain(whole(text, context))) for text in texts)
            found += [text for text, result in results if isinstance(result, Found) and result.value == value]
        if not found:
            raise ValueError(f"{self.place.name} reads no way to name an option")
        return found

    @cached_property
    def place(self) -> Place:
        """The first step of the kind that the section names. Raises `NotConstrained` where there is none."""
        found = list(places(self.steps, "align", ()))
        kinds = [place.step.kind for place in found]
        if self.section.step not in kinds:
            known = known_names(str(self.section.step), set(kinds)) if kinds else "there is none at all"
            raise NotConstrained(f"the align chain has no step {self.section.step!r} ({known})")
        return found[kinds.index(str(self.section.step))]


@dataclass(frozen=True, slots=True)
class Place:
    """A step, the steps that are done before it, its name in the chain, and the chains from files that it stands in."""

    name: str
    before: tuple[AlignStep, ...]
    step: AlignStep
    uses: tuple[Use, ...] = ()

    def constraint(self, section: Constrain) -> Constraint:
        """What the step can read. Raises `NotConstrained` and `GrammarError`."""
        try:
            if isinstance(self.step, Regex):
                return self.by_pattern(section, self.step)
            if isinstance(self.step, GrammarStep):
                return self.by_grammar(section, self.step)
            assert isinstance(self.step, Json)
            return self.by_schema(section, self.step)
        except NotConstrained as error:
            raise NotConstrained(f"{self.name}: {error}") from error

    def by_pattern(self, section: Constrain, step: Regex) -> Constraint:
        """What a pattern matches from end to end. Any such text has a match, the whole of it or a part."""
        if step.take == "only":
            raise NotConstrained("`take: only` may find several that differ; `first` or `last` takes one")
        self.check_before(Strip)
        strips = [each.chars or WHITE for each in self.before if isinstance(each, Strip)]
        if step.search == "end":
            raise NotConstrained(
                "`search: end` reads backwards, which a constraint cannot follow; `take: last` looks on"
            )
        first = step.searches[0]  # what it matches is an answer, whatever the other patterns match
        return section.by_pattern(first.compiled, first.answer, stripped="".join(strips) if strips else None)

    def by_schema(self, section: Constrain, step: Json) -> Constraint:
        """The documents in which the step finds a value."""
        self.check_before(Strip)
        content = step.schema_.content if step.schema_ else ANY_DOCUMENT
        if not always_has(content, step.pointer):
            place = f"at {step.pointer}" if step.pointer else "at all"
            raise NotConstrained(
                f"the schema has documents without a value {place}: say its `type`, and what is `required`"
            )
        return section.by_schema(content)

    def by_grammar(self, section: Constrain, step: GrammarStep) -> Constraint:
        """What a grammar's rule is."""
        self.check_before()
        rules = step.text.rules(step.start)
        if ANSWER in rules.names - {step.start} and not rules.always_has(ANSWER):
            raise NotConstrained("the grammar has texts without the rule `answer`, or in which it is empty")
        return section.by_grammar(step.text, step.start)

    def check_before(self, *allowed: type[AlignStep]) -> None:
        """Nothing; or `NotConstrained` where a step before this one may change what it reads."""
        for each in self.before:
            if not isinstance(each, allowed) and each.kind not in UNCHANGING:
                raise NotConstrained(
                    f"the step {each.kind!r} before it may change what it reads; `constrain: {{{self.step.kind}: ...}}` "
                    "says by itself what a completion is"
                )

    def seen(self, fields: Mapping[str, Any]) -> Mapping[str, Any]:
        """The fields that the step sees, of an example's."""
        for use in self.uses:
            fields = use.seen(fields)
        return fields


def marked(label: str) -> tuple[str, ...]:
    """An option's letter as people write it."""
    return label, f"({label})", f"{label})", f"{label}."


def places(
    steps: Sequence[AlignStep], name: str, before: tuple[AlignStep, ...], uses: tuple[Use, ...] = ()
) -> Iterator[Place]:
    """Every step of a chain, those inside alternatives and other chains among them, in their order."""
    for number, step in enumerate(steps):
        inner = f"{name}[{number}].{step.kind}"
        yield Place(inner, before, step, uses)
        if isinstance(step, First):
            for place, alternative in enumerate(step.alternatives):
                yield from places(alternative, f"{inner}[{place}]", before, uses)
        elif isinstance(step, Use):
            yield from places(step.chain.steps, inner, before, (*uses, step))
        else:  # what such a step hands on is its own affair
            yield from (Place(inner, (*before, step), each, uses) for each in inner_steps(step))
        before = (*before, step)
