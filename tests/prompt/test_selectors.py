"""Selectors that need no model: named rows, classes in turn, a function of one's own."""

import sys
from collections import Counter

import pytest
from pydantic import ValidationError

from promptkit.errors import DataError
from promptkit.prompt import Demonstrations
from tests.prompt.selecting import chooser, pool, row, rows

ALL = range(40)


def test_fixed_takes_the_named_rows_in_their_order():
    """A paper prints its exemplars, and their order is part of them."""
    choose = chooser({"fixed": ["t-7", "t-2", "t-9"]}, pool())
    assert choose(None, ALL, 3) == [7, 2, 9]
    assert choose(None, ALL, 2) == [7, 2]
    assert choose(None, [each for each in ALL if each != 7], 3) == [2, 9]


def test_fixed_takes_ids_that_are_numbers():
    """YAML reads `ids: [3, 5]` as numbers, and an id is text."""
    made = pool()
    made = type(made)(rows=[row(str(number), text="x") for number in range(6)])
    assert chooser({"fixed": {"ids": [3, 5]}}, made)(None, range(6), 2) == [3, 5]


def test_fixed_names_ids_that_are_not_there_with_the_nearest():
    """One message for all of them."""
    with pytest.raises(DataError) as caught:
        chooser({"fixed": ["t-1", "t-91", "zzz"]}, pool(12))
    assert str(caught.value) == (
        "select: fixed: the pool has no row with the id 't-91' (did you mean 't-9'?), 'zzz'\n"
        "    known: t-0, t-1, t-2, t-3, t-4, t-5, t-6, t-7, t-8, t-9, ... (12 in all)"
    )


def test_fixed_refuses_an_id_that_stands_twice():
    """The same row twice in a prompt is a slip of the hand."""
    with pytest.raises(ValidationError, match="the id 't-1' stands here twice"):
        chooser({"fixed": ["t-1", "t-1"]}, pool())


@pytest.mark.parametrize("num", [3, 4, 7, 8])
def test_balanced_takes_no_class_twice_more_than_another(num):
    """Three classes: their counts differ by one at the most, as long as each has rows left."""
    made = pool()
    chosen = chooser("balanced", made, seed=1)(None, ALL, num)
    counts = Counter(made.rows[each].fields["label"] for each in chosen)
    assert len(set(chosen)) == num
    assert max(counts.values()) - min(counts.values()) <= 1


def test_balanced_follows_from_the_seed_and_the_rows_alone():
    """Not from the order of the pool, nor from what is left out."""
    made = pool()
    turned = type(made)(rows=made.rows[::-1], target_of=made.target_of)
    ids = [[each.rows[place].id for place in chooser("balanced", each)(None, ALL, 6)] for each in (made, turned)]
    assert ids[0] == ids[1]
    assert chooser("balanced", made, seed=5)(None, ALL, 6) != chooser("balanced", made)(None, ALL, 6)


def test_balanced_passes_over_a_class_that_is_at_its_end():
    """Two rows of one class, five of another: six rows are two and four."""
    few = [row(f"r{number}", text="x", label="a" if number < 2 else "b") for number in range(7)]
    made = type(pool())(rows=few, target_of=lambda each: each.fields["label"])
    chosen = chooser("balanced", made)(None, range(7), 6)
    assert Counter(few[each].fields["label"] for each in chosen) == {"a": 2, "b": 4}


def test_balanced_goes_by_any_field():
    """By topic, say, where the label is balanced anyhow."""
    few = [row(f"r{number}", text="x", topic=number % 2) for number in range(8)]
    made = type(pool())(rows=few)
    chosen = chooser({"balanced": {"by": "{{ topic }}"}}, made)(None, range(8), 4)
    assert Counter(few[each].fields["topic"] for each in chosen) == {0: 2, 1: 2}


def test_balanced_says_which_row_has_no_class():
    """Silence would put all rows into one class."""
    with pytest.raises(DataError) as caught:
        chooser("balanced", type(pool())(rows=rows(2)))
    assert str(caught.value).endswith("select: balanced: the row has no target\n    `by:` says what its class is")


@pytest.mark.parametrize("select", ["balanced", "knn", "bm25"])
def test_a_bare_field_name_is_no_template(select):
    """`by: label` would say 'label' of every row."""
    with pytest.raises(ValidationError, match="says 'label' of every row, and names no field"):
        chooser({select: {"by": "label"}}, pool())


PLUGIN = """
def last(rows, example, num, seed):
    return list(range(len(rows)))[-num:]
def like(rows, example, num, seed):
    return [number for number, row in enumerate(rows) if row["text"][:3] == example["text"][:3]][:num]
def outside(rows, example, num, seed):
    return [0, 99]
def twice(rows, example, num, seed):
    return [1, 1]
def many(rows, example, num, seed):
    return [0, 1, 2]
def raises(rows, example, num, seed):
    return rows["x"]
def nothing(rows, example, num, seed):
    return None
"""


@pytest.fixture
def plugin(tmp_path):
    """What makes the chooser of a function of the file `mine.py`."""
    (tmp_path / "mine.py").write_text(PLUGIN)

    def make(name):
        step = {"from": "train", "template": "{{ text }}", "select": {"python": f"mine:{name}"}}
        context = {"folder": tmp_path, "allow_code": True}
        return Demonstrations.model_validate(step, context=context).select.chooser(pool(12), 0)

    return make


def test_a_function_chooses_among_the_rows_that_may_be_shown(plugin):
    """It never sees a row that would leak, so it cannot show one."""
    assert plugin("last")(None, [0, 3, 5, 8], 2) == [5, 8]


def test_a_function_sees_the_example(plugin):
    """With `per: example`."""
    made = pool(12)
    chosen = plugin("like")(made.rows[4], range(12), 12)
    assert 4 in chosen
    assert all(made.rows[each].fields["text"][:3] == made.rows[4].fields["text"][:3] for each in chosen)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("outside", "select: mine:outside gave 99, which is no place of a row: there are 12, counted from 0"),
        ("twice", "select: mine:twice gave a row twice: [1, 1]"),
        ("many", "select: mine:many gave 3 rows, and at most 2 are to be taken"),
        ("raises", "select: mine:raises raised TypeError: list indices must be integers or slices, not str"),
        ("nothing", "select: mine:nothing raised TypeError: 'NoneType' object is not iterable"),
    ],
)
def test_what_a_function_does_wrong_is_one_message(plugin, name, said):
    """Never a traceback into promptkit."""
    with pytest.raises(DataError) as caught:
        plugin(name)(None, range(12), 2)
    assert str(caught.value) == said


def test_a_function_runs_only_where_it_is_allowed():
    """A file from elsewhere must not run code."""
    with pytest.raises(ValidationError, match="names Python code \\(mine:last\\), which runs only with --allow-code"):
        chooser({"python": "mine:last"}, pool())


def test_no_selector_brings_numpy_when_it_is_declared():
    """`check` and `show` must answer in a moment."""
    import subprocess

    program = "import sys, promptkit.prompt.select.kinds, promptkit.prompt.order.kinds; print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
