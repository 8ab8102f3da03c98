"""No leaks: what is near enough to give an example's answer away is not shown to it, and nothing else is kept back."""

import random
from collections import Counter
from dataclasses import replace

import pytest
from pydantic import ValidationError

from promptkit.errors import DataError
from promptkit.prompt import Leaks
from promptkit.prompt.words import words_of
from tests.prompt.demonstrating import gallery, ids, left_out, questions, row, step

DUCKS = (
    "Janet has sixteen ducks that lay eggs every day. She eats some of them for breakfast and bakes muffins with four. "
    "How much does she make every day when she sells what is left at the market?"
)
TRAIN = "A train leaves the town at noon and reaches the coast in the evening. How long does it travel without a stop?"


def shown(asked, rows, **settings):
    """What is shown of rows that are all taken."""
    return gallery(rows, template="{{ q }}\n", **settings).shown(asked)


def test_a_near_duplicate_is_left_out_and_the_record_says_by_how_much():
    """lm-eval#4145, one spelling further: the same question with a word exchanged has the same answer."""
    near = DUCKS.replace("makes", "earns").replace("sixteen", "Sixteen")
    choice = shown(row("asked", q=DUCKS), questions(TRAIN, near.replace("every day when", "a day when")))
    assert ids(choice) == ["row-0"]
    assert left_out(choice) == {"row-1": "overlap 0.73"}


@pytest.mark.parametrize("text", [DUCKS.upper(), DUCKS.replace(" ", "  \n"), DUCKS.replace(".", "!"), f"“{DUCKS}”"])
def test_spelling_parts_no_equal_texts(text):
    """Case, white space and punctuation say nothing of what is asked."""
    assert left_out(shown(row("asked", q=DUCKS), questions(text))) == {"row-0": "same text"}


def test_a_question_that_stands_inside_a_longer_one_is_near_it():
    """The shorter text decides: what was added around it hides nothing."""
    longer = f"Read this with care and take your time. {DUCKS} Give a number, and explain how you found it."
    for one, other in ((DUCKS, longer), (longer, DUCKS)):
        assert left_out(shown(row("asked", q=one), questions(other))) == {"row-0": "overlap 1.00"}


def test_other_numbers_are_another_question():
    """Templated arithmetic: the answer is another, so nothing leaks, and half of the pool would be gone."""
    one, other = DUCKS.replace("four", "4"), DUCKS.replace("four", "5")
    assert ids(shown(row("asked", q=one), questions(other))) == ["row-0"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("not ( True ) and ( True ) is", "not ( True and True ) is"),
        ("((-1 + 2 + 9 * 5) - (-2 + -4)) =", "((-1 + 2 - 9 * 5) - (-2 + -4)) ="),
        ("What is the capital of France?", "What is the capital of Spain?"),
    ],
)
def test_short_texts_and_formulas_are_compared_whole(one, other):
    """One other word or operator makes a short text another question."""
    assert ids(shown(row("asked", q=one), questions(other))) == ["row-0"]


def test_the_words_of_a_template_count_for_nothing():
    """A pool of one template's questions is not near itself."""
    form = "Complete the rest of the sequence, making sure that the parentheses are closed properly. Input: {}"
    draw = random.Random(0)
    inputs = [" ".join(draw.choice("[](){}<>") for _ in range(12)) for _ in range(30)]
    choice = shown(row("asked", q=form.format("[ ( < { } > [ ] { } ( (")), questions(*map(form.format, inputs)))
    assert len(choice.rows) == 30


def overlap_by_hand(one, other, rows, num):
    """The rule as its declaration tells it, written plainly."""

    def ngrams(text):
        words = words_of(text)
        return {words[start : start + num] for start in range(len(words) - num + 1)}

    texts = {words_of(each): ngrams(each) for each in rows}
    limit = max(2, min(max(5, len(texts) // 50), len(texts) // 2))
    counts = Counter(ngram for known in texts.values() for ngram in known)
    own = [{ngram for ngram in ngrams(text) if counts[ngram] <= limit} for text in (one, other)]
    every = len(ngrams(one) & ngrams(other)) / max(1, min(len(ngrams(one)), len(ngrams(other))))
    rare = len(own[0] & own[1]) / max(1, min(map(len, own)))
    return min(every, rare) if min(map(len, own)) >= num else 0.0


@pytest.mark.parametrize("num", [2, 3])
def test_overlap_is_that_of_a_plain_computation(num):
    """Over texts of few words, so that all of the rule's cases come."""
    draw = random.Random(num)
    texts = [" ".join(draw.choice("abcdef") for _ in range(draw.randint(1, 14))) for _ in range(60)]
    asked, rows = texts[:20], texts[20:]
    pool = gallery(questions(*rows), template="{{ q }}\n", leaks={"ngram": num, "overlap": 0.4})
    for text in asked:
        expected = {
            f"row-{number}": f"overlap {overlap:.2f}"
            for number, other in enumerate(rows)
            if words_of(text) != words_of(other) and (overlap := overlap_by_hand(text, other, rows, num)) >= 0.4
        }
        found = left_out(pool.shown(row("asked", q=text)))
        assert {name: why for name, why in found.items() if why.startswith("overlap")} == expected


def test_what_is_chosen_once_stays_shared_by_all_who_lose_nothing_of_it():
    """The shared demonstrations are computed once: a leak that would not have been chosen changes nothing."""
    rows = questions(TRAIN, "What is red?", "What is blue?", DUCKS)
    hung = gallery(rows, template="{{ q }}\n", take=2)
    one, other = hung.shown(row("a", q="What is green?")), hung.shown(row("b", q=DUCKS))
    assert one.rows == other.rows
    assert not other.left_out
    loses = hung.shown(row("c", q=TRAIN))
    assert ids(loses) == ["row-1", "row-2"]
    assert len(hung.chosen_once) == 2


def test_the_rule_is_declared():
    """`same` shows near-duplicates, `allow` shows everything."""
    near = DUCKS.replace("breakfast", "dinner")
    rows = [row("asked", q=DUCKS), *questions(near, DUCKS.upper())]
    asked = rows[0]
    assert ids(shown(asked, rows)) == []
    assert ids(shown(asked, rows, leaks="same")) == ["row-0"]
    assert ids(shown(asked, rows, leaks="allow")) == ["asked", "row-0", "row-1"]


def test_a_test_split_may_be_the_pool():
    """`from: test`: each example sees all others, and never itself."""
    rows = questions("What is red?", "What is blue?", "What is green?")
    for asked in rows:
        choice = shown(asked, rows)
        assert ids(choice) == [each.id for each in rows if each is not asked]
        assert left_out(choice) == {asked.id: "itself"}


def test_too_few_rows_are_one_clear_error():
    """Fewer shots for some examples than for others would compare unlike things."""
    with pytest.raises(DataError) as caught:
        shown(row("asked", q=DUCKS), questions(TRAIN, DUCKS), take=2)
    assert str(caught.value) == (
        "rows:asked: 2 demonstrations are to be taken, but there is 1 row without 'row-1' (same fields)\n"
        "    a smaller `take`, more rows, or `leaks: allow`"
    )


def test_no_demonstrations_are_a_number_of_them():
    """A sweep of shots begins at 0."""
    for select in ("first", "random"):
        assert shown(row("asked", q=DUCKS), questions(TRAIN, DUCKS), take=0, select=select).rows == ()


def test_settings_of_near_go_with_near():
    """A threshold that nothing uses is a mistake."""
    with pytest.raises(ValidationError, match="`overlap` is for `rule: near`, and the rule is 'same'"):
        step(leaks={"rule": "same", "overlap": 0.5})
    assert Leaks.model_validate({"overlap": 0.8}).rule == "near"


def test_pairs_are_what_comparing_all_with_all_finds():
    """Texts that share nothing need not be compared; of one that many are near to, the first is told."""
    asked = questions(DUCKS, TRAIN, DUCKS.upper(), "short", "[ ]")
    pool = questions(
        TRAIN, "short", DUCKS.replace("makes", "earns"), "other", "[ ]", *[f"{TRAIN} {n}" for n in "abcde"]
    )
    lookout = gallery(pool, template="{{ q }}\n").lookout
    asked = [replace(each, origin=f"asked/{each.id}") for each in asked]
    found = {number: (example.id, why) for example, number, why in lookout.pairs(asked)}
    expected: dict[int, tuple[str, str]] = {}
    for example in reversed(asked):
        expected |= {n: (example.id, why) for n, why in lookout.among(example, range(len(pool))).items()}
    assert found == expected
    assert len(found) > 3
