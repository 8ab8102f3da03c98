"""`choice`: letters and words of options, and the letters that are English words."""

import time

import pytest

from promptkit.align import Answer, Chain, Choice, NoAnswer
from promptkit.align.options import read_options
from promptkit.errors import DeclarationError, TemplateError

MONEY = ["A)$61", "B)$65", "C)$67.40", "D)$70", "E)$78.20"]
NAMES = ["Paris", "Vitamin C", "The Moon", "None of these."]


def run(completion, options, **fields):
    return Chain((Choice(**fields),)).align(completion, fields={"options": options}, ended="eos")


FOUND = [
    # options, completion, letter, the span's text
    (MONEY, "B", "B", "B"),
    (MONEY, "b", "B", "b"),
    (MONEY, "(B)", "B", "(B)"),
    (MONEY, "B)", "B", "B"),
    (MONEY, "So B. Done", "B", "B."),
    (MONEY, "B: because", "B", "B:"),
    (MONEY, "It is **B** then", "B", "**B**"),
    (MONEY, "The answer is B", "B", "B"),
    (MONEY, "The answer is (b).", "B", "(b)"),
    (MONEY, "answer: b", "B", "b"),
    (MONEY, r"so \boxed{B}, then", "B", "{B}"),
    (MONEY, "The answer is A", "A", "A"),
    (MONEY, "The answer is A because of x", "A", "A"),
    (MONEY, "Option A fits", "A", "A"),
    (MONEY, "A is correct", "A", "A"),
    (MONEY, "It costs $65.", "B", "$65"),
    (MONEY, "B) $65", "B", "B) $65"),
    (MONEY, "$70 (D)", "D", "$70 (D)"),
    (MONEY, "(C) $67.40, so (C)", "C", "(C) $67.40"),
    (NAMES, "vitamin  c", "B", "vitamin  c"),
    (NAMES, "I like Paris", "A", "Paris"),
    (NAMES, "It is the moon", "C", "the moon"),
    (NAMES, "none of these", "D", "none of these"),
    (NAMES, "B. Vitamin C", "B", "B. Vitamin C"),
    (NAMES, "C", "C", "C"),
    ({"x": "left", "y": "right"}, "right", "y", "right"),
    ({"(1)": "left", "(2)": "right"}, "(2)", "2", "(2)"),
    ([7, 17, 7.5], "it is 17", "B", "17"),
    ([7, 17, 7.5], "it is 7.5.", "C", "7.5"),
    (NAMES, "[B]", "B", "[B]"),
    (NAMES, "the answer [b] fits", "B", "[b]"),
    (NAMES, "so \uff08B\uff09 is", "B", "\uff08B\uff09"),
    (NAMES, "so \u3010B\u3011 is", "B", "\u3010B\u3011"),
    (NAMES, r"so \textbf{B} is", "B", "{B}"),
    (NAMES, r"\boxed{\text{(B)}}", "B", "B"),
    (NAMES, r"\boxed{b}", "B", "b"),
    (NAMES, r"\boxed{C. The Moon}", "C", "C. The Moon"),
    (NAMES, "so $B$ is", "B", "B"),
    (NAMES, "<b>b</b>", "B", "b"),
    (NAMES, 'say "B" then', "B", '"B"'),
    (NAMES, "b) it fits", "B", "b)"),
    (NAMES, "C: the moon", "C", "C: the moon"),
    (NAMES, 'C: "the moon"', "C", 'C: "the moon'),
    (NAMES, "C \u2014 the moon", "C", "C \u2014 the moon"),
    (["7", "8.5"], "B) $8.5$", "B", "B) $8.5"),
    (NAMES, "The answer is b because", "B", "b"),
    (NAMES, "I choose c.", "C", "c"),
    (NAMES, "the answer is option b.", "B", "b"),
    (NAMES, "**Answer:** B", "B", "B"),
    (["7", "8.5", "1200"], "it is 7.0", "A", "7.0"),
    (["7", "8.5", "1200"], "it is $1,200.", "C", "$1,200"),
    (["7", "8.5", "1200"], "B) 8.50", "B", "B) 8.50"),
    (["75%", "80%"], "75 of them", "A", "75"),
    (["1/2", "1/3"], "0.5", "A", "0.5"),
    (MONEY, "It costs 65.", "B", "65"),
    ({"1": "left", "2": "right"}, "The answer is 2.", "2", "2"),
    ({"a": "left", "b": "right"}, "So B.", "b", "B."),
    ({"i": "left", "ii": "right"}, "(ii)", "ii", "(ii)"),
    # what is rejected is not taken
    (NAMES, "not A but B", "B", "B"),
    (NAMES, "A is wrong, B is wrong, so it is C", "C", "C"),
    (NAMES, "A, C and D can be eliminated. So B.", "B", "B."),
    (NAMES, "rather than (B), (C)", "C", "(C)"),
    (NAMES, "It isn't (A). It is (D)", "D", "(D)"),
    (NAMES, "Option A is not correct; D is", "D", "D"),
    (NAMES, "Both (A) and (B) are incorrect, so (D)", "D", "(D)"),
    (NAMES, "(A) is too far, (B) fits", "B", "(B)"),
    (NAMES, "A can't be right, so D", "D", "D"),
    (NAMES, "eliminate A and B. C remains", "C", "C"),
    (NAMES, "C is better than B", "C", "C"),
    (NAMES, "not Paris but the moon", "C", "the moon"),
    (NAMES, "A. Paris: This is incorrect.\nB. Vitamin C: this fits\nC. The Moon - wrong", "B", "B. Vitamin C"),
    (NAMES, "A is not only right", "A", "A"),
    (NAMES, "A is not wrong", "A", "A"),
    (NAMES, "none other than B", "B", "B"),
    (NAMES, "The answer is B, which is not A", "B", "B"),
    (NAMES, "answer is B because it isn't C", "B", "B"),
    (["likely", "not likely"], "It is not likely", "B", "not likely"),
]


@pytest.mark.parametrize(("options", "completion", "letter", "shown"), FOUND)
def test_an_option_is_found_by_its_letter_or_its_words(options, completion, letter, shown):
    """Models answer in all of these ways to one and the same prompt."""
    outcome = run(completion, options)
    assert isinstance(outcome, Answer), outcome
    assert (outcome.value, completion[outcome.span.start : outcome.span.end]) == (letter, shown)


NOT_FOUND = [
    (MONEY, "A car is driven"),
    (MONEY, "a man went"),
    (MONEY, "T-shirt"),
    (MONEY, "B's friend"),
    (MONEY, "it costs $165 or 6.5"),
    (NAMES, "I and my friend"),
    (NAMES, "so do I."),
    (NAMES, "Vitamin D is good"),
    (NAMES, "from point A to point B."),
    (NAMES, "P(A) is 0.5"),
    (NAMES, "where A = 5"),
    ({"1": "left", "2": "right"}, "there are 2 apples"),
    ({"a": "left", "b": "right"}, "a man"),
    (MONEY, "F"),
    ([str(n) for n in range(10)], "I think that I know"),
    (NAMES, "comparison"),
]


@pytest.mark.parametrize(("options", "completion"), NOT_FOUND)
def test_prose_names_no_option(options, completion):
    """A parser that takes the article for option A favours A in every table."""
    outcome = run(completion, options)
    assert outcome == NoAnswer(status="unparsed", step="align[0].choice", reason="no option is named")


@pytest.mark.parametrize(
    ("completion", "reason"),
    [
        ("(A) or (B)", "'(A) or (B)' names the options A and B"),
        ("both A and B", "'A and B' names the options A and B"),
        ("A/C", "'A/C' names the options A and C"),
        ("A, B, or C", "'A, B, or C' names the options A, B and C"),
        ("(A). (B)", "there are 2 that differ: 'A', 'B'"),
        ("B) $70", "'B) $70' names the options B and D"),
        ("$70 (B)", "'$70 (B)' names the options B and D"),
        ("$61 or $65", "'$61 or $65' names the options A and B"),
    ],
)
def test_two_options_are_ambiguous(completion, reason):
    """A letter with another option's text is a model that contradicts itself; neither is graded."""
    assert run(completion, MONEY) == NoAnswer(status="ambiguous", step="align[0].choice", reason=reason)


@pytest.mark.parametrize("take", ["first", "last"])
def test_options_that_are_joined_are_ambiguous_whatever_is_taken(take):
    """The first of 'A and C' is no answer."""
    assert run("The answer is A and C", NAMES, take=take).status == "ambiguous"


REJECTED = ["not B", "B is incorrect", "B is wrong.", "rule out A", "isn't (A)", "neither A nor B", "It can't be A."]
REJECTED += [
    "A, C and D can be eliminated",
    "(B) and (C) are both wrong",
    "Paris is wrong",
    "Option B (Vitamin C) is out",
]


@pytest.mark.parametrize("completion", REJECTED)
def test_an_option_that_is_rejected_is_not_named(completion):
    """Which one is left is not ours to conclude."""
    outcome = run(completion, NAMES)
    assert (outcome.status, outcome.reason) == ("unparsed", "no option is named that is not ruled out")


@pytest.mark.parametrize(
    ("completion", "options", "reason"),
    [
        ("None of the above", MONEY, "'None of the above' is none of the options"),
        ("None of these options fits.", MONEY, "'None of these options' is none of the options"),
        ("There is no correct answer", MONEY, "'no correct answer' is none of the options"),
    ],
)
def test_none_of_the_options_is_no_answer(completion, options, reason):
    """Unless it is an option itself."""
    assert run(completion, options) == NoAnswer(status="unparsed", step="align[0].choice", reason=reason)
    assert run("None of the above", ["x", "none of the above"]).value == "B"


@pytest.mark.parametrize("unit", ["(A) ", "A, ", "A and ", "not A ", "A is wrong, ", "none of the above "])
@pytest.mark.parametrize("take", ["first", "last", "only"])
def test_long_texts_of_options_are_read_in_a_moment(unit, take):
    """Time grows with the text's length and not with its square."""
    began = time.perf_counter()
    run(unit * (100_000 // len(unit)), NAMES, take=take)
    assert time.perf_counter() - began < 10


def test_options_of_one_text_are_told_apart_by_letter_only():
    """Some data sets repeat an option."""
    assert run("four", ["four", "Four", "five"]).status == "ambiguous"
    assert run("(B) four", ["four", "Four", "five"]).value == "B"


@pytest.mark.parametrize(("take", "letter"), [("first", "A"), ("last", "C")])
def test_take_says_which_mention(take, letter):
    """In a whole chain of thought the last mention is the conclusion."""
    assert run("(A) is small, (B) larger. So (C).", MONEY, take=take).value == letter


@pytest.mark.parametrize(("give", "value"), [("letter", "B"), ("text", "$65"), ("index", 1)])
def test_give_says_what_the_answer_is(give, value):
    """Data sets have the right answer as a letter, a text or a number."""
    assert run("(B)", MONEY, give=give).value == value
    for target in ("B", "(B)", "b", "B)", 1, "$65", "B)$65"):
        assert Choice(give=give).align_target(target, {"options": MONEY}) == value


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("F", "'F' names none of the options A, B, C, D, E"),
        (9, "9 names none of the options A, B, C, D, E"),
        (True, "True names none of the options A, B, C, D, E"),
    ],
)
def test_a_target_that_is_no_option_is_refused(target, message):
    """No completion could ever be right."""
    with pytest.raises(ValueError) as caught:
        Choice().align_target(target, {"options": MONEY})
    assert str(caught.value) == message


def test_a_target_that_is_an_index_and_another_text_is_refused():
    """1 is both the index and the text of B in [2, 1, 0, 3]; in [1, 2, 3] it is the index of B and the text of A."""
    assert Choice().align_target(1, {"options": [2, 1, 0, 3]}) == "B"
    with pytest.raises(ValueError, match="1 names the options A and B; a letter would name one"):
        Choice().align_target(1, {"options": [1, 2, 3]})


def test_letters_are_read_without_options(read_with):
    """Where the options stand in the question's text, only the letters are known."""
    chain = "align: [{choice: {options: null, letters: ABCDE, take: last}}]"
    assert read_with(chain, "So the answer is (C).").value == "C"
    assert read_with(chain, "So the answer is (e), none of these").value == "E"
    assert read_with(chain, "F", ended="length").status == "truncated"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (3, "choice: options: must be a list of texts or a map from letters to texts, not 3"),
        ([], "choice: options: must be texts, at least one, not []"),
        ([["x"]], "choice: options: must be texts, at least one, not [['x']]"),
        (list("xy") * 14, "choice: options: there are 28 options and 26 letters"),
        (
            {"a": "x", "A": "y"},
            "choice: options: must have a letter each, and no letter twice, not {'a': 'x', 'A': 'y'}",
        ),
    ],
)
def test_what_are_no_options_is_an_error(options, message):
    """The data or the template is wrong, and no model can help it."""
    with pytest.raises(TemplateError) as caught:
        run("A", options)
    assert str(caught.value) == message


def test_a_field_that_is_not_there_is_an_error_with_a_way_out():
    """A silent fall back to letters alone would change what is read."""
    with pytest.raises(TemplateError) as caught:
        Chain((Choice(),)).align("A", fields={"option": []}, ended="eos")
    assert str(caught.value) == (
        "choice: template: undefined name 'options'\n"
        "    known: option   did you mean 'option'?; `options: null` reads letters alone"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{options: null, give: text}", "`give: text` needs `options`"),
        ("{letters: ABA}", "must be letters or digits, none twice, not 'ABA'"),
    ],
)
def test_a_declaration_that_cannot_work_is_refused(declare, text, message):
    """Before any model is loaded."""
    with pytest.raises(DeclarationError, match="align") as caught:
        declare(f"align: [{{choice: {text}}}]")
    assert message in str(caught.value)


def test_letters_before_the_texts_are_taken_off_only_if_all_have_their_own():
    """'A. Lincoln' is a name."""
    assert read_options(["(A) x", "(B) y"], "AB").texts == ("x", "y")
    assert read_options(["A. Lincoln", "Obama"], "AB").texts == ("A. Lincoln", "Obama")
    assert read_options(["A)A)59", "B)B)69"], "AB").texts == ("59", "69")  # so in AQuA
