"""Orders of demonstrations, each against a plain computation."""

import random
from math import log, sqrt
from typing import ClassVar

import pytest
from pydantic import ValidationError

from promptkit.errors import DataError
from promptkit.prompt import Pool
from promptkit.prompt.order.nearest import NearestFirst, NearestLast
from promptkit.prompt.select.plain import First
from tests.prompt.demonstrating import gallery, ids, questions, row, step

ASKED = row("asked", q="how many red apples are left")


def order_of(rows, asked=ASKED, **settings):
    """The ids in the order in which they stand."""
    return ids(gallery(rows, template="{{ q }}\n", leaks="allow", **settings).shown(asked))


def cosine_by_hand(one, other, texts):
    """tf-idf over the texts, as the declaration tells it."""

    def vector(text):
        words = text.split()
        rarity = {word: log((1 + len(texts)) / (1 + sum(word in each.split() for each in texts))) + 1 for word in words}
        return {word: words.count(word) * rarity[word] for word in words}

    a, b = vector(one), vector(other)
    product = sum(weight * b.get(word, 0) for word, weight in a.items())
    return product / sqrt(sum(x * x for x in a.values())) / sqrt(sum(x * x for x in b.values()))


def test_nearest_is_by_the_cosine_of_rare_words():
    """Against the formula, over random texts."""
    draw = random.Random(1)
    texts = [" ".join(draw.choice("abcdefgh") for _ in range(6)) for _ in range(12)]
    asked = row("asked", q="a b c c z h")
    by_hand = sorted(range(12), key=lambda n: -round(cosine_by_hand(asked.fields["q"], texts[n], texts), 12))
    expected = [f"row-{number}" for number in by_hand]
    rows = questions(*texts)
    assert order_of(rows, asked, order="nearest_first", per="example") == expected
    assert order_of(rows, asked, order="nearest_last", per="example") == expected[::-1]


class Near(First):
    """A selector that says that its first are the nearest."""

    is_by_nearness: ClassVar[bool] = True


def test_nearest_is_by_rank_where_the_selector_ranks_by_nearness():
    """What bm25 or an embedding found near is not measured again by words."""
    pool = Pool(rows=questions("a", "b", "c"))
    assert NearestFirst().arranger_after(Near(), pool, 0)(ASKED, [2, 0, 1]) == [2, 0, 1]
    assert NearestLast().arranger_after(Near(), pool, 0)(ASKED, [2, 0, 1]) == [1, 0, 2]


@pytest.mark.parametrize("order", ["nearest_first", "nearest_last", "random_each"])
def test_an_order_that_goes_by_the_example_needs_one(order):
    """What is shared by all examples has one order."""
    with pytest.raises(ValidationError, match=f"'{order}' goes by the example, and `per: run` has none"):
        step(order=order)


def test_by_length_counts_what_is_shown():
    """The template's characters, equally long ones as selected."""
    rows = questions("ccc", "a", "bb", "d")
    assert order_of(rows, order="by_length") == ["row-1", "row-3", "row-2", "row-0"]
    assert order_of(rows, order={"by_length": "longest"}) == ["row-0", "row-2", "row-1", "row-3"]


def test_fixed_stands_as_written_down():
    """Rows that are not named stand before; an id that is not there is an error that says so."""
    rows = questions("a", "b", "c", "d")
    assert order_of(rows, order={"fixed": ["row-3", "row-0"]}) == ["row-1", "row-2", "row-3", "row-0"]
    with pytest.raises(DataError) as caught:
        order_of(rows, order={"fixed": ["row-0", "row_3"]})
    assert str(caught.value) == (
        "order: fixed: the pool has no row with the id 'row_3' (did you mean 'row-3'?)\n"
        "    known: row-0, row-1, row-2, row-3"
    )


@pytest.mark.parametrize(
    ("labels", "expected"),
    [("AAABBB", "ABABAB"), ("BAABBA", "BABABA"), ("AABBCC", "ABCABC"), ("AAAAB", "AABAA"), ("AABAAAAB", "AABAAABA")],
)
def test_the_classes_take_turns(labels, expected):
    """Equal numbers alternate; the rarer class is spread evenly."""
    rows = [row(f"row-{number}", q="x", label=label) for number, label in enumerate(labels)]
    shown = gallery(rows, leaks="allow", order="label_balanced").shown(ASKED).rows
    assert "".join(each.fields["label"] for each in shown) == expected
    for label in "AB":
        ranks = [each.id for each in shown if each.fields["label"] == label]
        assert ranks == sorted(ranks)


def test_a_class_that_is_not_there_is_an_error():
    """A row without target, and a field with another name."""
    rows = questions("a", "b")
    with pytest.raises(DataError, match=r"rows:row-0: order: `label_balanced` needs a class"):
        order_of(rows, order="label_balanced")
    with pytest.raises(DataError, match="rows:row-0: order: the row has no field 'clas'"):
        order_of(rows, order={"label_balanced": {"field": "clas"}})


def test_random_each_differs_by_example_and_seed_and_by_nothing_else():
    """Neither other examples nor the pool's order decide."""
    rows = questions(*"abcdefgh")
    hung = {"order": "random_each", "per": "example"}
    one, other = order_of(rows, row("one", q="x"), **hung), order_of(rows, row("other", q="x"), **hung)
    assert sorted(one) == sorted(other) == ids_of(rows)
    assert one != other
    assert one == order_of(rows[::-1], row("one", q="x"), **hung)
    assert one != order_of(rows, row("one", q="x"), seed=1, **hung)


def ids_of(rows):
    """The rows' ids."""
    return [each.id for each in rows]
