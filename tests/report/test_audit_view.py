"""What is said of an audit: short where all is well, exact where it is not."""

from promptkit.report import audit_view

SAME = {"rows": 8, "agree": 8, "dtype": "bfloat16", "differing": []}
PARTS = {"id": "12", "sample": 0, "token": 31, "run": " 5", "alone": " 6", "margin": 0.03125}
CHOICE = {"id": "b[0]", "sample": 0, "run": "yes", "alone": "no", "difference": 0.25}


def said(audit, *label):
    """The view's lines."""
    return audit_view(audit, *label).plain.splitlines()


def test_rows_that_are_the_same_are_one_line():
    """The usual case."""
    assert said(SAME) == ["audit: 8 of 8 rows are the same computed alone"]
    assert said({**SAME, "rows": 1, "agree": 1}, "audit of sums") == [
        "audit of sums: 1 of 1 row is the same computed alone"
    ]


def test_one_that_differs_stands_on_the_same_line():
    """With both tokens, blanks and all, and how close they were."""
    assert said({**SAME, "agree": 7, "differing": [PARTS]}) == [
        (
            "audit: 7 of 8 rows are the same computed alone; "
            'example 12 parts at new token 31: " 5" here, " 6" alone, logits 0.031 apart'
        )
    ]


def test_several_stand_under_each_other_and_many_are_counted():
    """The rest is in run.json."""
    ended = {**PARTS, "sample": 2, "run": None, "alone": "\n", "margin": None}
    lines = said({**SAME, "agree": 1, "differing": [PARTS, ended, *[PARTS] * 5]})
    assert lines[0] == "audit: 1 of 8 rows are the same computed alone"
    assert lines[2] == r'  example 12 (sample 2) parts at new token 31: the end here, "\n" alone'
    assert lines[6:] == ["  and 2 more: run.json has all of them"]
    assert len(lines) == 7


def test_options_are_told_by_their_scores():
    """The same choice by scores that lie apart is worth knowing too."""
    assert said({**SAME, "max_difference": 0.00123}) == [
        "audit: 8 of 8 rows are the same computed alone, log-likelihoods at most 0.0012 apart"
    ]
    assert said({**SAME, "agree": 7, "max_difference": 0.25, "differing": [CHOICE]}) == [
        (
            "audit: 7 of 8 rows are the same computed alone, log-likelihoods at most 0.25 apart; "
            'example b[0] chooses "yes" here, "no" alone, log-likelihoods 0.25 apart'
        )
    ]
