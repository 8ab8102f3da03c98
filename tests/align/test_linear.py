"""`linear`: a class from the scores of options."""

import json

import pytest

from promptkit.align import Answer, Chain, Context, Linear
from promptkit.errors import DataError, DeclarationError
from promptkit.score import is_same

STATE = {"classes": ["neg", "pos"], "weights": [[1, 0, 0], [0, 1, 0.5]], "bias": [0, -1]}


def read(scores, **state):
    return Chain((Linear(state={**STATE, **state}),)).align("any text", Context(ended="scored", scores=scores))


@pytest.mark.parametrize(("scores", "answer"), [((-1.0, -1.0, -1.0), "neg"), ((-4.0, -1.0, -2.0), "pos")])
def test_the_class_of_the_highest_weighted_sum_is_the_answer(scores, answer):
    """By hand: -1 against -1 - 0.5 - 1, and -4 against -1 - 1 - 1."""
    outcome = read(scores)
    assert isinstance(outcome, Answer)
    assert (outcome.value, outcome.step) == (answer, "align[0].linear")


def test_classes_of_equal_score_are_ambiguous():
    """As options of equal score are."""
    outcome = read((-1.0, -1.0, 0.0), bias=[0, 0])
    assert (outcome.status, outcome.reason) == ("ambiguous", "2 classes have the same score: neg, pos")


def test_free_text_has_no_scores():
    """Then there is nothing to read."""
    outcome = read(())
    assert (outcome.status, outcome.reason) == ("unparsed", "there are no scores of options, as `choose` gives them")


def test_an_example_with_other_options_is_a_mistake_of_a_person():
    """The weights mean nothing there."""
    with pytest.raises(DataError) as caught:
        read((-1.0, -2.0))
    assert str(caught.value) == "linear: the state is fitted to the scores of 3 options, and the example has 2"


def test_a_target_is_a_class():
    """However the data writes it."""
    step = Linear(state={**STATE, "classes": [0, 1]})
    assert step.align_target("1", {}) == 1
    assert is_same(step.align_target("0", {}), 0)
    with pytest.raises(ValueError, match="'2' is none of the classes 0, 1"):
        step.align_target("2", {})


def test_the_card_counts_what_was_fitted():
    """C rows of K weights, and C biases."""
    step = Linear(state=STATE)
    assert step.own_coordinates.num_parameters == 2 * 3 + 2
    assert (step.coordinates.alignment, step.coordinates.configuration) == ("linear", "learnable")


def test_the_state_may_stand_in_a_file(declare, tmp_path):
    """Beside the pipeline's."""
    (tmp_path / "probe.json").write_text(json.dumps(STATE))
    chain = declare("align: [{linear: probe.json}]", folder=tmp_path)
    assert chain.steps == (Linear(state=STATE),)


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"weights": [[1, 0]]}, "there are 2 classes, and weights has 1 rows"),
        ({"bias": [0, 0, 0]}, "there are 2 classes, and bias has 3 rows"),
        ({"weights": [[1, 0], [1]]}, "the rows of weights must be of one length, not 1 and 2"),
        ({"weights": [[], []]}, "the rows of weights must be of one length, not 0"),
        ({"classes": ["a", "a"]}, "a class stands there twice"),
        ({"bias": [0, float("nan")]}, "input should be a finite number"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(declare, tmp_path, state, message):
    """When the file is read, and not after an hour."""
    (tmp_path / "probe.json").write_text(json.dumps({**STATE, **state}))
    with pytest.raises(DeclarationError, match=message):
        declare("align: [{linear: probe.json}]", folder=tmp_path)


def test_a_file_that_is_not_there_is_said(declare, tmp_path):
    """By its name."""
    with pytest.raises(DeclarationError, match=r"the file 'probe.json': no such file or directory"):
        declare("align: [{linear: probe.json}]", folder=tmp_path)
    (tmp_path / "probe.json").write_text("{")
    with pytest.raises(DeclarationError, match=r"the file 'probe.json': is not JSON"):
        declare("align: [{linear: probe.json}]", folder=tmp_path)
