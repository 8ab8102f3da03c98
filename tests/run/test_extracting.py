"""`extract` without its command line: what a row holds, and what is counted."""

import json
from dataclasses import replace
from typing import Any

import pytest

from promptkit.align import Chain
from promptkit.data import Names, open_samples
from promptkit.run import Extractor, Tally, extract, load
from promptkit.run.extracting import line_of
from promptkit.score import ExactMatch

SUM = """
align:
  - regex: {pattern: 'is (?P<answer>[^.]+)', take: last}
  - number
"""


@pytest.fixture
def rows(write, tmp_path):
    """The rows that are written for completions, each with what else its line holds, and the tally."""

    def rows_(*lines, text=SUM, metrics=(), is_traced=False, **names):
        path = tmp_path / "chains.jsonl"
        path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
        extractor = Extractor(chain=load(write(text, "p.yaml")).chain, metrics=metrics, is_traced=is_traced)
        tally, written = Tally(), list[Any]()
        for batch in open_samples(str(path), Names(**names)).batches():
            made = extractor.written(batch)
            tally.add(made.tally)
            written += map(json.loads, made.text.splitlines())
        return written, tally

    return rows_


def test_a_row_has_its_answer_or_the_reason_why_not(rows):
    """These keys are promised."""
    made, tally = rows({"id": "a", "completion": "It is 4."}, {"completion": "No."}, {"completion": None})
    assert made[0] == {"id": "a", "answer": 4, "status": "answered", "span": [6, 7], "step": "align[1].number"}
    assert made[1] == {
        "id": "chains-1",
        "answer": None,
        "status": "unparsed",
        "span": None,
        "step": "align[0].regex",
        "reason": "no match",
    }
    assert (made[2]["status"], made[2]["step"]) == ("empty", None)
    assert (tally.num_rows, tally.num_unreadable) == (3, 1)
    assert tally.first_unreadable.endswith("chains.jsonl:3: the field 'completion' is null")


def test_why_a_completion_ended_tells_truncated_from_unparsed(rows):
    """A third of all "wrong" answers of long chains are cut ones."""
    lines = [{"completion": "It i", "end": end} for end in ("length", "stop")]
    assert [row["status"] for row in rows(*lines, ended="end")[0]] == ["truncated", "unparsed"]


def test_the_ledger_has_every_step_that_was_tried(rows):
    """What it was given, what it made of it, how long that took."""
    (row,), _ = rows({"completion": "It is 4."}, is_traced=True)
    assert [{name: value for name, value in tried.items() if name != "took_s"} for tried in row["ledger"]] == [
        {"step": "align[0].regex", "read": [0, 8], "span": [6, 7], "value": "4", "reason": None},
        {"step": "align[1].number", "read": [6, 7], "span": [6, 7], "value": 4, "reason": None},
    ]
    assert all(0 <= tried["took_s"] < 1 for tried in row["ledger"])


def test_targets_are_scored_as_the_chain_would_have_written_them(rows):
    """No answer scores 0; a target that no completion could give, and one that is not there, are counted apart."""
    lines: list[dict[str, Any]]
    lines = [{"id": id_, "completion": f"It is {n}.", "gold": gold} for id_, n, gold in [("a", 4, "$4"), ("a", 5, "4")]]
    lines += [{"completion": "No.", "gold": 3}, {"completion": "It is 4.", "gold": "x"}, {"completion": "It is 4."}]
    made, tally = rows(*lines, metrics=[ExactMatch()], target="gold")
    assert [row.get("scores") for row in made] == [{"exact_match": score} for score in (1, 0, 0)] + [None, None]
    assert [row.get("target") for row in made] == [4, 4, 3, None, None]
    assert [row.get("target_reason") for row in made] == [None] * 3 + ["'x' is not a number", "there is no target"]
    assert (tally.values("exact_match"), tally.num_without_target) == ([0.5, 0], 2), "samples are averaged first"


def test_a_mistake_that_only_a_row_shows_makes_that_row_unreadable(rows):
    """A row without its options is one row less, and not the end of all others."""
    text = "align: [{choice: {options: '{{ options }}'}}]\n"
    lines: list[dict[str, Any]] = [{"completion": "B"}, {"completion": "B", "options": ["x", "y"]}]
    first, second = rows(*lines, text=text)[0]
    assert (first["status"], second["answer"]) == ("unparsed", "B")
    row, pipeline, reason = first["reason"].split(": ", 2)
    assert (row.rpartition("/")[2], pipeline.rpartition("/")[2]) == ("chains.jsonl:1", "p.yaml:1:28")
    known = "known: completion   did you mean 'completion'?"
    assert reason == f"template: undefined name 'options'; {known}; `options: null` reads letters alone"


def test_what_is_no_unicode_is_written_all_the_same(tmp_path):
    """A pipe in Python may hand on half of a surrogate pair; the row is written by its escape."""
    path = tmp_path / "c.jsonl"
    path.write_text('{"id": "a", "completion": "x"}\n')
    (row,) = extract(Chain(), path)
    assert line_of(replace(row, id="\ud800")).startswith('{"id": "\\ud800", ')
