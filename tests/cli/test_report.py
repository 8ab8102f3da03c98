"""`promptkit report`, as it is typed."""

from pathlib import Path

import pytest


@pytest.fixture
def run(pk):
    """The folder of a run."""
    return pk("run", "sums.yaml", "--json").json["run"]


def test_the_page_lies_beside_the_run(pk, run):
    """Where the folder is, under its name; and the message says how large it is."""
    ended = pk("report", run)
    page = Path(f"{run}.html")
    assert (ended.code, ended.out) == (0, "")
    assert ended.err == f"wrote {page}: 4 examples, {round(page.stat().st_size / 1000)} kB\n"


def test_out_names_another_place_and_json_says_it(pk, run):
    """For scripts."""
    ended = pk("report", run, run, "--out", "page.html", "--json")
    size = Path("page.html").stat().st_size
    assert ended.json == {"page": "page.html", "bytes": size, "num_runs": 2, "num_examples": 8}


def test_mistakes_are_told_as_such(mistake, run):
    """What is no run, no picture, or no place."""
    assert mistake("report", "nowhere") == (
        "'nowhere' is not a run: it holds no run.json\n    name the folder that `promptkit run` printed\n"
    )
    assert mistake("report", run, "--picture", "p.gif") == "--picture: 'p.gif' ends with none of .svg, .png\n"
    assert mistake("report", run, "--picture", "p.svg") == "'p.svg' cannot be read: no such file or directory\n"
    assert mistake("report", run, "--out", "no/where.html") == (
        "'no/where.html' cannot be written: no such file or directory\n"
    )
