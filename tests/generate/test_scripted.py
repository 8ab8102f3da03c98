"""The scripted model: what is written down comes out, cut as any model's text is."""

import subprocess
import sys
from dataclasses import replace

import pytest
from pydantic import ValidationError

from promptkit.errors import GenerationError
from promptkit.generate import Loading, Request, Sampling
from promptkit.generate.scripted import ScriptedModel


def generator(*rules, default=None):
    return ScriptedModel(rules=rules, default=default).open(Loading())


def request(prompt, options=(), **sampling):
    return Request(
        label="example '1' (a.jsonl:1)", prompt=prompt, options=tuple(options), sampling=Sampling(**sampling)
    )


def only(opened, asked):
    ((index, completion),) = opened.generate([asked])
    assert index == 0
    return completion


def test_the_first_rule_that_matches_wins():
    """Rules are read from the top, and a pattern may be found anywhere in the prompt."""
    opened = generator(
        {"when": r"3 \+ 4", "completion": "7"}, {"when": r"\+", "completion": "a sum"}, {"when": "", "completion": "?"}
    )
    made = dict(opened.generate([request("Q: 3 + 4?"), request("Q: 1 + 1?"), request("Q: 1 - 1?")]))
    assert [made[index].text for index in range(3)] == ["7", "a sum", "?"]


def test_an_unforeseen_prompt_is_an_error_that_names_its_example():
    """A script that is silent where nobody expected it would look like a model that gives empty answers."""
    opened = generator({"when": "^A", "completion": "a"})
    finished = []
    with pytest.raises(GenerationError) as caught:
        finished.extend(opened.generate([request("A"), request("x" * 70 + "\nB?")]))
    assert str(caught.value) == (
        "example '1' (a.jsonl:1): no rule of the scripted model matches the prompt, which ends with "
        f"'{'x' * 57}\\nB?'\n    `default` gives the completion of all other prompts"
    )
    assert [completion.text for _, completion in finished] == ["a"]


def test_the_default_answers_what_no_rule_does():
    """An empty text is a completion, too."""
    assert only(generator(default=""), request("anything")).text == ""


def test_text_ends_with_the_character_that_settles_its_answer():
    """As a model's row would, and before a stop only where the stop has not begun."""
    opened = generator({"when": "", "completion": "It is 7.\n\nQ: 8?", "ended": "length"})
    asked = replace(request("x", stop=("Q:",)), settled=lambda text: text.endswith("7."))
    made = only(opened, asked)
    assert (made.text, made.ended, made.num_new_tokens) == ("It is 7.", "answered", 3)
    made = only(opened, replace(asked, settled=lambda text: "Q" in text))
    assert (made.text, made.ended) == ("It is 7.\n\n", "stop")


def test_text_is_cut_at_the_earliest_stop():
    """Stops mean what they mean with any model: the text before the first, and the reason."""
    opened = generator({"when": "", "completion": "7.\n\nQ: 8?\nA:", "ended": "length"})
    cut = only(opened, request("x", stop=("Q:", "\n\n")))
    assert (cut.text, cut.ended, cut.num_new_tokens) == ("7.", "stop", 1)
    whole = only(opened, request("x", stop=("END",)))
    assert (whole.text, whole.ended) == ("7.\n\nQ: 8?\nA:", "length")


def test_samples_take_the_completions_in_turn():
    """Voting can be tested only if samples differ; greedy text of one prompt never does."""
    opened = generator({"when": "", "completion": ["a", "b", "c"]})
    drawn = [request("x", temperature=1.0)] * 4 + [request("y", temperature=1.0)]
    assert [completion.text for _, completion in opened.generate(drawn)] == ["a", "b", "c", "a", "a"]
    assert [completion.text for _, completion in opened.generate([request("x")] * 2)] == ["a", "a"]


def test_the_option_that_is_the_completion_is_chosen():
    """The lead before an option is white space most of the time, and nobody writes it into a script."""
    chosen = only(generator({"when": "", "completion": "no"}), request("Good?", [" yes", " no"]))
    assert (chosen.text, chosen.ended) == (" no", "scored")
    assert [(each.text, each.log_likelihood, each.num_tokens) for each in chosen.options] == [
        (" yes", -10.0, 1),
        (" no", 0.0, 1),
    ]


def test_scores_may_be_written_down():
    """Calibration and ties need log-likelihoods that are known."""
    opened = generator({"when": "", "completion": "no", "scores": {"yes": -0.5, "not at all": -1.5}})
    chosen = only(opened, request("Good?", [" yes", " not at all", " maybe"]))
    assert [(each.log_likelihood, each.num_tokens) for each in chosen.options] == [(-0.5, 1), (-1.5, 3), (-10.0, 1)]
    assert chosen.text == " yes"


def test_the_identity_follows_the_rules():
    """Completions of another script must not be found in the store."""
    rules = [{"when": "a", "completion": "b"}]
    same, again, other = generator(*rules), generator(*rules), generator(*rules, default="c")
    assert same.identity == again.identity != other.identity
    assert same.identity["kind"] == "scripted"
    assert len(same.identity["rules"]) == 64
    assert (same.name, same.tokenizer, same.context_length) == ("scripted", None, None)


def test_rules_may_be_written_short():
    """The list alone is the whole script."""
    assert ScriptedModel.model_validate([{"when": "a", "completion": "b"}]).rules[0].completion == ("b",)


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"when": "(", "completion": ""}, "not a regular expression: missing ), unterminated subpattern at position 0"),
        ({"when": "", "completion": []}, "Tuple should have at least 1 item after validation, not 0"),
        ({"when": "", "completion": "", "ended": "scored"}, "Input should be 'stop', 'eos' or 'length'"),
    ],
)
def test_a_rule_that_cannot_be_meant_is_refused(rule, message):
    """What is wrong with a rule is said where it is declared, not while it is run."""
    with pytest.raises(ValidationError) as caught:
        ScriptedModel(rules=[rule])
    assert [each["msg"] for each in caught.value.errors()] == [message]


def test_declaring_these_models_imports_nothing_heavy():
    """`check` and `show` answer in a moment whatever model a file names."""
    script = (
        "import sys, promptkit.generate.scripted, promptkit.generate.server_generator\n"
        "print([name for name in ('torch', 'transformers', 'numpy') if name in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert told.stdout == "[]\n"
