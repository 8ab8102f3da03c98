"""A completion that ends with its answer: what the rule is shown, and when a row asks it."""

import pytest

from promptkit.generate import Request, Sampling
from promptkit.generate.answered import is_answered, without_begun_stop


def request(settled=None, **sampling):
    return Request(label="x", prompt="", token_ids=(1,), sampling=Sampling(**sampling), settled=settled)


@pytest.mark.parametrize(
    ("text", "stop", "shown"),
    [
        ("7.\n", ("\n\nQ:",), "7."),
        ("7.\n\n", ("\n\nQ:",), "7."),
        ("7.\n\nX", ("\n\nQ:",), "7.\n\nX"),
        ("\n\n\n", ("\n\nQ:",), "\n"),
        ("aab", ("ab!", "b?", "aabc"), ""),
        ("7", ("7",), "7"),  # of one character: it is there, or it has not begun
        ("7", (), "7"),
        ("", ("Q:",), ""),
    ],
)
def test_an_end_that_a_stop_may_have_begun_in_is_not_shown(text, stop, shown):
    """It may be cut off with the next token, and an answer that rests on it would go with it."""
    assert without_begun_stop(text, stop) == shown


def test_the_rule_is_asked_about_whole_characters():
    """The first bytes of a character are decoded to a mark that the text will not have."""
    asked = []

    def settled(text):
        asked.append(text)
        return True

    assert not is_answered(request(settled), "7\N{REPLACEMENT CHARACTER}")
    assert not is_answered(request(settled), "")
    assert asked == []
    assert is_answered(request(settled, stop=("\n\n",)), "7\n")
    assert asked == ["7"]
    assert not is_answered(request(), "7 ")


class Letters:
    """A stand-in for a tokenizer: a token is a letter; 0 has no text."""

    chat_template = None
    special_tokens: dict[str, str] = {}  # noqa: RUF012 - it has none

    def decode(self, token_ids):
        return "".join(chr(number) for number in token_ids if number)


def endings(asked, text):
    """Why a row ends, token after token."""
    from promptkit.generate.row import Row

    row = Row.start(0, asked, Letters())  # type: ignore[arg-type]
    return [row.finished(token, frozenset({3})) for token in map(ord, text)], row


@pytest.mark.slow  # rows draw with torch
def test_a_row_ends_with_its_answer_and_keeps_its_text():
    """The text is not cut: the character that ended the answer is the model's own."""
    ended, row = endings(request(lambda text: text.endswith("7.")), "is 7.")
    assert ended == [None, None, None, None, "answered"]
    made = row.completion("answered")
    assert (made.text, made.ended, made.num_new_tokens) == ("is 7.", "answered", 5)


@pytest.mark.slow
@pytest.mark.parametrize(("text", "expected"), [("\x03", "eos"), ("7", "stop"), ("a", "answered")])
def test_a_row_asks_after_the_models_end_and_stops_and_before_the_length(text, expected):
    """What ends a completion anyway says why; an answer with the last token is no truncated text."""
    ended, _ = endings(request(lambda _: True, stop=("7",), max_new_tokens=1), text)
    assert ended == [expected]


@pytest.mark.slow
def test_a_token_without_text_is_not_asked_about_again():
    """Byte tokens in the middle of a character, special tokens."""
    asked: list[str] = []

    def settled(text):
        asked.append(text)
        return False

    endings(request(settled), "a\0\0b")
    assert asked == ["a", "ab"]
