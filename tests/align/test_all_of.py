"""`all_of` and `capture`: several values of one text."""

import pytest

from promptkit.align import Answer, Capture, Context, NoAnswer
from promptkit.errors import DeclarationError
from promptkit.text import Span

CHAIN = """align:
  - all_of:
      parts:
        city: {after: {marker: 'City:', take: first}}
        size: [{regex: 'Size: (.+)'}, number]
        note: {regex: 'Note: (.+)'}
      optional: note
"""


def test_all_fields_are_read_from_one_text(read_with):
    """The answer is a map, and each part keeps its own place."""
    text = "Size: 5 km, City: Bern"
    outcome = read_with(CHAIN, text)
    assert outcome == Answer(
        value={"city": " Bern", "size": 5, "note": None},
        span=Span(start=6, end=22),
        step="align[0].all_of",
        captures={
            "city": Capture(value=" Bern", span=Span(start=17, end=22), is_verbatim=True),
            "size": Capture(value=5, span=Span(start=6, end=7)),
            "size.unit": Capture(value="km", span=Span(start=8, end=10)),
        },
    )


def test_what_is_missing_is_named(read_with):
    """One reason for each."""
    assert read_with(CHAIN, "Size: big") == NoAnswer(
        status="unparsed",
        step="align[0].all_of",
        reason="city.after: 'City:' is not there; size[1].number: no number",
    )


def test_the_ledger_has_the_steps_inside(declare):
    """`explain` shows each of them."""
    outcome = declare(CHAIN).align("Size: 5, City: Bern", Context(is_traced=True))
    assert [entry.step for entry in outcome.ledger] == [
        "align[0].all_of",
        "align[0].all_of.city.after",
        "align[0].all_of.size[0].regex",
        "align[0].all_of.size[1].number",
        "align[0].all_of.note.regex",
    ]


def test_a_target_is_aligned_field_by_field(declare):
    """A map in the data is compared with the map that is read."""
    chain = declare("align: [all_of: {a: number, b: lower}]")
    assert chain.align_target({"a": "1,000", "b": "X"}, {}) == {"a": 1000, "b": "x"}
    for target, message in (
        ("x", "'x' is not a map of a, b"),
        ({"a": 1, "b": "x", "c": 1}, "'c' is no part of `all_of`"),
        ({"a": 1}, "the target has no 'b'"),
    ):
        with pytest.raises(ValueError, match=message):
            chain.align_target(target, {})


def test_mistakes_are_told_with_their_place(declare):
    """Both in the parts and in the names."""
    with pytest.raises(DeclarationError) as caught:
        declare("align:\n  - all_of:\n      parts: {a: number, b: {regex: '('}}\n      optional: [c]\n")
    assert str(caught.value) == (
        "pipe.yaml:3:37: align[0].all_of.parts.b.regex: the pattern does not compile: missing ) at character 2\n"
        "    3 |       parts: {a: number, b: {regex: '('}}\n"
        "                                            ^"
    )
    with pytest.raises(DeclarationError) as caught:
        declare("align:\n  - all_of:\n      parts: {size: number}\n      optional: [siz]\n")
    assert str(caught.value) == (
        "pipe.yaml:4:18: align[0].all_of.optional[0]: there is no part 'siz'\n"
        "    4 |       optional: [siz]\n"
        "                         ^\n"
        "    known: size   did you mean 'size'?"
    )


def test_a_capture_can_be_gone_on_with(read_with):
    """What a pattern took beside the answer, with the place where it stands."""
    chain = "align: [regex: '(?P<unit>\\w+): (?P<answer>\\d+)', capture: unit, regex: 'm+']"
    assert read_with(chain, "in cmm: 5") == Answer(
        value="mm",
        span=Span(start=4, end=6),
        step="align[2].regex",
        captures={"unit": Capture(value="cmm", span=Span(start=3, end=6), is_verbatim=True)},
    )
    missing = read_with(chain.replace("capture: unit", "capture: unt"), "in cmm: 5")
    assert missing == NoAnswer(
        status="unparsed",
        step="align[1].capture",
        reason="nothing was captured as 'unt'; known: unit   did you mean 'unit'?",
    )
    assert read_with("align: [capture: x]", "a").reason == "nothing was captured as 'x'; nothing was captured"
