"""`map`: labels for words."""

import pytest

from promptkit.align import Map, NoAnswer
from promptkit.errors import DeclarationError


def test_a_table_may_be_written_short_or_long(declare):
    """The short form is what everybody writes; the long one says what becomes of the rest."""
    assert declare("align: [{map: {yes: true}}]") == declare("align: [{map: {table: {yes: true}}}]")


@pytest.mark.parametrize(
    ("table", "completion", "value"),
    [("{positive: 1, negative: 0}", "negative", 0), ("{yes: true}", "yes", True), ("{true: x}", "true", "x")],
)
def test_a_value_becomes_what_the_table_says(read_with, table, completion, value):
    """Keys are text, `true` and `1` too: that is what a completion holds."""
    outcome = read_with(f"align: [{{map: {table}}}]", completion)
    assert outcome.value == value
    assert type(outcome.value) is type(value)


def test_numbers_are_looked_up_by_their_text(read_with):
    """After `number` the value is 1 and not '1'."""
    assert read_with("align: [number, {map: {1: one}}]", "It is 1.").value == "one"


def test_a_value_that_is_not_in_the_table_is_unparsed_or_kept(read_with):
    """Unparsed is the default: a label that is not one must not be graded."""
    outcome = read_with("align: [{map: {yes: 1, no: 0}}]", "maybe")
    assert outcome == NoAnswer(status="unparsed", step="align[0].map", reason="'maybe' is not in the table: yes, no")
    assert read_with("align: [{map: {table: {yes: 1}, otherwise: keep}}]", "maybe").value == "maybe"


def test_a_value_mapped_to_null_is_no_answer(read_with):
    """'I don't know' can be declared to be what it is."""
    outcome = read_with("align: [{map: {unknown: null, yes: 1}}]", "unknown")
    assert outcome == NoAnswer(status="unparsed", step="align[0].map", reason="'unknown' is mapped to null")


def test_a_target_is_a_key_or_a_value():
    """Data sets have the one or the other."""
    step = Map(table={"yes": True, "no": False})
    assert step.align_target("yes", {}) is True
    assert step.align_target(False, {}) is False
    with pytest.raises(ValueError, match="'maybe' is neither a key nor a value of the table"):
        step.align_target("maybe", {})


def test_an_empty_table_is_refused(declare):
    """Nothing could ever be answered."""
    with pytest.raises(DeclarationError, match="must not be empty"):
        declare("align: [{map: {table: {}}}]")
