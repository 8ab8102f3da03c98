"""`promptkit bakeoff`, as a person meets it and as a program does."""

import json

import pytest

ROWS = [
    {"id": "a", "chain": "3 + 4 = 7. The answer is 7.", "gold": 7},
    {"id": "b", "chain": "The answer is 7, or 9.", "gold": 7},
    {"id": "c", "chain": "No.", "gold": 8},
    {"id": "d", "chain": "It is 8.", "gold": 8},
]


@pytest.fixture
def command(write):
    """Two chains over four rows."""
    write("rows.jsonl", "".join(json.dumps(row) + "\n" for row in ROWS))
    write("strict.yaml", "align: [{regex: 'answer is (?P<answer>.+)'}, number]\n")
    write("loose.yaml", "align: [{number: last}]\n")
    return ["bakeoff", "--from", "rows.jsonl", "--field", "chain", "strict.yaml", "loose.yaml"]


def test_all_of_it_in_a_log(pk, command):
    """Who answers, who agrees, how far the score could move, and the rows."""
    ended = pk(*command, "--gold", "gold")
    assert (ended.code, ended.err) == (0, "")
    assert [line.rstrip() for line in ended.out.splitlines()] == [
        "  ┃ chain  ┃ statuses                             ┃  exact_match [95 %]",
        "━━╇━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━",
        "1 │ strict │ answered 2 (50 %), unparsed 2 (50 %) │ 50.0 % [15.0, 85.0]",
        "2 │ loose  │ answered 3 (75 %), unparsed 1 (25 %) │ 50.0 % [15.0, 85.0]",
        "",
        "  ┃               2",
        "━━╇━━━━━━━━━━━━━━━━",
        "1 │ 50.0 % (25.0 %)",
        "rows on which two say the same; in brackets those on which neither answers",
        "",
        "the chains differ on 2 of 4 rows (50.0 %)",
        "right by every chain:  25.0 % [4.6, 69.9]",
        "right by any of them:  75.0 % [30.1, 95.4]",
        "",
        "── 1 b   rows.jsonl:2   A B, as on 1 row ───────────────────────────────────────",
        "The answer is 7, or 9.",
        "              ^ strict",
        "                    ^ loose",
        "  strict  right  7  14-15 align[1].number",
        "  loose   wrong  9  20-21 align[0].number",
        "  gold           7",
        "",
        "── 2 d   rows.jsonl:4   - A, as on 1 row ───────────────────────────────────────",
        "It is 8.",
        "      ^ loose",
        "  strict  wrong  unparsed  align[0].regex: no match",
        "  loose   right  8         6-7 align[0].number",
        "  gold           8",
    ]


def test_without_gold_the_share_that_differs_bounds_the_score(pk, command):
    """Nobody knows who is right, but how much there is to be right about."""
    assert "a score may move by up to 50.0 points with the choice of the chain" in pk(*command).out


def test_json_and_the_file_of_all_rows(pk, command, folder):
    """One object on standard output; every row, differing or not, in the file."""
    ended = pk(*command, "--gold", "gold", "--top", "1", "--out", "all.jsonl", "--json")
    assert (ended.code, ended.err) == (0, "wrote 4 rows to all.jsonl\n")
    shown = ended.json
    assert [(chain["name"], chain["statuses"]["answered"]) for chain in shown["chains"]] == [
        ("strict", 2),
        ("loose", 3),
    ]
    assert shown["agreement"][0][1] == {"same": 0.5, "neither": 0.25}
    assert shown["differing"] == {"num": 2, "share": 0.5}
    assert (shown["range"]["lowest"]["value"], shown["range"]["highest"]["value"]) == (0.25, 0.75)
    assert [row["id"] for row in shown["rows"]] == ["b"]
    rows = [json.loads(line) for line in (folder / "all.jsonl").read_text().splitlines()]
    assert [(row["id"], row["differs"], row["pattern"]) for row in rows] == [
        ("a", False, "A A"),
        ("b", True, "A B"),
        ("c", False, "- -"),
        ("d", True, "- A"),
    ]
    assert rows[1]["answers"]["loose"] == {
        "answer": 9,
        "status": "answered",
        "span": [20, 21],
        "step": "align[0].number",
    }


def test_mistakes_are_told(mistake, command):
    """In one message each."""
    assert mistake(*command[:-1]) == "a bake-off compares two pipelines or more, and was given 1\n"
    assert mistake(*command, "--gold", "god") == (
        "rows.jsonl:1: there is no field 'god'\n    known: chain, gold, id   did you mean 'gold'?\n"
    )
    assert mistake(*command, "--out", "rows.jsonl") == (
        "'rows.jsonl' is what --from reads, and would be overwritten\n    --out FILE names another\n"
    )
