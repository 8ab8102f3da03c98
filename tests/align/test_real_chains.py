"""What real models really wrote: the shared chains, each file with a chain that one would write for it.

`gold` is the task's right answer, which a chain may miss: "extracted equals gold" is compared with the source's own
verdict where it has one, else the extracted value with what the source extracted.
"""

import json

import pytest

from promptkit.align import Answer

ANSWER_IS = r"{regex: {pattern: 'answer is:?\s*(?P<answer>[^\n]+)', ignore_case: true, take: last}}"
BOXED = r"{regex: {pattern: '\\boxed\{(?P<answer>[^{}]*)\}', take: last}}"
JSON_ANSWER = r"""{regex: {pattern: '"answer":\s*"?(?P<answer>[^"\n}]+)', take: last}}"""
NUMBER = f"align: [{{first: [{ANSWER_IS}, {BOXED}, {{number: last}}]}}, number]"
LETTER = f"align: [{{first: [[{ANSWER_IS}, {{choice: {{options: null, letters: ABCDE}}}}]]}}]"
YES_NO = "align: [{regex: {pattern: '(?P<answer>yes|no)', ignore_case: true, take: last}}, lower]"

GSM8K = r"""align:
  - first:
      - regex: {pattern: '^A:\s*(?P<answer>.+)$', multiline: true, take: last}
      - regex: {pattern: '####\s*(?P<answer>.+)', take: last}
  - number
"""


def rows(shared, name):
    with (shared / "chains" / f"{name}.jsonl").open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def read(chain, row):
    outcome = chain.align(row["chain"], fields=row, ended="eos")
    return outcome.value if isinstance(outcome, Answer) else None


def agreement(pairs):
    pairs = list(pairs)
    return sum(left == right for left, right in pairs) / len(pairs)


def test_gsm8k_solutions_agree_with_the_published_verdicts(declare, shared):
    """2,380 solutions of four models, graded by their authors."""
    chain = declare(GSM8K)
    verdicts = (
        (read(chain, row) == chain.align_target(row["gold"], row), row["reported_correct"])
        for row in rows(shared, "gsm8k_openai_solutions")
    )
    assert agreement(verdicts) >= 0.99


def test_tora_numbers_agree_with_the_authors_extraction(declare, shared):
    """Programs with many numbers in them, and the answer boxed."""
    chain = declare(f"align: [{{first: [{BOXED}, {{number: last}}]}}, number]")
    pairs = ((read(chain, row), chain.align_target(row["source_pred"], row)) for row in rows(shared, "tora_gsm8k"))
    assert agreement(pairs) >= 0.99


@pytest.mark.parametrize(
    ("tasks", "text", "floor"),
    [
        ({"gsm8k", "svamp", "multiarith"}, NUMBER, 0.97),
        ({"aqua"}, LETTER, 1.0),
        ({"strategyqa", "sports"}, YES_NO, 0.95),
    ],
)
def test_prose_conclusions_agree_with_the_authors_extraction(declare, shared, tasks, text, floor):
    """Several models' styles; where the authors extracted a whole sentence, or nothing, there is nothing to compare."""
    chain = declare(text)
    pairs = []
    for row in rows(shared, "faithful_cot_baselines"):
        if row["task"] not in tasks or row["source_pred"] is None:
            continue
        try:
            target = chain.align_target(row["source_pred"], row)
        except ValueError:
            continue
        pairs.append((read(chain, row), target))
    assert agreement(pairs) >= floor


@pytest.mark.parametrize(
    ("name", "text", "answered"),
    [
        ("bbh_codex_cot", f"align: [{ANSWER_IS}, {{strip: ' .'}}]", 0.9),
        ("llmdrift", f"align: [{{first: [{BOXED}, {{regex: {{pattern: '\\[?(Yes|No)\\]?', take: last}}}}]}}]", 0.8),
        ("zeroeval_gsm8k", f"align: [{JSON_ANSWER}, number]", 0.9),
        ("zeroeval_numersense", f"align: [{JSON_ANSWER}, number]", 0.9),
    ],
)
def test_most_completions_answer_and_none_breaks_the_chain(declare, shared, name, text, answered):
    """The rest has a status and a reason; the span is always inside."""
    chain, num_answered = declare(text), 0
    every = rows(shared, name)
    for row in every:
        outcome = chain.align(row["chain"], fields=row, ended="eos")
        if isinstance(outcome, Answer):
            num_answered += 1
            assert 0 <= outcome.span.start < outcome.span.end <= len(row["chain"])
        else:
            assert outcome.reason
    assert num_answered / len(every) >= answered


@pytest.mark.parametrize("text", ["align: [number]", "align: [{choice: {options: null}}]", NUMBER, LETTER, YES_NO])
def test_every_chain_takes_every_completion(declare, shared, text):
    """Truncated, broken and rambling ones too."""
    chain = declare(text)
    for path in sorted((shared / "chains").glob("*.jsonl")):
        for row in rows(shared, path.stem)[::5]:
            assert chain.align(row["chain"], fields=row, ended="length").status != "unparsed"


def test_options_of_aqua_are_read_from_every_row(declare, shared):
    """Their texts carry their letters, and some hold roots and fractions."""
    by_letter = declare("align: [choice]")
    by_text = declare("align: [{choice: {give: text}}]")
    with (shared / "tasks" / "aqua" / "test.jsonl").open(encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            text = by_text.align_target(row["answer"], row)
            assert not text.startswith(f"{row['answer']})")
            outcome = by_letter.align(f"The answer is ({row['answer']}) {text}.", fields=row, ended="eos")
            assert outcome.status in ("answered", "ambiguous")
            plain = by_letter.align(f"The answer is ({row['answer']}).", fields=row, ended="eos")
            assert plain.value == row["answer"]
