"""Demonstrations: who is chosen, in which order, and never the example itself."""

from types import MappingProxyType

import pytest
from pydantic import ValidationError

from promptkit.data import Example
from promptkit.prompt import Demonstrations, Pool


def rows(count, split="train"):
    return [
        Example(
            id=f"{split}-{i}", fields=MappingProxyType({"q": f"{split} {i}?", "a": i}), origin=f"{split}.jsonl:{i + 1}"
        )
        for i in range(count)
    ]


def step(**settings):
    return Demonstrations.model_validate({"from": "train", "template": "{{ q }} {{ a }}\n", **settings})


def chosen(demonstrations, example, pool):
    return demonstrations.gallery(Pool(rows=pool)).rows(example)


def pieces(demonstrations):
    return demonstrations.pieces(ASKED, demonstrations.gallery(Pool(rows=POOL)))


POOL = rows(20)
ASKED = rows(3, "test")[0]


def ids(found):
    return [row.id for row in found]


def test_first_takes_the_pool_in_its_order():
    """The plainest choice, and the one that papers print."""
    assert ids(chosen(step(take=3), ASKED, POOL)) == ["train-0", "train-1", "train-2"]


def test_all_of_the_pool_is_taken_where_no_number_is_given():
    """A file that lists its eight exemplars need not count them."""
    assert len(chosen(step(), ASKED, POOL)) == 20


def test_random_is_the_same_for_every_example_and_differs_by_seed():
    """Shared demonstrations are shared computation; another seed is another draw."""
    one, again = step(take=5, select="random", seed=1), step(take=5, select="random", seed=1)
    other = step(take=5, select="random", seed=2)
    assert ids(chosen(one, ASKED, POOL)) == ids(chosen(again, rows(3, "test")[2], POOL))
    assert ids(chosen(one, ASKED, POOL)) != ids(chosen(other, ASKED, POOL))


def test_random_does_not_depend_on_the_order_of_the_pool():
    """A file sorted anew must not change the run."""
    drawn = step(take=5, select="random")
    assert ids(chosen(drawn, ASKED, POOL)) == ids(chosen(drawn, ASKED, POOL[::-1]))


@pytest.mark.parametrize(
    ("order", "expected"),
    [("as_selected", ["train-0", "train-1", "train-2"]), ("reversed", ["train-2", "train-1", "train-0"])],
)
def test_order_moves_what_was_selected(order, expected):
    """Order is a knob of its own."""
    assert ids(chosen(step(take=3, order=order), ASKED, POOL)) == expected


def test_random_order_keeps_the_selection():
    """It shuffles, and selects nothing."""
    shuffled = ids(chosen(step(take=8, order="random", seed=3), ASKED, POOL))
    assert sorted(shuffled) == sorted(ids(POOL[:8]))
    assert shuffled != ids(POOL[:8])


def test_an_example_is_never_shown_to_itself():
    """lm-eval#4145: the gold answer stood in the prompt. The next row takes the place, so the number holds."""
    asked = POOL[1]
    assert ids(chosen(step(take=3), asked, POOL)) == ["train-0", "train-2", "train-3"]


def test_a_copy_of_the_example_under_another_id_is_the_example():
    """Data sets repeat rows across splits."""
    copy = Example(id="x", fields=MappingProxyType(dict(POOL[0].fields)), origin="elsewhere:9")
    assert ids(chosen(step(take=2), copy, POOL)) == ["train-1", "train-2"]


def test_text_is_concatenated_byte_for_byte():
    """No separator that the template does not write."""
    shown = pieces(step(take=2))
    assert "".join(piece.text for piece in shown) == "train 0? 0\ntrain 1? 1\n"
    assert [piece.example for piece in shown] == ["train-0", "train-1"]


def test_turns_give_a_user_and_an_assistant_piece():
    """Few-shot as chat: the model sees its own answers (lm-eval#1841)."""
    shown = pieces(step(take=1, template=None, turns={"user": "{{ q }}", "assistant": "{{ a }}"}))
    assert [(piece.role, piece.text) for piece in shown] == [("user", "train 0?"), ("assistant", "0")]


@pytest.mark.parametrize("forms", [{"template": None}, {"turns": {"user": "u", "assistant": "a"}}])
def test_exactly_one_form_is_declared(forms):
    """Text or turns: both or none has no meaning."""
    with pytest.raises(ValidationError, match="needs `template`"):
        step(**forms)
