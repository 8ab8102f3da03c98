"""`promptkit compare`, as it is typed and read."""

import pytest

from tests.cli.conftest import SUMS


@pytest.fixture
def two(pk, write):
    """The folders of two runs, of which the second has one more sum right."""
    one = pk("run", "sums.yaml", "--json").json["run"]
    write("better.yaml", SUMS.replace("The answer is 6", "The answer is 5"))
    return one, pk("run", "better.yaml", "--json").json["run"]


def test_the_difference_what_moved_and_what_flipped_are_read(pk, two):
    """As a log shows them."""
    ended = pk("compare", *two)
    assert ended.code == 0
    lines = [line.rstrip() for line in ended.out.splitlines()]
    assert lines[2].split("│")[-2:] == ["  25.0 % [4.6, 69.9] ", ""]
    assert lines[3].endswith("│ 50.0 % [15.0, 85.0] │ +25.0 [-32.0, +65.5]")
    assert lines[6:] == [
        "run 2 against run 1: 4 examples in common",
        "exact_match: 1 better, 0 worse, 3 the same; p = 1.000",
        "  f  model.scripted.rules[1].completion: ' The answer is 6.' -> ' The answer is 5.'",
        "flips: by the generation 1 better, 0 worse",
        "",
        "── b   sums.jsonl:2   better, by the generation ────────────────────────────────",
        "  run 1   6  The answer is 6.",
        "  run 2   5  The answer is 5.",
        "  target  5",
    ]


def test_one_json_object_has_all_of_it(pk, two):
    """For scripts."""
    found = pk("compare", *two, "--top", "0", "--json").json
    assert [each["run"] for each in found["runs"]] == list(two)
    (pair,) = found["pairs"]
    assert pair["metrics"]["exact_match"]["difference"] == 0.25
    assert (pair["num_flips"], pair["flips"], pair["causes"]) == (1, [], {"generation": {"better": 1, "worse": 0}})


def test_what_is_no_run_is_a_mistake(mistake):
    """As for `score`."""
    assert mistake("compare", "nowhere", "nowhere") == (
        "'nowhere' is not a run: it holds no run.json\n    name the folder that `promptkit run` printed\n"
    )
    assert mistake("compare", "sums.yaml") == "compare takes two runs or more, and was given 1\n"
