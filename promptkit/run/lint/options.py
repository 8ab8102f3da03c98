"""PK30x: the options that are scored, as texts and as tokens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import permutations

from promptkit.data import Example
from promptkit.errors import PromptkitError
from promptkit.generate import Choose
from promptkit.run.lint.gold import golds
from promptkit.run.lint.subject import Subject, Unknown
from promptkit.text import Problem

__all__ = ["merges", "not_shown", "of_several_lengths", "that_begin_another"]

NUM_PROMPTS = 4  # whose joins with their options are looked at

OPTIONS = ("choose", "options")


def offered(subject: Subject) -> list[tuple[Example | None, tuple[str, ...]]]:
    """The options, or those of each of the first rows where they depend on the row."""
    choose = subject.declared.choose
    if choose is None:
        return []
    if isinstance(choose.options, tuple):
        return [(None, choose.options)]
    found: list[tuple[Example | None, tuple[str, ...]]] = []
    for row in subject.tests:
        try:
            found.append((row, choose.options_for(row.fields)))
        except (PromptkitError, ValueError) as error:
            raise Unknown(str(error).partition("\n")[0]) from error
    return found


def compared_raw(subject: Subject) -> Choose | None:
    """The section that scores options, where their log-likelihoods are compared as they are."""
    choose = subject.declared.choose
    is_raw = choose is not None and choose.normalize == "raw" and not subject.pipeline.chain.reads_scores
    return choose if is_raw else None


def that_begin_another(subject: Subject) -> Iterator[Problem]:
    """The options, where one begins another: the longer can never be the likelier."""
    choose = compared_raw(subject)
    if choose is None:
        return
    rows = offered(subject)
    found = [(row, pair) for row, options in rows if (pair := beginning(subject, choose, options))]
    if found:
        row, (short, long) = found[0]
        message = f"{short!r} begins {long!r}, which can never score more{where(row, len(found), len(rows))}"
        hint = "take words of which none begins another, or `normalize: token`"
        yield subject.problem(OPTIONS, message, hint)


def beginning(subject: Subject, choose: Choose, options: Sequence[str]) -> tuple[str, str] | None:
    """The first pair of which one begins the other, as tokens where the tokenizer is here, else as texts."""
    pairs = [(short, long) for short, long in permutations(options, 2) if long.startswith(short)]
    try:
        encode = subject.tokenizer.encode
    except Unknown:
        return pairs[0] if pairs else None
    for short, long in pairs:
        ids = encode(choose.lead + short, add_special_tokens=False)
        if encode(choose.lead + long, add_special_tokens=False)[: len(ids)] == ids:
            return short, long
    return None


def of_several_lengths(subject: Subject) -> Iterator[Problem]:
    """The options, where they have different numbers of tokens, and their log-likelihoods are compared as they are."""
    choose = compared_raw(subject)
    if choose is None:
        return
    rows, encode = offered(subject), subject.tokenizer.encode
    found = []
    for row, options in rows:
        sizes = {option: len(encode(choose.lead + option, add_special_tokens=False)) for option in options}
        if len(set(sizes.values())) > 1:
            found.append((row, sizes))
    if found:
        row, sizes = found[0]
        least, most = min(sizes, key=lambda each: sizes[each]), max(sizes, key=lambda each: sizes[each])
        message = f"{most!r} is {sizes[most]} tokens, {least!r} {sizes[least]}{where(row, len(found), len(rows))}"
        yield subject.problem(OPTIONS, message, "`normalize: token` or `byte`; or words of one length")


def merges(subject: Subject) -> Iterator[Problem]:
    """The lead, where the last token of a prompt is another one once an option follows."""
    choose = subject.declared.choose
    if choose is None:
        return
    tokenizer = subject.tokenizer
    for row, prompt in subject.prompts(NUM_PROMPTS):
        try:
            options = choose.options_for(row.fields)
        except (PromptkitError, ValueError):
            continue
        texts = [prompt.text, *(prompt.text + choose.lead + option for option in options)]
        alone, *joint = tokenizer.encode_all(texts, add_special_tokens=not prompt.is_chat)
        for option, ids in zip(options, joint, strict=True):
            if ids[: len(alone)] != alone:
                shown = f"{prompt.text[-8:]!r} and {choose.lead + option!r}"
                message = f"the tokens of {shown} merge where they join: the model never reads the prompt as it ends"
                hint = "end the prompt before its white space, and put that into `lead`"
                yield subject.problem(
                    ("choose", "lead") if "lead" in choose.model_fields_set else OPTIONS, message, hint
                )
                return


def not_shown(subject: Subject) -> Iterator[Problem]:
    """The options, where the demonstrations answer with none of them, its lead before it."""
    choose = subject.declared.choose
    if choose is None:
        return
    for shots in subject.shots:
        completions = golds(subject, shots)
        for gold in completions:
            try:
                options = choose.options_for(gold.row.fields)
            except (PromptkitError, ValueError):
                continue
            if not any(
                begins(gold.text, choose.lead + option, after=subject.asked(shots, gold.row)) for option in options
            ):
                shown = ", ".join(repr(choose.lead + option) for option in options[:4])
                message = (
                    f"the demonstrations answer with {gold.text[:40]!r} ({gold.row.origin}), the options are {shown}"
                )
                yield subject.problem(OPTIONS, message, "the same words in both; `lead` is the white space before them")
                return


def begins(text: str, option: str, *, after: str) -> bool:
    """Whether a gold completion begins with an option. A space that stands twice is another rule's to tell."""
    is_doubled = after.endswith(" ") and option.startswith(" ")
    return text.startswith(option.lstrip(" ") if is_doubled else option)


def where(row: Example | None, num: int, num_all: int) -> str:
    """Which row it is, and how many there are, as the end of a message; empty where options are the same for all."""
    return "" if row is None else f" ({row.origin}; {num} of {num_all} rows)"
