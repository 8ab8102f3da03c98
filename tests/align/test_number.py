"""`number`: the ways in which numbers are written, and those that are not read rather than read wrongly."""

import time

import pytest

from promptkit.align import Answer, Chain, NoAnswer, Number


def run(completion: str, **fields):
    return Chain((Number(**fields),)).align(completion, fields={}, ended="eos")


NUMBERS = [
    # text, value, the span's text
    ("18", 18, "18"),
    ("$29.00", 29, "$29.00"),
    ("1,234", 1234, "1,234"),
    ("1,234,567.89 USD", 1234567.89, "1,234,567.89"),
    ("1\u202f234", 1234, "1\u202f234"),
    ("1\u00a0234\u00a0567", 1234567, "1\u00a0234\u00a0567"),
    ("1{,}234", 1234, "1{,}234"),
    (r"10,\!000", 10000, r"10,\!000"),
    ("1_000", 1000, "1_000"),
    ("-3", -3, "-3"),
    ("\u22123", -3, "\u22123"),
    ("\u20133.5", -3.5, "\u20133.5"),
    ("+5", 5, "+5"),
    ("- 3", 3, "3"),  # a bullet, a dash or a subtraction more often than a sign
    ("10-5", 10, "10"),
    ("x=-3", -3, "-3"),
    ("(5)", 5, "5"),
    (".5", 0.5, ".5"),
    ("0.1", 0.1, "0.1"),
    ("1.", 1, "1"),
    ("It is 12.", 12, "12"),
    ("18.00", 18, "18.00"),
    ("1e6", 1000000, "1e6"),
    ("2.5E-3", 0.0025, "2.5E-3"),
    ("3/4", 0.75, "3/4"),
    ("6/3", 2, "6/3"),
    ("-1/2", -0.5, "-1/2"),
    ("2 1/2 cups", 2.5, "2 1/2"),
    ("\u00bd", 0.5, "\u00bd"),
    ("2\u00bc", 2.25, "2\u00bc"),
    (r"\frac{3}{4}", 0.75, r"\frac{3}{4}"),
    (r"$\dfrac{1}{8}$", 0.125, r"$\dfrac{1}{8}$"),
    ("75%", 75, "75%"),
    ("75 %", 75, "75 %"),
    (r"75\%", 75, r"75\%"),
    ("75 per cent", 75, "75 per cent"),
    ("18 dollars", 18, "18"),
    ("5km", 5, "5"),
    ("880$.", 880, "880$"),
    ("5 \u20ac", 5, "5 \u20ac"),
    ("\u00a35", 5, "\u00a35"),
    ("$ 5", 5, "$ 5"),
    ("-$5", -5, "-$5"),
    ("$-5", -5, "$-5"),
    ("US$18", 18, "US$18"),
    ("USD 18", 18, "USD 18"),
    ("Rs. 500", 500, "Rs. 500"),
    (r"\$18", 18, r"\$18"),
    (r"\boxed{18}", 18, "18"),
    ("**18**", 18, "18"),
    ("_18_", 18, "18"),
    ("$18$", 18, "$18$"),
    ("The answer is:18", 18, "18"),
    ("15 $20", 15, "15"),
    ("On 3/4/2020 he had 15", 15, "15"),  # what is no number is passed over
    ("At 12:30 there were 7", 7, "7"),
    ("2020-03-04: 7", 7, "7"),
    ("Python 3.11.2 has 5", 5, "5"),
    ("CO2, v1.2, B12 and x_3 are 4", 4, "4"),
    ("No.5", 5, "5"),
    ("...5", 5, "5"),
    ("[1, 2]", 1, "1"),
    ("2.5 million", 2500000, "2.5 million"),
    ("3 thousand", 3000, "3 thousand"),
    ("2 hundred thousand", 200000, "2 hundred thousand"),
    ("5 lakh", 500000, "5 lakh"),
    (r"2.5\text{ million}", 2500000, r"2.5\text{ million}"),
    ("1.2bn", 1200000000, "1.2bn"),
    ("5k", 5000, "5k"),
    ("3M", 3000000, "3M"),
    ("$2.5B", 2500000000, "$2.5B"),
    ("$3m", 3000000, "$3m"),
    ("$5m and $3m", 5000000, "$5m"),
    ("$5m$", 5, "$5"),  # metres, in the dollars of LaTeX
    ("5 m", 5, "5"),
    ("5m", 5, "5"),
    (r"\tfrac{3}{4}", 0.75, r"\tfrac{3}{4}"),
    (r"\frac34", 0.75, r"\frac34"),
    (r"-\frac{3}{4}", -0.75, r"-\frac{3}{4}"),
    (r"\frac{-3}{4}", -0.75, r"\frac{-3}{4}"),
    (r"3\frac{1}{2}", 3.5, r"3\frac{1}{2}"),
    (r"\frac{1,234}{5}", 246.8, r"\frac{1,234}{5}"),
    (r"1\,234", 1234, "1\\,234"),
    (r"\$29", 29, r"\$29"),
    (r"29\%", 29, r"29\%"),
    (r"1.5 \times 10^3", 1500, r"1.5 \times 10^3"),
    ("1.5x10^3", 1500, "1.5x10^3"),
    ("3 \u00d7 10\u2075", 300000, "3 \u00d7 10\u2075"),
    ("3 x 10^5", 300000, "3 x 10^5"),
    ("10^{-3}", 0.001, "10^{-3}"),
    ("12 cm^2", 12, "12"),
    (r"12\text{ cm}^2", 12, "12"),
    (r"18^\circ", 18, "18"),
    ("negative 5", -5, "negative 5"),
    ("x_{3} = 4", 4, "4"),
    ("x^2 is 9", 9, "9"),
    ("#5", 5, "#5"[1:]),
    (r"$1\ 000$", 1000, r"$1\ 000$"),
    ("at 5 o'clock", 5, "5"),
    ("the 1990s", 1990, "1990"),
    ("20ish", 20, "20"),
    ("2 hours and 3 cats", 2, "2"),
    ("1/4th", 0.25, "1/4"),
    ("\u7b54\u6848\u662f18\u3002", 18, "18"),  # scripts without spaces
    ("5-6 = -1", 5, "5"),
    ("on May 24, 2021 he had 7", 7, "7"),
    ("by 24 May 2021 he had 9", 9, "9"),
    ("the 21st of 7", 7, "7"),
    ("Call 555-123-4567 for 3", 3, "3"),
    ("Steps:\n1. Take 5", 5, "5"),
]


@pytest.mark.parametrize(("text", "value", "shown"), NUMBERS)
def test_numbers_are_read_as_people_and_models_write_them(text, value, shown):
    """lm-eval#3214: "$29.00" was marked wrong against 29."""
    outcome = run(text)
    assert isinstance(outcome, Answer), outcome
    assert outcome.value == value
    assert type(outcome.value) is type(value)
    assert text[outcome.span.start : outcome.span.end] == shown


REFUSED = [
    ("none", "no number"),
    ("3/4/2020", "no number"),
    ("12:30", "no number"),
    ("CO2", "no number"),
    ("1,5", "'1,5' is not grouped in thousands"),
    ("0,123", "'0,123' is not grouped in thousands"),
    ("1,2,3 and 4", "'1,2,3' is not grouped in thousands"),
    ("1,234,56", "'1,234,56' is not grouped in thousands"),
    ("1.234,56", "'1.234,56' goes on after its digits in a way that is not read"),
    ("1 234 567", "'1 234 567' is not one number for certain"),
    ("5B", "'5B' may be billions, or a number and a letter"),
    ("5 hundredths", "'5 hundredths' goes on after its digits in a way that is not read"),
    ("3rd", "no number"),
    ("24-05-2021", "no number"),
    ("(555) 123-4567", "no number"),
    (r"\frac{x}{4}", r"'\\frac{x}{4}' is not worked out"),
    (r"\sqrt{3}", r"'\\sqrt{3}' is not worked out"),
    ("\u00b15", "'\u00b15' is not one number for certain"),
    ("5^2", "'5^2' goes on after its digits in a way that is not read"),
    ("2^{10}", "'2^{10}' goes on after its digits in a way that is not read"),
    ("5\u221a3", "'5\u221a3' goes on after its digits in a way that is not read"),
    ("5 36/10", "'5 36/10' is a whole number beside a fraction that is not below one"),
    ("1/0", "'1/0' divides by zero"),
    ("6' 2\"", "'6\\' 2\"' goes on after its digits in a way that is not read"),
    ("5 ft 6 in", "'5 ft 6 in' goes on after its digits in a way that is not read"),
    ("2 hours and 30 minutes", "'2 hours and 30 minutes' goes on after its digits in a way that is not read"),
    ("1e999999999", "'1e999999999' is out of the range of numbers"),
    ("1e-999", "'1e-999' is out of the range of numbers"),
]


@pytest.mark.parametrize(("text", "reason"), REFUSED)
def test_what_cannot_be_read_for_certain_is_not_read(text, reason):
    """1 from '1,5' or 2.5 from '2.5 million' would be a wrong answer that nobody notices."""
    assert run(text) == NoAnswer(status="unparsed", step="align[0].number", reason=reason)


RANGES = ["5-6", "5\u20136 hours", "5 to 6", "between 5 and 6", "between $5 and $6", "2019-2020"]


@pytest.mark.parametrize("take", ["first", "last", "only", "all", "result"])
@pytest.mark.parametrize("text", RANGES)
def test_a_range_is_ambiguous(text, take):
    """It is neither 5 nor 6, and least of all -6."""
    assert run(text, take=take).status == "ambiguous"


@pytest.mark.parametrize("text", ["10-5", "5 + 3", "5 and 6"])
def test_only_finds_two_numbers_in_a_sum(text):
    """What is not worked out is not answered."""
    assert run(text, take="only").status == "ambiguous"


def test_what_cannot_be_read_is_not_passed_over_for_the_next_number():
    """The answer to 'how much' is 1,5 here, and not 3."""
    assert run("1,5 kg, which is 3 pounds").status == "unparsed"
    assert run("that is 3 pounds, or 1,5 kg", take="last").status == "unparsed"


@pytest.mark.parametrize(("take", "value"), [("first", 18), ("last", 15), ("all", [18, 3, 15]), ("only", None)])
def test_take_says_which_number(take, value):
    """After 'the answer is' the first, in a whole chain of thought the last."""
    outcome = run("18 dollars, 3 more than 15", take=take)
    assert (outcome.value if isinstance(outcome, Answer) else None) == value


RESULTS = [
    ("5 + 3 = 8 apples", 8),
    ("= $18", 18),
    ("x = 4", 4),
    ("4 = x", 4),
    ("18 / 2 = 9", 9),
    ("18 dollars, of 20", 18),
    ("12 (since 5 + 7 = 13)", 12),
    ("12 (5 + 7 = 13)", 12),
    ("12 apples, because 3 x 5 = 15", 12),
    ("5 apples + 3 apples = 8 apples. Then 7 = 7.", 8),
    ("Total: $12 + $6 = $18.", 18),
    ("18/2 = 9, so 9 + 1 = 10.", 10),
    (r"\frac{18}{2} = 9", 9),
    ("x = 4 and y = 4", 4),
    ("x >= 4", 4),
    ("5 + 3", None),
    ("10-5", None),
    ("x = 3 + 4", None),
    ("5 + 3 =", None),
    ("x = 4 or x = 5", None),
    ("no idea", None),
]


@pytest.mark.parametrize(("text", "value"), RESULTS)
def test_result_is_what_comes_out_of_an_equation(text, value):
    """After 'the answer is' models write the sum first; what follows a reason is not looked at."""
    outcome = run(text, take="result")
    assert (outcome.value if isinstance(outcome, Answer) else None) == value


WORDS = [
    ("Seven.", 7),
    ("twenty-one apples", 21),
    ("twenty one", 21),
    ("one hundred", 100),
    ("a hundred", 100),
    ("two hundred and five", 205),
    ("one thousand two hundred", 1200),
    ("minus five", -5),
    ("half", 0.5),
    ("three quarters", 0.75),
    ("three and a half hours", 3.5),
    ("a dozen", 12),
    ("the answer is **ninety-nine** percent", 99),
    ("about seven, because of x", 7),
    (r"\text{seven}", 7),
    ("seven, or 8", 8),  # digits count before words
]
NO_WORDS = ["one of them", "One way to see it", "no one", "none", "two trains leave the station early", "a", "third"]
NO_WORDS += ["twenty-fifth", "five or six", "One cannot say.", "It is the second", "Someone", "often"]


@pytest.mark.parametrize(("text", "value"), WORDS)
def test_a_number_in_words_is_read_where_it_is_all_of_the_answer(text, value):
    """Small numbers are written so."""
    assert run(text).value == value


@pytest.mark.parametrize("text", NO_WORDS)
def test_words_in_prose_are_no_numbers(text):
    """One of a chain's many 'one's would be its answer."""
    assert run(text) == NoAnswer(status="unparsed", step="align[0].number", reason="no number")


def test_words_may_be_read_everywhere_or_nowhere():
    """Only the person who wrote the prompt knows."""
    assert run("He took one, two hundred and 5.", words=True, take="all").value == [1, 200, 5]
    assert run("seven", words=False).status == "unparsed"


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("18 km/h", "km/h"),
        ("$18", "$"),
        ("75 %", "%"),
        ("12 cm^2", "cm^2"),
        (r"18\text{ dollars}", "dollars"),
        ("18\u00b0C", "\u00b0C"),
        ("5 m", "m"),
        ("18 is right", None),
        ("18", None),
        (r"$\frac{1}{3}$.", None),  # dollars of LaTeX
        (r"$$\dfrac{1}{3}$$", None),
        (r"\(\tfrac{1}{3}\)", None),
        ("$42$ apples", "apples"),
        ("$x = 42$", None),
        (r"$50\%$", "%"),
        (r"$5\mathrm{~cm}$", "cm"),
        (r"\$5", "$"),
        ("$5 and $6", "$"),
        ("880$", "$"),
        ("5\u20ac", "\u20ac"),
        ("5 \u00b0C", "\u00b0C"),
        ("5 m/s^2", "m/s^2"),
        ("5 m^2", "m^2"),
        ("5 o'clock", "o'clock"),
        ("7 p.m.", "p.m."),
        ("7pm", "pm"),
        ("1990s", None),
        ("'90s", None),
        ("90s", "s"),
        ("20ish", None),
        ("2x faster", None),
        ("5'", None),
        ("5 dogs", "dogs"),
        ("5 children's toys", None),
        ("5 However", None),
        ("5 each", None),
    ],
)
def test_the_unit_is_kept_apart(text, unit):
    """The value is a number; what it counts is a capture with a span of its own."""
    captures = run(text).captures
    assert (captures["unit"].value if captures else None) == unit
    for each in captures.values():
        assert text[each.span.start : each.span.end] == each.value


def test_the_last_number_of_a_long_text_is_that_of_all_its_numbers():
    """The end is read first, and further back only where there is nothing."""
    for text in ("5 apples\n" + "no more\n" * 500, "5 apples " * 9000, "x " * 30000 + "1,234", "7 " + "x " * 30000):
        assert run(text, take="last").value == run(text, take="all").value[-1]


def test_only_compares_values_and_not_their_spelling():
    """18 and $18.00 agree."""
    assert run("18, that is $18.00", take="only").status == "answered"
    assert run("18 or 19", take="only") == NoAnswer(
        status="ambiguous", step="align[0].number", reason="there are 2 that differ: 18, 19"
    )


def test_per_cent_is_what_the_file_declares():
    """75 % of a whole may be 75 or 0.75, and only the person who wrote the file knows."""
    assert run("75 %", percent="fraction").value == 0.75
    assert run("0.1%", percent="fraction").value == 0.001
    assert run("3/4", percent="fraction").value == 0.75


@pytest.mark.parametrize(
    ("target", "value"),
    [("1,234", 1234), ("$29.00", 29), (" 18\n", 18), (18, 18), (2.5, 2.5), ("75%", 75), (["1", 2], [1, 2])],
)
def test_a_target_is_read_from_end_to_end(target, value):
    """'18 (see above)' as a right answer is a mistake in the data, and is said to be one."""
    assert Number().align_target(target, {}) == value


@pytest.mark.parametrize("target", ["18 dollars", "", "yes", "3/4/2020", "1,5", True, {"a": 1}, "1 2"])
def test_a_target_that_is_no_number_is_refused(target):
    """Every answer would be wrong against it."""
    with pytest.raises(ValueError, match="is not a number"):
        Number().align_target(target, {})


def test_numbers_pass_and_truth_values_do_not(read_with):
    """A table may have put a number there already; True is not 1."""
    assert read_with("align: [{map: {one: 1}}, number]", "one").value == 1
    outcome = read_with("align: [{map: {one: true}}, number]", "one")
    assert outcome.reason == "number reads text, not True"


@pytest.mark.parametrize(
    "unit",
    [
        "1",
        "1,",
        "1,234",
        "1/2",
        "-",
        "$",
        " ",
        "a",
        "a1.",
        "1.1",
        "1:",
        "5 1/",
        r"\frac{1",
        "1e1",
        "1_",
        "9e9 ",
        "^",
        "5-",
        "5 to ",
        "\n1. ",
        "May ",
    ],
)
def test_long_texts_are_read_in_a_moment(unit):
    """A model caught in a loop writes such texts; time must grow with their length and not with its square."""
    text = unit * (200_000 // len(unit))
    began = time.perf_counter()
    run(text, take="last")
    assert time.perf_counter() - began < 10
