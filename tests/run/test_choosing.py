"""`choose`: which option wins, by which numbers, and when none does."""

import pytest

import promptkit
from promptkit.errors import DataError, GenerationError
from promptkit.run import Settings, load, run_pipeline
from tests.run.doubles import NeverAsked, begin, folders


def choose(rule, normalize="raw", options="[x, yy]", target="yy"):
    """A pipeline of one row and two options, the scripted scores given."""
    return f"""
model: {{scripted: [{{when: Pick, completion: x, {rule}}}, {{when: Unc, completion: x, {UNCONDITIONAL}}}]}}
data: {{test: {{rows: [{{id: a, options: {options}}}]}}, target: {target}}}
prompt: [query: "Pick:"]
choose:
  options: {options}
  normalize: {normalize}
{'  unconditional_prompt: "Unc:"' if normalize == "unconditional" else ""}
"""


UNCONDITIONAL = "scores: {x: -0.5, yy: -2.5, 'red car': -6.0}"


@pytest.mark.parametrize(
    ("normalize", "chosen"),
    [
        ("raw", "x"),  # -3.0 beats -4.0
        ("token", "red car"),  # -3.0 / 1 token against -4.0 / 2 tokens
        ("byte", "red car"),  # -3.0 / 1 byte against -4.0 / 7 bytes
        ("unconditional", "red car"),  # -3.0 - -0.5 = -2.5 against -4.0 - -6.0 = 2.0
    ],
)
def test_normalizations_choose_as_worked_out_by_hand(write, places, normalize, chosen):
    """Each with numbers that make its choice another than the raw one."""
    text = choose("scores: {x: -3.0, 'red car': -4.0}", normalize, options="[x, red car]", target="red car")
    done = promptkit.run(write(text), **places)
    assert done.records[0].answer == chosen
    assert [(each.text, each.log_likelihood) for each in done.records[0].completion.options] == [
        ("x", -3.0),
        ("red car", -4.0),
    ]
    assert done.scores["accuracy"]["value"] == float(chosen == "red car")


def test_bytes_are_counted_as_utf8_and_without_the_lead(write, places):
    """'é' is two bytes: -3.0 / 2 against -2.0 / 1 makes it the better one; with the lead counted it would not be."""
    text = choose("scores: {é: -3.0, e: -2.0}", "byte", options="[é, e]", target="é")
    assert promptkit.run(write(text), **places).records[0].answer == "é"


def test_the_unconditional_prompt_is_kept_in_the_store_too(write, places):
    """Every example has the same: it is computed once, and found by the next run."""
    text = choose("scores: {x: -3.0, yy: -4.0}", "unconditional")
    promptkit.run(write(text), **places)
    settings = Settings(out=places["out"], store=places["store"])

    class Same(NeverAsked):
        identity = load(write(text)).declaration.model.open(settings.loading).identity

        def generate(self, requests):
            assert not requests
            return iter(())

    assert run_pipeline(load(write(text)), settings, generator=Same()).records[0].from_store


def test_a_tie_is_ambiguous(write, places):
    """The first of equals would favour a letter; what cannot be told apart is not an answer."""
    done = promptkit.run(write(choose("scores: {x: -1.5, yy: -1.5}")), **places)
    record = done.records[0]
    assert (record.outcome.status, record.answer, dict(record.scores)) == ("ambiguous", None, {"accuracy": 0.0})
    assert getattr(record.outcome, "reason", "") == "2 options have the same score: 'x', 'yy'"


def test_scores_that_are_no_numbers_are_an_error(write, places):
    """A dtype of too little range gives these; a choice among them would be the first letter or the last."""
    with pytest.raises(GenerationError) as caught:
        promptkit.run(write(choose("scores: {x: -1.5, yy: .nan}")), **places)
    assert str(caught.value) == (
        "example 'a' (data.test.rows[0]): the model gives options no scores that compare: 'x' -1.5, 'yy' nan"
    )
    assert folders(places["out"]) == []


def test_options_come_from_the_row(write, places):
    """A list in a field, and numbers in it are texts as well."""
    text = choose("scores: {'12': -1.0}", options="[7, 12]", target='"12"')
    text = text.replace("choose:\n  options: [7, 12]", 'choose:\n  options: "{{ options }}"')
    assert promptkit.run(write(text), **places).records[0].answer == "12"


def test_an_option_that_nobody_offers_is_no_target(write, places):
    """'Yes' where the options are 'yes' and 'no': every row would be graded wrong, without a word."""
    with pytest.raises(DataError) as caught:
        begin(write(choose("scores: {x: -1, yy: -2}", target="Yy")), places)
    assert str(caught.value) == "data.test.rows[0]: none of the options is the target 'Yy': 'x', 'yy'"
