"""PK4xx: the data, and what of it is shown."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from promptkit.align import AlignStep, LabelMap
from promptkit.align.kinds import KINDS as ALIGN_KINDS
from promptkit.data import Example
from promptkit.errors import PromptkitError
from promptkit.prompt import Demonstrations, Leaks
from promptkit.prompt.kinds import KINDS as PROMPT_KINDS
from promptkit.prompt.leaks import Lookout
from promptkit.run.lint.subject import CHEAP, Shots, Subject, Unknown
from promptkit.run.seats import inner_steps
from promptkit.score.kinds import KINDS as SCORE_KINDS
from promptkit.spec import Template
from promptkit.spec.leaves import leaves
from promptkit.text import Problem

__all__ = ["imbalanced", "overlapping", "unchosen", "unreadable", "unused_fields", "unused_rows", "unused_train"]

MAX_CLASSES = 10
OTHER_FILES = re.compile(r"\{%-?\s*(?:include|import|from|extends)\b")


def unreadable(subject: Subject) -> Iterator[Problem]:
    """Each split whose file is not there, or whose first rows cannot be read."""
    data = subject.declared.data
    for split in data.splits if data else ():
        try:
            subject.rows(split)
        except Unknown as error:
            if isinstance(error.__cause__, PromptkitError | OSError):
                message, _, hint = str(error.__cause__).partition("\n")
                yield subject.problem(("data", split), message, hint.strip())


def overlapping(subject: Subject) -> Iterator[Problem]:
    """The pool, where a row of it asks what a test row asks, or nearly: by the rule of `leaks`, whatever that allows.

    A label map that is fitted on test rows, too: it has seen the answers.
    """
    first = next(iter(subject.declared.align), None)
    if isinstance(first, LabelMap) and first.source == "test":
        message, hint = "the label map is fitted on the rows that are asked about", "`from: train`"
        yield subject.problem(("align", 0, "from"), message, hint)
    for shots in subject.shots:
        leaks = shots.step.leaks
        lookout = Lookout(leaks if leaks.rule == "near" else Leaks(), subject.pool(shots))
        pairs = sorted(lookout.pairs(subject.tests), key=lambda each: is_overlap(each[2]))
        if pairs:
            example, number, why = pairs[0]
            row = shots.pool[number]
            how = "is nearly" if is_overlap(why) else "is"
            same = "is itself" if why == "itself" else f"{how} {example.origin}, which is"
            is_shown = leaks.rule == "allow" or (leaks.rule == "same" and is_overlap(why))
            fate = f"`leaks: {leaks.rule}` shows it" if is_shown else "a run leaves it out"
            message = f"{row.origin} {same} asked about; {fate}"
            message += f" ({len(pairs)} of {len(shots.pool)} rows of the pool, against {len(subject.tests)} test rows)"
            hint = "take demonstrations from rows that no run asks about"
            yield subject.problem(("prompt", shots.number, "from"), message, hint)


def is_overlap(why: str) -> bool:
    """Whether rows are near, and not the same."""
    return why.startswith("overlap")


def unused_fields(subject: Subject) -> Iterator[Problem]:
    """Each field that the file declares, and nothing in it names; those of a file that it extends are that file's matter."""
    data = subject.declared.data
    if data is None or not (subject.declared.prompt or subject.declared.stages):
        return
    used = used_names(subject)
    of_section = {name for template in data.fields.values() for name in template.names}
    declared: list[tuple[tuple[str, ...], Mapping[str, Template], set[str]]] = [(("data", "fields"), data.fields, used)]
    for split in data.splits:
        source = data.source(split)
        if source is not None:
            declared.append((("data", split, "fields"), source.fields, used | of_section))
    for path, fields, names in declared:
        for name in fields:
            if name not in names and not subject.is_inherited((*path, name)):
                message = f"the field {name!r} is made, and nothing uses it"
                yield subject.problem((*path, name), message, "leave it out, or use it", at_key=True)


def used_names(subject: Subject) -> set[str]:
    """Every name that anything but `fields` takes from a row. Raises `Unknown` where Python or a plug-in reads rows."""
    declared = subject.declared
    check_all_ours(subject)
    used = {"id", "question"}  # the chain may ask for the question by itself
    of_data = (declared.data.target, declared.data.id) if declared.data else ()
    for value in written(subject, declared.generate, declared.score, of_data):
        if isinstance(value, Template) and OTHER_FILES.search(value.text):
            raise Unknown("a template includes others, whose names are not looked for")
        used |= value.names if isinstance(value, Template) else {str(value)}
    return used


def written(subject: Subject, *more: Any) -> Iterator[Template | str]:
    """Every template and text of the sections that show, offer or read something of rows, and of `more`.

    Steps in a chain's own file count, too.
    """
    declared = subject.declared
    parts = (declared.prompt, declared.choose, declared.stages, steps_of(subject), more)
    return (leaf for _, leaf in leaves(parts))


def steps_of(subject: Subject) -> list[AlignStep]:
    """The steps of all chains, with those that they are made of."""
    return [each for _, step in subject.declared.align_steps() for each in (step, *inner_steps(step))]


def check_all_ours(subject: Subject) -> None:
    """Nothing; or `Unknown`: somebody else's step may read any field."""
    prompts = [step for _, step in subject.declared.prompt_steps()]
    ours = {*ALIGN_KINDS.values(), *PROMPT_KINDS.values(), *SCORE_KINDS.values()}
    for step in (*steps_of(subject), *prompts, *subject.declared.score):
        if type(step) not in ours or step.kind == "python":
            raise Unknown(f"the step {step.kind!r} may read any field")
    for step in prompts:
        if isinstance(step, Demonstrations) and step.select.kind == "python":
            raise Unknown("the selector may read any field")


def unused_rows(subject: Subject) -> Iterator[Problem]:
    """Demonstrations written in the file, more of them than are ever shown."""
    for number, step in enumerate(subject.declared.prompt):
        if not isinstance(step, Demonstrations) or isinstance(step.source, str) or not step.take:
            continue
        num = len(step.source)
        if step.select.kind == "first" and num > step.take:
            message = f"{num} demonstrations are written here, and `take: {step.take}` shows the first {step.take}"
            hint = "leave `take` out, or choose among all: `select: random`"
            yield subject.problem(("prompt", number, "take"), message, hint)


def unused_train(subject: Subject) -> Iterator[Problem]:
    """The training split, where nothing takes anything from it; one of a file that is extended is that file's matter."""
    data = subject.declared.data
    if data is None or data.train is None or not (subject.declared.prompt or subject.declared.stages):
        return
    named = {str(each) for each in written(subject)}
    if "train" not in named and not subject.is_inherited(("data", "train")):
        message = "the split 'train' is declared, and nothing takes from it"
        yield subject.problem(
            ("data", "train"), message, "`demonstrations: {from: train, ...}` shows its rows", at_key=True
        )


def unchosen(subject: Subject) -> Iterator[Problem]:
    """Each step of demonstrations that cannot be chosen for one of the rows, as a run would find."""
    for shots in subject.shots:
        if shots.step.select.kind not in CHEAP or shots.step.asks_any_model or not shots.is_whole:
            continue
        try:
            gallery = subject.gallery(shots)
            for row in subject.tests:
                gallery.shown(row)
        except PromptkitError as error:
            message, _, hint = str(error).partition("\n")
            yield subject.problem(("prompt", shots.number), message, hint.strip())


def imbalanced(subject: Subject) -> Iterator[Problem]:
    """The choice of demonstrations, where it shows one class much more often than another."""
    for shots in subject.shots:
        rows = own_rows(shots, subject.shown(shots))
        targets = [str(subject.target(row)) for row in rows if subject.target(row) is not None]
        classes = classes_of(subject, shots)
        if len(targets) < max(2, len(classes)) or not classes:
            continue
        counts = Counter(dict.fromkeys(classes, 0))
        counts.update(each for each in targets if each in counts)
        (most, highest), *_, (least, lowest) = counts.most_common()
        if lowest == 0 or highest > 2 * lowest:
            shown = ", ".join(f"{name} {count}" for name, count in counts.most_common())
            message = (
                f"the {len(rows)} demonstrations show {most!r} {times(highest)} and {least!r} {times(lowest)}: {shown}"
            )
            hint = "`select: balanced`, or another `take` or `seed`"
            yield subject.problem(("prompt", shots.number), message, hint)


def own_rows(shots: Shots, rows: Sequence[Example]) -> Sequence[Example]:
    """The rows under their own labels, where symbols stand for these: as many of each as of the labels."""
    if shots.step.labels is None or shots.step.labels.how != "symbolic":
        return rows
    own = {row.id: row for row in shots.pool}
    return [own[row.id] for row in rows]


def times(number: int) -> str:
    """How often, in words."""
    return {0: "never", 1: "once", 2: "twice"}.get(number, f"{number} times")


def classes_of(subject: Subject, shots: Shots) -> list[str]:
    """The classes of a task that has a few: the targets of its rows, where each comes several times; none where not."""
    targets = Counter(str(subject.target(row)) for row in (*shots.pool, *subject.tests))
    is_few = 2 <= len(targets) <= MAX_CLASSES and sum(targets.values()) >= 4 * len(targets)
    return sorted(targets) if is_few and "None" not in targets else []
