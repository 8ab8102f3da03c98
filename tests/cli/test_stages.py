"""Verbs on pipelines of several stages."""

import pytest

from tests.run.stages.test_stages import RESCUE, TWO


@pytest.fixture
def two(folder):
    """A pipeline of two stages in the working directory."""
    (folder / "two.yaml").write_text(TWO, encoding="utf-8")
    return "two.yaml"


def test_show_prints_the_prompt_of_a_later_stage_before_anything_is_run(pk, two):
    """What earlier stages write is not known yet, and is a name in angle brackets."""
    ended = pk("show", two, "--stage", "conclude", "--raw")
    assert (ended.code, ended.out) == (0, "Q: 3 + 4\nA:⟨reason.text⟩\nSo the answer is")


def test_an_unknown_stage_is_told_with_those_that_there_are(pk, two):
    """With the nearest."""
    ended = pk("show", two, "--stage", "conlude")
    assert ended.code == 2
    assert ended.err == ("two has no stage 'conlude'\n    known: conclude, reason   did you mean 'conclude'?\n")


def test_a_pipeline_without_stages_has_none_to_show(pk, folder):
    """One clear line."""
    ended = pk("show", "sums.yaml", "--stage", "reason")
    assert (ended.code, ended.err) == (2, "--stage: sums has no stages\n")


def test_the_table_tells_each_stage_apart(pk, folder):
    """How often it ran, and how many answers are its own."""
    (folder / "rescue.yaml").write_text(RESCUE.replace("[number]", "[strip]"), encoding="utf-8")
    ended = pk("run", "rescue.yaml")
    assert ended.code == 0
    lines = [line.split() for line in ended.out.splitlines()]
    assert next(line for line in lines if line[:1] == ["stage"])[:3] == ["stage", "of", "two"]
    assert [line[:5:2] for line in lines if line[:1] in (["reason"], ["conclude"])] == [
        ["reason", "2", "1"],
        ["conclude", "1", "1"],
    ]


def test_explain_shows_the_stages_of_a_row(pk, folder, two):
    """Each with its status, and what it was asked and wrote."""
    assert pk("run", two).code == 0
    (run,) = (folder / "runs").iterdir()
    ended = pk("explain", str(run), "a")
    assert "reason    answered  Q: 3 + 4⏎" in ended.out
    assert pk("explain", str(run), "a", "--json").json["stage"] == "conclude"


def test_the_card_names_the_stage_of_each_step(pk, two):
    """Each stage is a formula of its own."""
    places = [row["place"] for row in pk("card", two, "--json").json["steps"]]
    assert places == [
        "stages.reason.prompt[0]",
        "stages.reason.generate",
        "stages.reason.align",
        "stages.conclude.prompt[0]",
        "stages.conclude.generate",
        "stages.conclude.align[0]",
    ]
