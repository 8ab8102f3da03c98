"""`yes_no`: the words that are answers, and the many that only look like them."""

import pytest

from promptkit.align import Answer, Chain, NoAnswer, YesNo


def run(completion, **fields):
    return Chain((YesNo(**fields),)).align(completion, ended="eos")


FOUND = [
    # completion, answer, the span's text
    ("Yes", "yes", "Yes"),
    ("no.", "no", "no"),
    ("**Yes**", "yes", "Yes"),
    ("[No]", "no", "No"),
    ("**No**, dogs do not", "no", "No"),
    (r"\boxed{Yes}", "yes", "Yes"),
    (r"\boxed{\text{No}}", "no", "No"),
    ("<b>Yes</b>", "yes", "Yes"),
    ("Y", "yes", "Y"),
    ("(N)", "no", "N"),
    ("YES!", "yes", "YES"),
    ("Nope", "no", "Nope"),
    ("True", "yes", "True"),
    ("**False**.", "no", "False"),
    ("Correct, it is", "yes", "Correct"),
    ("incorrect.", "no", "incorrect"),
    ("The statement is true", "yes", "true"),
    ("The statement is not true.", "no", "not true"),
    ("It isn't correct", "no", "isn't correct"),
    ("not false", "yes", "not false"),
    ("It is true that dogs bark", "yes", "true"),
    ("The claim is false because it is", "no", "false"),
    ("The answer is no", "no", "no"),
    ("The answer is not yes", "no", "not yes"),
    ("The correct answer is: **No**", "no", "No"),
    ('Thus, the answer is "No."', "no", "No"),
    ("Yes, because no dogs fly", "yes", "Yes"),
    ("No, it isn't", "no", "No"),
    ("No it isn't", "no", "No"),
    ("No because of x", "no", "No"),
    ("No\n\nExplanation: x", "no", "No"),
    ("No \N{EN DASH} dogs bark", "no", "No"),
    ("No (it is not)", "no", "No"),
    ("No. 17 is a prime", "no", "No"),
    ("Yes/No: No", "no", "No"),
    ("no-brainer, yes", "yes", "yes"),
    ("There is no way. So the answer is: no.", "no", "no"),
    ("The correct answer is no", "no", "no"),
]


@pytest.mark.parametrize(("completion", "value", "shown"), FOUND)
def test_yes_and_no_are_read_as_models_write_them(completion, value, shown):
    """The first word of an answer decides."""
    outcome = run(completion)
    assert isinstance(outcome, Answer), outcome
    assert (outcome.value, completion[outcome.span.start : outcome.span.end]) == (value, shown)


NOT_FOUND = [
    "no longer a city",
    "no one knows",
    "no doubt",
    "there is no evidence",
    "No answer",
    "No idea",
    "know",
    "none",
]
NOT_FOUND += [
    "No conclusion can be drawn",
    "see No. 5 there",
    "no 5",
    "No-one",
    "yesterday",
    "Nobel",
    "nothing",
    "not no",
]
NOT_FOUND += ["yes or no", "yes/no", "neither yes nor no", "I can't say yes or no", "if yes, then x; if no, y", "N/A"]
NOT_FOUND += ["True love is rare", "true or false", "True/False", "partially true", "Right now it is", "Is it true?"]
NOT_FOUND += ["cannot be determined", "He said that it was true, and left"]


@pytest.mark.parametrize("completion", NOT_FOUND)
def test_what_is_neither_is_not_read(completion):
    """Every 'no' before a noun would be an answer, and mostly a wrong one."""
    assert run(completion) == NoAnswer(status="unparsed", step="align[0].yes_no", reason="neither yes nor no")


def test_both_are_ambiguous():
    """Wherever they stand together."""
    assert run("yes and no") == NoAnswer(status="ambiguous", step="align[0].yes_no", reason="'yes and no' is both")
    assert run("No. Wait, yes.", take="only") == NoAnswer(
        status="ambiguous", step="align[0].yes_no", reason="there are 2 that differ: 'no', 'yes'"
    )


@pytest.mark.parametrize(("take", "value"), [("first", "no"), ("last", "yes"), ("only", None)])
def test_take_says_which_word(take, value):
    """In a whole chain of thought the last one is the conclusion."""
    outcome = run("Is it no? I thought so. But yes.", take=take)
    assert (outcome.value if isinstance(outcome, Answer) else None) == value


def test_true_and_false_can_be_left_out():
    """Where they are options of their own."""
    assert run("True. So yes", true_false=False).value == "yes"
    assert run("False", true_false=False).status == "unparsed"
    assert run("Y", true_false=False).value == "yes"


@pytest.mark.parametrize(("give", "yes", "no"), [("word", "yes", "no"), ("bool", True, False)])
def test_give_says_what_the_answer_is(give, yes, no):
    """Data sets have the right answer as a word, a truth value or a number."""
    assert run("Yes.", give=give).value == yes
    step = YesNo(give=give)
    assert [step.align_target(target, {}) for target in ("Yes", "true", True, 1, "y", "yes.")] == [yes] * 6
    assert [step.align_target(target, {}) for target in ("no", "False", False, 0, "[No]", "0")] == [no] * 6


@pytest.mark.parametrize("target", ["maybe", 2, None, 1.5, ""])
def test_a_target_that_is_neither_is_refused(target):
    """No completion could ever be right."""
    with pytest.raises(ValueError, match="is neither yes nor no"):
        YesNo().read_target(target, {})


def test_a_truth_value_passes(read_with):
    """A table may have put one there already."""
    assert read_with("align: [{map: {plausible: true}}, yes_no]", "plausible").value == "yes"
    assert read_with("align: [{map: {one: 1}}, yes_no]", "one").reason == "yes_no reads text, not 1"
