"""Labels changed on purpose: which, to what, and that the record says so."""

from collections import Counter

import pytest
from pydantic import ValidationError

from promptkit.errors import DataError
from promptkit.prompt import Pool
from tests.prompt.demonstrating import gallery, row, step
from tests.prompt.selecting import Hashing

ASKED = row("asked", q="?", label="A")


def rows(labels):
    """A row for each label."""
    return [row(f"row-{number}", q=f"text {number}", label=label) for number, label in enumerate(labels)]


def shown(own, **settings):
    """What is shown of rows with these labels."""
    return gallery(rows(own), leaks="allow", **settings).shown(ASKED)


def labels_of(choice):
    """The labels in the order in which they stand."""
    return "".join(each.fields["label"] for each in choice.rows)


def test_two_classes_are_flipped_into_each_other():
    """Wei et al. 2023: the label is always wrong, and the record has both."""
    choice = shown("AABBA", labels="flipped")
    assert labels_of(choice) == "BBAAB"
    first = choice.relabelled[0]
    assert (first.id, first.label, first.shown) == ("row-0", "A", "B")
    assert len(choice.relabelled) == 5


@pytest.mark.parametrize("seed", range(5))
def test_more_classes_are_deranged(seed):
    """No class keeps its name, and no two share one; another seed may pair them otherwise."""
    found = labels_of(shown("ABCD", labels="flipped", seed=seed))
    assert sorted(found) == list("ABCD")
    assert all(one != other for one, other in zip("ABCD", found, strict=True))


def test_random_labels_are_uniform_and_their_rows_own():
    """Min et al. 2022: drawn for each row, whatever else is shown."""
    labels = "AB" * 300
    found = labels_of(shown(labels, labels={"as": "random", "among": ["A", "B", "C"]}))
    counts = Counter(found)
    assert counts.keys() == {"A", "B", "C"}
    assert all(160 < count < 240 for count in counts.values())  # 200 expected, 3.5 deviations
    assert found[:7] == labels_of(shown(labels[:7], labels={"as": "random", "among": ["A", "B", "C"]}))


def test_what_a_draw_leaves_as_it_was_is_not_called_changed():
    """A random label is right by chance."""
    choice = shown("AB" * 20, labels="random")
    changed = {each.id for each in choice.relabelled}
    assert 0 < len(changed) < 40
    for number, each in enumerate(choice.rows):
        assert (each.id in changed) == (each.fields["label"] != "AB"[number % 2])


def test_symbols_stand_for_classes_in_their_order():
    """Wei et al. 2023, section 4; the first word for the first class, so that a file can name them elsewhere."""
    names = lambda choice: [each.fields["label"] for each in choice.rows]  # noqa: E731 - read once
    assert names(shown("BAB", labels="symbolic")) == ["bar", "foo", "bar"]
    assert names(shown("BAB", labels={"as": "symbolic", "among": ["B", "A"]})) == ["foo", "bar", "foo"]
    assert names(shown("BAB", labels={"as": "symbolic", "symbols": {"A": "x", "B": "y"}})) == ["y", "x", "y"]


@pytest.mark.parametrize(("share", "num"), [(0.0, 0), (0.25, 2), (0.5, 4), (1.0, 8)])
def test_a_share_of_what_is_shown_is_changed(share, num):
    """Exactly that many, drawn by the seed."""
    choice = shown("ABABABAB", labels={"as": "flipped", "share": share})
    assert len(choice.relabelled) == num
    again = shown("ABABABAB", labels={"as": "flipped", "share": share}, seed=1)
    assert len(again.relabelled) == num
    if num == 4:
        assert choice.relabelled != again.relabelled


def test_labels_keep_their_kind():
    """A class that is a number stays one, for templates that compare it."""
    choice = gallery([row("a", q="x", n=0), row("b", q="y", n=1)], template="x", labels={"field": "n", "as": "flipped"})
    assert [each.fields["n"] for each in choice.shown(ASKED).rows] == [1, 0]


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ("lbel", "rows:row-0: labels: the row has no field 'lbel'\n    known: label, q   did you mean 'label'?"),
        (None, "labels: the field 'label' has one class in the pool, 'A': no other to show"),
    ],
)
def test_a_pool_without_such_labels_is_an_error(labels, said):
    """Before anything is shown."""
    with pytest.raises(DataError) as caught:
        shown("AA", labels={"as": "flipped", **({"field": labels} if labels else {})})
    assert str(caught.value) == said


def test_a_class_without_symbol_is_an_error():
    """And so is a label that is none of the classes."""
    with pytest.raises(DataError, match="labels: `symbols` has no word for the class 'B'"):
        shown("AB", labels={"as": "symbolic", "symbols": ["x"]})
    with pytest.raises(DataError, match="rows:row-2: labels: 'C' is not among the classes: A, B"):
        shown("ABC", labels={"as": "flipped", "among": ["A", "B"]})


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ({"as": "flipped", "symbols": ["x", "y"]}, "`symbols` are for `as: symbolic`, and the labels are flipped"),
        ({"as": "symbolic", "symbols": ["x", "x"]}, "two of the words are the same"),
        ({"as": "flipped", "share": 1.5}, "less than or equal to 1"),
    ],
)
def test_what_does_not_go_together_is_refused(labels, said):
    """When the file is read."""
    with pytest.raises(ValidationError, match=said):
        step(labels=labels)


class Seeing(Hashing):
    """A frozen model that keeps the labels that it is shown."""

    def choices(self, asked):
        self.labels = {each.fields["label"] for shown, _ in asked for each in shown}
        return super().choices(asked)


@pytest.mark.parametrize("how", [{"order": "entropy"}, {"select": {"mdl": {"of": "bm25"}}}])
def test_a_model_that_is_asked_about_demonstrations_sees_the_labels_that_are_shown(how):
    """What it says under other labels is of another prompt."""
    frozen = Seeing()
    pool = Pool(rows=rows("ABABAB"), text_of=lambda each: each.fields["q"], frozen=frozen)
    choice = step(**{"take": 2, "labels": "symbolic", **how}).gallery(pool).shown(ASKED)
    assert {each.fields["label"] for each in choice.rows} <= {"foo", "bar"}
    assert frozen.labels == {"foo", "bar"}
