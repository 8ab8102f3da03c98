"""`conclusion`: the place where a text says its answer."""

import pytest

from promptkit.align import Context
from promptkit.errors import DeclarationError

PLAIN = "align: [conclusion, {strip: ' .*$'}]"
NUMBER = "align: {conclusion: number}"


def place(declare, completion, text=PLAIN):
    outcome = declare(text).align(completion, Context())
    return outcome.value if outcome.status == "answered" else None


@pytest.mark.parametrize(
    ("completion", "value"),
    [
        ("Well. The answer is Paris.", "Paris"),
        ("The correct answer: Paris", "Paris"),
        ("**Final answer:** Paris", "Paris"),
        ("### Answer\n\nParis\n", "Paris"),
        ("The answer to the first question is **Paris**.", "Paris"),
        ("So my answer would be Paris. It lies on the Seine.", "Paris"),
        ("I would go with Paris.", "Paris"),
        ("La r\u00e9ponse est Paris.", "Paris"),
        ("Die Antwort lautet Paris.", "Paris"),
        ("\u7b54\u6848\uff1a\u5df4\u9ece", "\u5df4\u9ece"),
        ("It is large. <answer>Paris</answer>", "Paris"),
        (r"It is \boxed{\text{Paris}}.", "Paris"),
        ("It is large.\n#### Paris", "Paris"),
        ('{"why": "the answer is Rome", "answer": "Paris"}', "Paris"),
        ('{"answer": "Paris", "why": "the answer is Rome"}', "Paris"),
        ('{"why": "He said "the answer is no"", "answer": "Paris"}', "Paris"),
        ("The answer is Rome. No, wait. The answer is Paris.", "Paris"),
        ("Paris", "Paris"),
        ("It lies on the Seine and it is large, as everybody has known for a very long time.\nParis", "Paris"),
        (
            "It lies on the Seine, and no other town of that size does.\nThat leaves **Paris**, which is large, as said.",
            "Paris",
        ),
    ],
)
def test_the_answer_is_found_where_it_is_said(declare, completion, value):
    """In words, tags, boxes, fields and marks; the last of them counts."""
    assert place(declare, completion) == value


@pytest.mark.parametrize(
    "completion",
    [
        "If the answer is 5 then there are too many of them, which cannot be; and I do not see another way at",
        "They may think that the answer is 5, and go home, and then they come back and look at the",
        "The wrong answer is 5, as one sees when one counts them all again from the beginning and then",
        "The answer is not 5, as one sees when one counts them all again from the beginning and then",
        "What is the answer? It could be 5, and it could be something else, who knows, and we will",
        "The answer is 5. Wait, that's wrong, because the dog has to be counted as well, and then we",
        "First there are 5 of them. Then come some more of them, and we have to count all of them, so",
        "Step 1: there are 5 of them\nStep 2: count them",
    ],
)
def test_what_is_doubted_denied_supposed_or_taken_back_is_none(declare, completion):
    """Each of these texts has a number in it, and none says that it is the answer."""
    assert place(declare, completion, NUMBER) is None


def test_the_step_says_what_sort_of_place_it_was(declare):
    """How the answers of a run were found is a table of these."""
    assert declare(NUMBER).align("The answer is 5.").step == "align[0].conclusion:announced[0].number"
    assert declare(NUMBER).align("So she has 5 of them, which is what had been asked in the beginning.").step == (
        "align[0].conclusion:concluded[0].number"
    )


def test_every_place_that_was_read_is_in_the_ledger(declare):
    """The first had no number in it."""
    text = "The answer is 5. Let me check it. So the answer is fine."
    outcome = declare(NUMBER).align(text, Context(is_traced=True))
    assert [(entry.step, entry.value) for entry in outcome.ledger] == [
        ("align[0].conclusion", 5),
        ("align[0].conclusion:announced[0].number", None),
        ("align[0].conclusion:announced[0].number", 5),
    ]


def test_a_bare_header_may_introduce_a_whole_chain(declare):
    """The first number after `Answer:` is then a number of the question."""
    text = "Answer: There were 15 of them. Then came 6. So there are now 21 of them in all, counting the first ones."
    assert place(declare, text, NUMBER) == 21
    assert place(declare, "Answer: 21\n\nExplanation: there were 15 and then came 6.", NUMBER) == 21


def test_the_stretch_may_be_longer_than_a_sentence(declare):
    """A list goes on over several lines."""
    text = "The answer is:\n- Rome\n- Paris\n"
    assert place(declare, text, "align: {conclusion: {stretch: rest}}") == "- Rome\n- Paris"


def test_an_answer_at_the_very_end_of_a_cut_text_may_be_cut_itself(declare):
    """`42` may have been on its way to `4200`."""
    chain = declare(NUMBER)
    assert chain.align("The answer is 42", Context(ended="length")).status == "truncated"
    assert chain.align("The answer is 42.", Context(ended="length")).value == 42
    assert chain.align("The answer is 42", Context(ended="eos")).value == 42


@pytest.mark.parametrize(
    "completion",
    [
        "On Friday, John picks 4",
        "He has 50 marbles.\nAfter he found 20 m",
        "```python\ndays = 30\n",
        '{"reasoning": "He works 5 hours. Therefore, he earns 2 * 5 = $10.',
        "There were 40 of them.\nThe number of those left is 40-10 = <<4",
        '{"answer": "If Joey loses 8 pounds in 4 weeks, then',
        "The two ba",
    ],
)
def test_what_breaks_off_has_no_conclusion(declare, completion):
    """In the middle of a sentence, of code, of a document; each has a number where one would look."""
    assert place(declare, completion, NUMBER) is None


@pytest.mark.parametrize(
    ("completion", "value"),
    [("42 apples", 42), ("Total: 42", 42), ("$20 - $5 = $15", 15), ("US$15", 15), ("x = 15", 15), ("It is 15.", 15)],
)
def test_a_line_of_few_words_is_an_answer_where_it_is_nothing_else(declare, completion, value):
    """Without a full stop it may be the beginning of a sentence, unless the answer begins or ends it."""
    assert place(declare, completion, "align: {conclusion: {read: {number: result}}}") == value


def test_a_sort_that_is_misspelled_is_one_mistake(declare):
    """A list whose only item is wrong is not also told to be empty."""
    with pytest.raises(DeclarationError) as caught:
        declare("align: {conclusion: {by: [staetd]}}")
    assert len(caught.value.problems) == 1
    assert "did you mean 'stated'?" in str(caught.value)


@pytest.mark.parametrize(
    ("completion", "value"),
    [
        ("```\n5\n```", 5),
        ("~~~text\n5 apples\n~~~", 5),
        ("Here you are:\n```\n5\n```\nIt was not hard to find, once one had the idea of it.", 5),
        ("```python\nprint(2 + 3)\n```\nIt prints:\n```\n5\n```", 5),
        ("We get:\n\\[\n2 + 3 = 5\n\\]", 5),
        ("```python\nprint(5)\n```", None),  # a program, and nobody ran it
        ("```\n5\n6\n```", None),
        ("```\n5", None),
        ("One is:\n```\n5\n```\nAnother is:\n```\n6\n```\nTake either of them, as you like it.", None),
    ],
)
def test_one_line_in_a_block_is_an_answer(declare, completion, value):
    """The only fence, or a block that ends the text; of a program, its output."""
    assert place(declare, completion, "align: {conclusion: {read: {number: result}}}") == value


@pytest.mark.parametrize(
    "more",
    [
        "Let me know if you need 3 more!",
        "Would you like to see the 2 steps?",
        "I hope this helps! \U0001f60a",
        "---\n\nFeel free to ask.",
        "If you'd like, I can go on.",
    ],
)
def test_an_offer_of_more_help_is_no_part_of_the_answer(declare, more):
    """Chat models end so, and what stands before it is their last word."""
    assert place(declare, f"He has **5** left.\n\n{more}", NUMBER) == 5


@pytest.mark.parametrize(
    "words", ["Final answer -", "**Final answer -**", "Answer \u2013", "Answer \u2014", "> Answer -"]
)
def test_a_dash_after_answer_announces_one(declare, words):
    """It is no minus where a space follows it."""
    assert place(declare, f"{words} 5", NUMBER) == 5
    assert place(declare, "Answer -5", NUMBER) == -5
