"""The metrics."""

from __future__ import annotations

import pytest
from pydantic import Field

from promptkit.errors import DeclarationError, PromptkitError
from promptkit.score import Accuracy, ExactMatch, Metric, Metrics, PythonMetric, default_metrics
from promptkit.spec import Declaration, read
from promptkit.spec.document import parse
from promptkit.text import Source


class Scores(Declaration):
    """A file with nothing but a score section."""

    score: Metrics = Field(default=(), description="the metrics")


def declare(text, folder=None, *, allow_code=False):
    """The metrics that a file declares."""
    tree, problems = parse(Source(name="pipe.yaml", text=text, folder=folder))
    return read(Scores, tree, problems, {"folder": folder, "allow_code": allow_code}).score


def refused(text, folder=None, **how):
    """The whole message."""
    with pytest.raises(DeclarationError) as caught:
        declare(text, folder, **how)
    return str(caught.value)


def test_metrics_are_named_or_given_with_their_options():
    metrics = declare("score: [exact_match, accuracy, {exact_match: {ignore_case: true, as: loose}}]")
    assert metrics == (ExactMatch(), Accuracy(), ExactMatch.model_validate({"ignore_case": True, "as": "loose"}))
    assert [metric.name for metric in metrics] == ["exact_match", "accuracy", "loose"]


def test_an_unknown_metric_is_named_with_those_that_there_are():
    assert refused("score: [exact_mach]") == (
        "pipe.yaml:1:9: score[0]: no metric is called 'exact_mach'\n"
        "    1 | score: [exact_mach]\n"
        "                ^\n"
        "    known: accuracy, exact_match, python   did you mean 'exact_match'?"
    )


def test_two_metrics_of_one_name_are_refused():
    """Each is a column of the table, and one would hide the other."""
    assert refused("score: [exact_match, {exact_match: {ignore_case: true}}]") == (
        "pipe.yaml:1:8: score: two metrics are called 'exact_match'; `as` gives one of them another name\n"
        "    1 | score: [exact_match, {exact_match: {ignore_case: true}}]\n"
        "               ^"
    )


@pytest.mark.parametrize(
    ("options", "answer", "expected"),
    [
        ({}, "New York", 1.0),
        ({}, "new york", 0.0),
        ({"ignore_case": True}, "NEW YORK", 1.0),
        ({"ignore_case": True}, "new  york", 0.0),
        ({"ignore_white_space": True}, " New\n York ", 1.0),
        ({"ignore_white_space": True}, "NewYork", 0.0),
        ({"ignore_case": True, "ignore_white_space": True}, " new  york", 1.0),
    ],
)
def test_exact_match_ignores_what_it_is_told_to_and_no_more(options, answer, expected):
    assert ExactMatch(**options)(answer, "New York") == expected


def test_what_is_ignored_is_ignored_within_lists_and_before_numbers():
    assert ExactMatch(ignore_case=True)("PARIS", ["London", "Paris"]) == 1
    assert ExactMatch(ignore_case=True)(["A", "b"], ["a", "B"]) == 1
    assert ExactMatch(ignore_white_space=True)(" 18 ", 18) == 1
    assert ExactMatch(ignore_case=True)("True", True) == 1


def test_accuracy_wants_the_chosen_option_to_the_letter():
    assert [Accuracy()(answer, "B") for answer in ("B", "b", "A")] == [1, 0, 0]


def test_the_metric_that_fits_is_taken_where_none_is_named():
    assert default_metrics(chooses=True) == (Accuracy(),)
    assert default_metrics(chooses=False) == (ExactMatch(),)


def test_a_python_metric_calls_its_function_and_has_its_name(tmp_path):
    (tmp_path / "close.py").write_text("def closeness(answer, target):\n    return 1 - abs(answer - target) / 10\n")
    (metric,) = declare("score: [{python: close:closeness}]", tmp_path, allow_code=True)
    assert isinstance(metric, PythonMetric)
    assert (metric.name, metric(7, 8)) == ("closeness", 0.9)


def test_python_named_in_a_file_does_not_run_unasked(tmp_path):
    (tmp_path / "close.py").write_text("raise SystemExit('it ran')\n")
    assert refused("score: [{python: close:closeness}]", tmp_path) == (
        "pipe.yaml:1:18: score[0].python: names Python code (close:closeness), which runs only with --allow-code\n"
        "    1 | score: [{python: close:closeness}]\n"
        "                         ^"
    )


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("return 3", "score: the metric 'grade' gave 3 for the answer 'a' and the target 'b'"),
        ("return 'yes'", "score: the metric 'grade' gave 'yes' for the answer 'a' and the target 'b'"),
        ("return float('nan')", "score: the metric 'grade' gave nan for the answer 'a' and the target 'b'"),
    ],
)
def test_a_python_metric_that_gives_no_score_is_told_with_the_values(tmp_path, body, message):
    """A mean over such values would be a number, and mean nothing."""
    (tmp_path / "graded.py").write_text(f"def grade(answer, target):\n    {body}\n")
    (metric,) = declare("score: [{python: graded:grade}]", tmp_path, allow_code=True)
    with pytest.raises(PromptkitError) as caught:
        metric("a", "b")
    assert str(caught.value) == f"{message}; a score is a number from 0 to 1"


def test_a_python_metric_that_fails_is_told_with_the_values_and_keeps_its_cause(tmp_path):
    (tmp_path / "failing.py").write_text("def fail(answer, target):\n    return answer[9]\n")
    (metric,) = declare("score: [{python: {call: failing:fail, as: mine}}]", tmp_path, allow_code=True)
    with pytest.raises(PromptkitError) as caught:
        metric("a", "b")
    assert str(caught.value) == (
        "score: the metric 'mine' failed for the answer 'a' and the target 'b': IndexError: string index out of range"
    )
    assert isinstance(caught.value.__cause__, IndexError)


def test_a_truth_value_is_a_score(tmp_path):
    (tmp_path / "same.py").write_text("def same(answer, target):\n    return answer == target\n")
    (metric,) = declare("score: [{python: same:same}]", tmp_path, allow_code=True)
    assert (metric(1, 1), metric(1, 2)) == (1.0, 0.0)


def test_a_metric_may_come_from_an_installed_package(tmp_path, monkeypatch):
    """An entry point of the group `promptkit.score`, in a package found on the path."""
    (tmp_path / "half_metric.py").write_text(
        "from promptkit.score import Metric\n\n\nclass Half(Metric):\n    kind = 'half'\n\n"
        "    def __call__(self, answer, target):\n        return 0.5\n"
    )
    info = tmp_path / "half_metric-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: half-metric\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[promptkit.score]\nhalf = half_metric:Half\n")
    monkeypatch.syspath_prepend(tmp_path)
    (metric,) = declare("score: [half]")
    assert isinstance(metric, Metric)
    assert metric("a", "b") == 0.5
