"""A bake-off: who says the same as whom, how far the score could move, which rows are worth a look."""

import json
from collections import Counter

import pytest

from promptkit.align import Answer, NoAnswer
from promptkit.errors import RunError
from promptkit.run import BakeoffRow, Completions, bake_off, load
from promptkit.run.bakeoff import Tally, letters, named_chains, pattern_of
from promptkit.score import summarize
from promptkit.text import Span

STRICT = "name: strict\nalign: [{regex: 'answer is (?P<answer>[^ ]+)'}, number]\n"
LOOSE = "name: loose\nalign: [{number: last}]\n"
BOTH = "name: both\nalign: [{first: [[{regex: 'answer is (?P<answer>[^ ]+)'}, number], {number: first}]}]\n"
ROWS = [
    {"id": "same", "completion": "3 + 4: the answer is 7", "gold": 7},
    {"id": "none", "completion": "nothing", "gold": 7},
    {"id": "two-and-none", "completion": "3 + 4 = 7", "gold": 7},
    {"id": "two", "completion": "the answer is 7 of 9", "gold": "7"},
    {"id": "unknown", "completion": "the answer is 7 of 9", "gold": None},
    {"id": "one-and-none", "completion": "7", "gold": 8},
]


@pytest.fixture
def bake(write, tmp_path):
    """A bake-off of the three over the rows."""
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS), encoding="utf-8")
    pipelines = [load(write(text, f"{number}.yaml")) for number, text in enumerate((STRICT, LOOSE, BOTH))]

    def bake(top=20, watch=lambda _: None, **more):
        return bake_off(pipelines, Completions(path=tmp_path / "rows.jsonl", **more), top=top, watch=watch)

    return bake


def test_the_most_telling_rows_come_first(bake):
    """Three outcomes before two; two answers before an answer beside none; then the rarest, then the file's order."""
    found = bake()
    assert [(row.given.id, letters(row.pattern)) for row in found.rows] == [
        ("two-and-none", "- A B"),
        ("two", "A B A"),
        ("unknown", "A B A"),
        ("one-and-none", "- A A"),
    ]
    assert [row.given.id for row in bake(top=2).rows] == ["two-and-none", "two"]
    assert found.num_differing == bake(top=0).num_differing == 4


def test_agreement_counts_no_answers_on_both_sides_and_says_how_many(bake):
    """Two parsers that find nothing agree, and nobody should be glad of it."""
    found = bake()
    shown = [[(round(6 * each.same), round(6 * each.neither)) for each in row] for row in found.agreement]
    assert shown == [[(6, 3), (2, 1), (4, 1)], [(2, 1), (6, 1), (3, 1)], [(4, 1), (3, 1), (6, 1)]]
    assert [counts["answered"] for counts in found.statuses] == [3, 5, 5]


def test_the_score_lies_between_all_right_and_any_right(bake):
    """That is how far the choice of the parser could move it; a row without gold counts for nothing."""
    found = bake(gold="gold")
    assert [score.value for score in found.scores] == [2 / 5, 2 / 5, 2 / 5]
    assert found.lowest is not None
    assert found.highest is not None
    assert (found.lowest.value, found.highest.value) == (1 / 5, 3 / 5)
    assert found.highest.low == summarize("highest", [1, 0, 1, 1, 0]).low
    assert bake().scores == ()
    assert (bake().lowest, bake().highest) == (None, None)


def test_a_gold_answer_that_a_chain_could_never_give_counts_against_it(bake, tmp_path):
    """A chain that reads numbers is no use where the answers are letters."""
    bake()
    with (tmp_path / "rows.jsonl").open("a", encoding="utf-8") as stream:
        stream.write('{"completion": "the answer is 7", "gold": "B"}\n')
    assert [score.num for score in bake(gold="gold").scores] == [6, 6, 6]


def test_rows_are_handed_on_as_they_come(bake):
    """They are written while others are read; all of them, and not only those that differ."""
    rows: list[BakeoffRow] = []
    bake(watch=rows.append, limit=3)
    assert [(row.given.id, row.differs) for row in rows] == [("same", False), ("none", False), ("two-and-none", True)]


def test_a_gold_field_that_is_not_there_is_told(bake):
    """With the row."""
    with pytest.raises(RunError, match=r"rows.jsonl:1: there is no field 'god'\n    known: completion, gold, id"):
        bake(gold="god")


@pytest.mark.parametrize(
    ("values", "pattern"),
    [
        ([18, 18.0, "18"], (0, 0, 0)),
        ([0.5, "1/2"], (0, 1)),  # text is compared as text, unless JSON could write it
        ([None, 7, None], (None, 0, None)),
        (["a", "b", "a", "c"], (0, 1, 0, 2)),
        ([[1, 2], [1.0, 2]], (0, 0)),
        ([True, 1], (0, 1)),
    ],
)
def test_equal_is_what_exact_match_calls_equal(values, pattern):
    """Or a bake-off would show differences that no score sees."""
    none = NoAnswer(status="unparsed", step="align", reason="")
    outcomes = [
        none if value is None else Answer(value=value, span=Span(start=0, end=1), step="align") for value in values
    ]
    assert pattern_of(outcomes) == pattern


def test_only_what_can_be_shown_is_kept():
    """A million rows that differ are counted; the texts of some of each kind are in memory."""
    tally = Tally(num_chains=2, top=3)
    tally.patterns = Counter({(0, 1): 5, (None, 0): 2})
    assert tally.rank((0, 1)) < tally.rank((None, 0))


def test_names_tell_the_chains_apart(write):
    """Two versions of one file often have the same name."""
    one, two = load(write(LOOSE, "a.yaml")), load(write(LOOSE, "b.yaml"))
    assert named_chains([one, load(write(STRICT, "c.yaml"))]) == ("loose", "strict")
    assert named_chains([one, two]) == (one.file, two.file)
    assert named_chains([one, one]) == (one.file, f"{one.file} (2)")
    with pytest.raises(RunError, match="a bake-off compares two pipelines or more, and was given 1"):
        named_chains([one])


def test_a_log_is_known_by_its_shape(tmp_path):
    """An lm-eval log, as it is: no field has to be named, and each of a row's samples is a completion."""
    log = tmp_path / "samples_sums.jsonl"
    row = {"doc_id": 0, "doc": {"question": "1 + 1"}, "target": "2", "arguments": [["1 + 1 ="]], "resps": [["2", "3"]]}
    log.write_text(json.dumps({**row, "filtered_resps": ["2"]}) + "\n", encoding="utf-8")
    found = bake_off([load("number"), load("text")], Completions(path=log))
    assert found.num_rows == 2
