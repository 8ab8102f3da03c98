"""Choices and orders that go by what the model would answer, against their formulas, on answers worked out by hand."""

import math
from dataclasses import replace
from itertools import permutations

import pytest

from promptkit.errors import DataError
from promptkit.prompt import Demonstrations
from promptkit.prompt.select.selector import seeded_order
from tests.prompt.selecting import Hashing, chooser, pool

ALLOWED = [number for number in range(40) if number % 7]


def shares(scores):
    weights = [math.exp(each) for each in scores]
    return [each / sum(weights) for each in weights]


def entropy(probabilities):
    return -sum(each * math.log(each) for each in probabilities if each)


def test_mdl_takes_the_set_that_leaves_the_model_the_least_unsure():
    """Wu et al. 2023: candidates from the nearest, the lowest entropy of the answers wins."""
    made, model = pool(), Hashing()
    example = made.queries[0]
    nearest = chooser("knn", made)(example, ALLOWED, 12)
    candidates = [made.rows[each] for each in nearest]
    sets = [nearest[:4]]
    for number in range(1, 10):
        order = seeded_order(candidates, 3, f"mdl\0{example.id}\0{number}")
        sets.append([nearest[place] for place in order[:4]])
    answers = model.choices([([made.rows[each] for each in numbers], example) for numbers in sets])
    unsure = [entropy(shares(each)) for each in answers]
    expected = sets[unsure.index(min(unsure))]
    assert chooser({"mdl": {"candidates": 12, "sets": 10}}, made, seed=3)(example, ALLOWED, 4) == expected


def test_mdl_asks_about_all_examples_at_the_first_and_chooses_as_for_each_alone():
    """Many prompts at once cost less, and change no choice."""
    model = Hashing()
    made = pool(frozen=model)
    every = range(len(made.rows))
    choose = chooser("mdl", made)
    together = [choose(each, every, 3) for each in made.queries]
    assert [name for name, *_ in model.asked].count("choices") == 1
    assert together == [chooser("mdl", replace(made, queries=()))(each, every, 3) for each in made.queries]


def test_mdl_asks_about_each_set_once():
    """Ten sets of an example are one call; sets that are the same are asked about once."""
    model = Hashing()
    made = pool(frozen=model)
    choose = chooser("mdl", made)
    choose(made.queries[0], ALLOWED, 4)
    choose(made.queries[1], ALLOWED[:1], 4)
    assert [each for each in model.asked if each[0] == "choices"] == [("choices", 50), ("choices", 1)]


def arranged(order, made, rows, seed=0):
    step = Demonstrations.model_validate({"from": "train", "template": "{{ text }}", "order": order})
    return list(step.order.arranger(made, seed)(None, rows))


def measured(made, order, probes, measure):
    """GlobalE or LocalE of an order, from the answers to the probes."""
    answers = [shares(each) for each in Hashing().choices([([made.rows[n] for n in order], each) for each in probes])]
    if measure == "local":
        return sum(map(entropy, answers)) / len(answers)
    wins = [each.index(max(each)) for each in answers]
    return entropy([wins.count(option) / len(wins) for option in range(3)])


@pytest.mark.parametrize("measure", ["global", "local"])
def test_entropy_takes_the_order_of_highest_entropy_on_the_probes(measure):
    """Lu et al. 2022, equations 4 to 6; of three rows all six orders are tried."""
    made, rows = pool(), [5, 11, 30]
    probes = [made.rows[n] for n in seeded_order(made.rows, 2, "probes") if n not in rows][:8]
    orders = list(permutations(rows))
    values = [round(measured(made, order, probes, measure), 6) for order in orders]
    expected = list(orders[values.index(max(values))])
    assert arranged({"entropy": {"measure": measure, "probes": 8}}, made, rows, seed=2) == expected


def test_of_many_rows_as_many_orders_are_tried_as_declared():
    """Five rows have 120; each order is tried once, and the one in which they came is among them."""
    model = Hashing()
    made = pool(frozen=model)
    order = arranged({"entropy": {"permutations": 9, "probes": 5}}, made, [1, 2, 3, 4, 5])
    assert sorted(order) == [1, 2, 3, 4, 5]
    assert model.asked == [("choices", 45)]


def test_one_row_needs_no_order_and_the_same_rows_are_asked_about_once():
    """The model's time is what it costs."""
    model = Hashing()
    made = pool(frozen=model)
    step = Demonstrations.model_validate({"from": "train", "template": "{{ text }}", "order": "entropy"})
    arrange = step.order.arranger(made, 0)
    assert list(arrange(None, [4])) == [4]
    assert arrange(None, [4, 5]) == arrange(None, [4, 5])
    assert model.asked == [("choices", 32)]


def test_entropy_needs_rows_beside_those_that_are_shown():
    """They are its probes."""
    with pytest.raises(DataError) as caught:
        arranged("entropy", pool(3), [0, 1, 2])
    assert str(caught.value) == (
        "order: entropy: every row of the pool is shown, and none is left to ask the model about"
    )


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"select": "knn"}, (True, False, "fixed")),
        ({"select": "bm25"}, (False, False, "fixed")),
        ({"select": {"knn": {"embed": "x/y"}}}, (False, False, "fixed")),
        ({"select": {"mmr": {"of": "bm25"}}}, (False, False, "fixed")),
        ({"select": "votek"}, (True, False, "fixed")),
        ({"select": {"mdl": {"of": "bm25"}}}, (True, True, "learnable")),
        ({"order": "entropy"}, (True, True, "learnable")),
    ],
)
def test_a_step_says_what_it_asks_and_whether_it_is_searched(settings, expected):
    """Demonstrations that the model's answers decide are learned; nearness is a fixed rule."""
    step = Demonstrations.model_validate({"from": "train", "template": "x", **settings})
    assert (step.asks_model, step.needs_options, step.own_coordinates.configuration) == expected
