"""The ready-made chains, on completions as models write them: read where there is an answer, nothing where there is none."""

from pathlib import Path

import pytest
import yaml

from promptkit.align import Answer, Context
from promptkit.run import load
from promptkit.score import ExactMatch

CASES = Path(__file__).parent / "ready_made"
KINDS = sorted(path.stem for path in CASES.glob("*.yaml"))


def cases(kind):
    return yaml.safe_load((CASES / f"{kind}.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("kind", "case"), [(kind, case) for kind in KINDS for case in cases(kind)])
def test_a_completion_is_read_as_a_reader_would(kind, case):
    """Written by hand for this, by thinking of what models write; no answer counts as much as an answer."""
    chain = load(kind).chain
    fields = case.get("fields", {})
    context = Context(fields=fields, ended=case.get("ended", "eos"), prompt=case.get("prompt", ""))
    outcome = chain.align(case["completion"], context)
    if case["answer"] is None:
        assert not isinstance(outcome, Answer), outcome
    else:
        assert isinstance(outcome, Answer), outcome
        assert ExactMatch()(outcome.value, case["answer"]) == 1, outcome
        assert case["completion"][outcome.span.start : outcome.span.end].strip()
    assert outcome.status == case.get("status", outcome.status)


READ_AGAIN = [
    (kind, case)
    for kind in KINDS
    if kind not in ("boxed", "list")
    for case in cases(kind)
    if case["answer"] is not None
]


@pytest.mark.parametrize(("kind", "case"), READ_AGAIN)
def test_what_was_read_is_read_again(kind, case):
    """The span is the answer and not its surroundings. (A list's is from its first item to its last, and what stood in a box stands in none.)"""
    chain, context = load(kind).chain, Context(fields=case.get("fields", {}))
    outcome = chain.align(case["completion"], context)
    assert isinstance(outcome, Answer)
    again = chain.align(case["completion"][outcome.span.start : outcome.span.end], context)
    assert isinstance(again, Answer), again
    assert ExactMatch()(again.value, outcome.value) == 1
