"""Every rule of the linter, by its code."""

from __future__ import annotations

from promptkit.run.lint.allowed import unknown_codes
from promptkit.run.lint.limits import stops_in_answers, too_few_tokens
from promptkit.run.lint.options import merges, not_shown, of_several_lengths, that_begin_another
from promptkit.run.lint.output import never_reached, not_offered, unreachable_targets, unread_demonstrations
from promptkit.run.lint.prompts import bos, chat_or_not, ends_otherwise, missing_fields, trailing_space
from promptkit.run.lint.rows import (
    imbalanced,
    overlapping,
    unchosen,
    unreadable,
    unused_fields,
    unused_rows,
    unused_train,
)
from promptkit.run.lint.rule import Rule
from promptkit.run.lint.written import escaped_ends

__all__ = ["RULES", "UNUSED"]

UNUSED = "PK103"  # the rule about the others' comments

RULES: dict[str, Rule] = {
    "PK101": Rule(
        title="a backslash and an n where a line's end is meant",
        why="only double quotes make a line's end of \\n; the model reads the two characters, and a stop never comes",
        mend='Write the text in double quotes, "\\n", or as a block with the line\'s end in it.',
        find=escaped_ends,
    ),
    "PK102": Rule(
        title="a comment that means to allow a finding, and does not",
        why="a slip in a rule's code allows nothing, and nobody sees it until the rule finds something",
        mend="Write `lint: allow` and the codes of rules, such as `# lint: allow PK201`.",
        find=lambda subject: unknown_codes(subject, RULES),
        scope="file",
    ),
    UNUSED: Rule(
        title="an allowed rule that finds nothing there",
        why="what is allowed for nothing hides what the rule may find there later",
        mend="Take the code out of the comment.",
        find=lambda _: (),  # it follows from what the others find: `linting.py`
        is_note=True,
        scope="file",
    ),
    "PK201": Rule(
        title="a space at the end of the prompt",
        why="models write a space together with the word after it; after a space alone the likely words are others",
        mend="End the prompt before the space; with `choose` the space stands in `lead`.",
        find=trailing_space,
    ),
    "PK202": Rule(
        title="a prompt that ends otherwise than the demonstrations go on",
        why="demonstrations teach what follows their own words; after other words or white space they teach less",
        mend="Give the query the words and the white space that the demonstrations have before their answers.",
        find=ends_otherwise,
        needs=("data",),
    ),
    "PK203": Rule(
        title="the token that begins a text stands there twice, or not at all",
        why="a model has read every text after exactly one; one report has 0.26 in place of 0.85 (lm-evaluation-harness #2676)",
        mend="Leave it out of the file where the tokenizer or the chat template writes it.",
        find=bos,
        needs=("data", "tokenizer"),
        scope="first",
    ),
    "PK204": Rule(
        title="a chat model without its chat template, or a plain model with `chat: true`",
        why="a model that was tuned to chat may do better with its own template, and may not: worth a try",
        mend="Compare both: `--set chat=true`.",
        find=chat_or_not,
        needs=("tokenizer",),
        is_note=True,
        scope="first",
    ),
    "PK205": Rule(
        title="a template that cannot be written for the first row",
        why="a run ends at the first such row",
        mend="Name a field that the rows have, or make it in `data: fields`.",
        find=missing_fields,
        needs=("data",),
        scope="first",
    ),
    "PK301": Rule(
        title="an option that is the beginning of another",
        why="the likelihood of a text is at most that of its beginning, so the longer option never wins",
        mend="Take other words; or `normalize: token` or `byte`.",
        find=that_begin_another,
    ),
    "PK302": Rule(
        title="options of different lengths, compared as they are",
        why="each token more costs likelihood, whatever it says: short options win too often",
        mend="`normalize: token` or `byte` or `unconditional`; or words of one length.",
        find=of_several_lengths,
        needs=("tokenizer",),
    ),
    "PK303": Rule(
        title="prompt and option merge at their join",
        why="the tokens that are scored are not those that the model would write after the prompt",
        mend="End the prompt before white space, and put the white space into `lead`.",
        find=merges,
        needs=("data", "tokenizer"),
    ),
    "PK304": Rule(
        title="options that the demonstrations do not answer with",
        why="demonstrations make their own words likely, and other words are scored",
        mend="The same words in both; what stands before them in the demonstrations is the `lead`.",
        find=not_shown,
        needs=("data",),
    ),
    "PK310": Rule(
        title="a stop that comes before the answer",
        why="a completion that does as the demonstrations do is cut before it says its answer",
        mend="Stop at what only follows an answer, such as the words that begin the next question.",
        find=stops_in_answers,
        needs=("data",),
        scope="answer",
    ),
    "PK311": Rule(
        title="`max_new_tokens` below the length of gold completions",
        why="a completion as long as the demonstrations' is cut before it says its answer",
        mend="Raise it: a completion that ends by itself costs no more for that.",
        find=too_few_tokens,
        needs=("data", "tokenizer"),
    ),
    "PK401": Rule(
        title="demonstrations that are asked about",
        why="an answer that stands in the prompt is copied; a row that a run leaves out for that makes prompts differ",
        mend="Keep pool and test apart; `leaks` says which rows a run leaves out.",
        find=overlapping,
        needs=("data",),
    ),
    "PK402": Rule(
        title="a field that nothing uses",
        why="what was made for the prompt and is not in it is often a slip in a template",
        mend="Use it or leave it out.",
        find=unused_fields,
        scope="file",
    ),
    "PK403": Rule(
        title="written demonstrations that are never shown",
        why="they were written to be shown; fewer demonstrations mostly score lower",
        mend="Leave `take` out, or raise it.",
        find=unused_rows,
    ),
    "PK404": Rule(
        title="a training split that nothing takes from",
        why="a pipeline with a training split and no demonstrations is often one that lost them",
        mend="Take demonstrations from it, or leave it out.",
        find=unused_train,
        scope="file",
    ),
    "PK405": Rule(
        title="demonstrations that show one class much more often than another",
        why="models lean towards the labels that they see most (Zhao et al. 2021, section 4)",
        mend="`select: balanced`, or another number or seed.",
        find=imbalanced,
        needs=("data",),
    ),
    "PK406": Rule(
        title="demonstrations that cannot be chosen",
        why="a run ends before it begins",
        mend="A smaller `take`, more rows, ids that the pool has, classes that it has.",
        find=unchosen,
        needs=("data",),
    ),
    "PK407": Rule(
        title="data that cannot be read",
        why="a run ends before it begins",
        mend="Mend the file or its name; `--data DIR` says where files lie.",
        find=unreadable,
        scope="file",
    ),
    "PK501": Rule(
        title="demonstrations that the align chain does not read",
        why="a model that does as it is shown is graded wrong, or unparsed",
        mend="Bring the demonstrations' answers and the chain together; `explain FILE --text` shows what it reads.",
        find=unread_demonstrations,
        needs=("data",),
        scope="answer",
    ),
    "PK502": Rule(
        title="targets that no completion can give",
        why="such a row can never be right, and a run ends at the first",
        mend="Bring `target` to what the chain gives.",
        find=unreachable_targets,
        needs=("data",),
        scope="answer",
    ),
    "PK503": Rule(
        title="options of which none is the target",
        why="such a row can never be right, and a run ends at the first",
        mend="Options and targets in the same words, or a `map` step between them.",
        find=not_offered,
        needs=("data",),
        scope="answer",
    ),
    "PK504": Rule(
        title="alternatives of `first` that are never tried",
        why="an answer that a later alternative would read is taken whole, with all that stands around it",
        mend="Put the alternative that takes every text last.",
        find=never_reached,
    ),
}
