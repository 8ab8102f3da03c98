"""What a picture of a sweep draws: means over cells, and bars that say what they are."""

from statistics import stdev

import pytest

from promptkit.errors import RunError
from promptkit.report import Axes, sweep_points
from promptkit.report.settings import short_names, value_labels
from promptkit.score import mean_interval, spread


def summary(scores, **more):
    """A sweep over `take` and `seed`: scores by both."""
    cells = [
        {"cell": number, "settings": {"a.take": take, "a.seed": seed}, "scores": {"acc": {"value": value}}}
        for number, ((take, seed), value) in enumerate(scores.items())
    ]
    return {"pipeline": "p", "model": "m", "paths": ["a.take", "a.seed"], "num_examples": 4, "cells": cells, **more}


SUMMARY = summary({(0, 0): 0.5, (0, 1): 0.75, (4, 0): 0.25, (4, 1): 1.0})
SAMPLES = [
    {"cell": cell, "id": str(number), "score.acc": float(number < right)}
    for cell, right in enumerate((2, 3, 1, 4))
    for number in range(4)
]


def test_a_point_is_the_mean_over_the_paths_that_are_not_named():
    """With the interval over these cells."""
    drawn = sweep_points(SUMMARY, SAMPLES, Axes(x="take"))
    first = spread([0.5, 0.75])
    assert [(each.x, each.value, each.num) for each in drawn.points] == [(0.0, 62.5, 2), (4.0, 62.5, 2)]
    assert (drawn.points[0].low, drawn.points[0].high) == (100 * (first.low or 0), 100 * (first.high or 0))
    assert drawn.caption == "mean over seed (2 cells a point), n = 4; bars: 95 % interval over cells"


def test_bars_may_be_a_deviation_or_over_examples():
    """The one says how far prompts lie apart, the other how far examples do."""
    deviation = sweep_points(SUMMARY, SAMPLES, Axes(x="take", bars="sd")).points[0]
    assert (deviation.low, deviation.high) == pytest.approx(
        (62.5 - 100 * stdev([0.5, 0.75]), 62.5 + 100 * stdev([0.5, 0.75]))
    )
    examples = sweep_points(SUMMARY, SAMPLES, Axes(x="take", bars="examples")).points[0]
    expected = mean_interval([1.0, 1.0, 0.5, 0.0])
    assert (examples.low, examples.high) == (100 * expected.low, 100 * expected.high)


def test_a_point_of_one_cell_has_the_interval_over_examples():
    """There is nothing else to say how sure it is."""
    drawn = sweep_points(SUMMARY, SAMPLES, Axes(x="take", color="seed"))
    assert [(each.x, each.color) for each in drawn.points] == [(0.0, "0"), (0.0, "1"), (4.0, "0"), (4.0, "1")]
    assert drawn.points[0].low == 100 * mean_interval([1.0, 1.0, 0.0, 0.0]).low
    assert drawn.caption == "one cell a point, n = 4; bars: 95 % interval over examples"


def test_dropped_cells_are_left_out_and_said():
    """They saw fewer examples."""
    with_dropped = summary({(0, 0): 0.5, (0, 1): 0.75})
    with_dropped["cells"][1]["dropped_after"] = 2
    drawn = sweep_points(with_dropped, SAMPLES, Axes(x="take"))
    assert [each.value for each in drawn.points] == [50.0]
    assert drawn.caption.endswith("; 1 dropped cells left out")


def test_names_are_as_short_as_they_can_be_told_apart():
    """`take` says enough; two seeds need their homes."""
    assert short_names(["prompt.demonstrations.seed", "generate.seed", "prompt.demonstrations.take"]) == {
        "prompt.demonstrations.seed": "demonstrations.seed",
        "generate.seed": "generate.seed",
        "prompt.demonstrations.take": "take",
    }


def test_long_values_are_cut_and_stay_different():
    """A template is no label."""
    long = "Decide whether the review is good or bad: "
    labels = value_labels([f"{long}A", f"{long}B", f"{long}A", "a\nb", ""])
    assert labels == ["Decide whether the review i…", "Decide whether the review i… (2)", labels[0], "a b", '""']


def test_a_path_cannot_run_along_x_and_be_the_colour():
    """Each point would be a line of its own."""
    with pytest.raises(RunError) as caught:
        sweep_points(SUMMARY, SAMPLES, Axes(x="take", color="a.take"))
    assert str(caught.value) == "--color: 'a.take' runs along x already\n    known: a.seed, a.take"


def test_a_steps_parameters_are_shown_only_where_its_name_does_not_tell_it_apart():
    """A picture has little room, and `mmr` says enough where there is one."""
    assert value_labels(["bm25", {"bm25": {"k1": 0}}, {"mmr": {"of": "knn"}}]) == ["bm25", "bm25 (k1: 0)", "mmr"]
    assert value_labels(["x" * 40, {"x" * 40: {}}])[0] == "x" * 27 + "…"
