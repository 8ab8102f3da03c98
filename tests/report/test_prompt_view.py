"""The exact prompt, and its tokens."""

from promptkit.generate import Loading
from promptkit.generate.local import LocalModel
from promptkit.prompt import Prompt
from promptkit.report import tokens_view


def test_without_colour_a_bar_stands_between_tokens(tiny_model):
    """In a log the stripes are not seen, and where a token ends is what was asked."""
    tokenizer = LocalModel(name=str(tiny_model)).open(Loading()).tokenizer
    prompt = Prompt(text="one two\nthree", segments=())
    pieces = [text.replace("\n", "⏎\n") for _, text in tokenizer.pieces(prompt.text)]
    assert len(pieces) > 3
    shown = tokens_view(prompt, tokenizer, is_striped=False).plain.partition("\n")[2]
    assert shown == "│".join(pieces) + "\n"
    assert "│" not in tokens_view(prompt, tokenizer).plain
