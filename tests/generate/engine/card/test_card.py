"""The engine as it computes on a card, its programs written as loops: the same tokens as the reference's.

What is tested is all but the programs themselves and the card's own repeating: who reads what, where keys and values lie,
how steps are rounded up to sizes and filled in. `test_programs` has the programs; `test_on_card` a card, where there is one.
"""

from dataclasses import replace

import pytest

from tests.architectures import tiny
from tests.generate.engine.agreement import (
    EXACT,
    WAYS,
    alone,
    asking,
    assert_close,
    assert_same,
    completing,
    engine,
    reference,
    token_rows,
)

pytestmark = pytest.mark.slow  # many small models


def card(**sizes):
    from promptkit.generate.engine.card.card import Card
    from tests.generate.engine.card.loops import Loops
    from tests.generate.engine.card.tape import Taped

    kernels = Taped(Loops(**sizes))
    return Card(kernels, kernels.record)


@pytest.mark.parametrize("architecture", EXACT)
def test_tokens_and_scores_equal_the_references(architecture):
    """With prompts cut into chunks, few slots, and steps that are repeated once they were seen often enough."""
    model = tiny(architecture)
    plain = reference(model)
    prompts, questions = completing(token_rows(), max_new_tokens=6), asking(token_rows()[::3])
    completions, scores = alone(plain.complete, prompts), alone(plain.score, questions)
    made = engine(model, card(), num_slots=3, chunk=33)
    assert made.card is not None
    assert made.stack is None
    assert_same(dict(made.complete(prompts)), completions)
    repeated = made.card.steps.num_repeated
    assert repeated > 5
    assert_close(dict(made.score(questions)), scores)
    assert made.card.steps.num_repeated == repeated, "scores want logits in float32"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("architecture", ["llama", "gemma2"])
def test_the_tokens_are_the_same_however_small_the_pieces(architecture, way):
    """Pieces of two tokens and five keys: every run is cut, and every token has many lines."""
    model = tiny(architecture)
    prompts = completing(token_rows(), max_new_tokens=10)
    expected = alone(reference(model).complete, prompts)
    made = engine(model, card(num_tokens=2, num_keys=5), **way)
    assert_same(dict(made.complete(prompts)), expected)
    assert_same(dict(made.complete(prompts[::-1])), expected)


def test_what_cannot_be_captured_is_computed_as_it_is():
    """A module that waits for the card's numbers, as some do to choose among experts."""
    model = tiny("llama")
    prompts = completing(token_rows(), max_new_tokens=6)
    expected = alone(reference(model).complete, prompts)
    inner = model.model.norm.forward
    model.model.norm.forward = lambda hidden: inner(hidden) * float(hidden.abs().sum() > 0)
    made = engine(model, card(), num_slots=3)
    assert_same(dict(made.complete(prompts)), expected)
    assert (made.card.steps.is_on, made.card.steps.num_repeated) == (False, 0)


@pytest.mark.parametrize(("broken", "is_repeated", "has_card"), [("replay", False, True), ("merge", False, False)])
def test_a_card_that_computes_something_else_is_found_in_the_trial(broken, is_repeated, has_card, caplog):
    """First it repeats nothing any more, then its programs are left out; answers stay right, and it is said."""
    model = tiny("llama")
    prompts = completing(token_rows(), max_new_tokens=6)
    expected = alone(reference(model).complete, prompts)
    asked = card()
    if broken == "replay":
        record = asked.steps._record

        def silenced(run):
            replay = record(run)
            return lambda: replay() * 0

        asked.steps._record = silenced
    else:
        asked._kernels.merge = lambda settings, partials, line_starts, lines, out: out.fill_(1.0)
    made = engine(model, asked, num_slots=3)
    assert_same(dict(made.complete(prompts)), expected)
    assert asked.steps.is_on == is_repeated
    assert (made.card is not None) == has_card
    told = [each.getMessage() for each in caplog.records if each.name == "promptkit.generate.engine.loading"]
    assert [each.partition(": ")[0] for each in told] == [
        "the card computes with fewer of the engine's own programs, right but slower"
    ] * (2 - has_card)


def test_programs_that_cannot_be_made_are_left_out_with_the_reason(caplog):
    """Triton wants a C compiler, and the headers of Python, on the user's machine."""
    model = tiny("llama")
    prompts = completing(token_rows(), max_new_tokens=6)
    expected = alone(reference(model).complete, prompts)
    asked = card()

    def put(*_):
        raise RuntimeError("Failed to find C compiler.\nmore")

    asked._kernels.put = put
    made = engine(model, asked, num_slots=3)
    assert made.card is None
    assert_same(dict(made.complete(prompts)), expected)
    told = [each.getMessage() for each in caplog.records if each.name == "promptkit.generate.engine.loading"]
    expected_line = (
        "the card computes with fewer of the engine's own programs, right but slower: "
        "a trial fails (RuntimeError: Failed to find C compiler.)"
    )
    assert told == [expected_line] * 2


def test_steps_of_all_sizes_write_their_logits_in_one_place():
    """The logits of a large vocabulary are hundreds of megabytes, and a run has steps of a dozen sizes."""
    asked = card()
    record, places = asked.steps._record, []

    def noted(run):
        replay = record(run)
        places.append(replay().untyped_storage().data_ptr())
        return replay

    asked.steps._record = noted
    made = engine(tiny("llama"), asked)
    places.clear()
    asked.steps.forget()
    for num in (10, 5, 2, 1):
        assert len(dict(made.complete(completing(token_rows()[:num], max_new_tokens=14)))) == num
    assert len(places) > 2
    assert len(set(places)) == 1


def test_rows_enter_together_however_long_they_are():
    """A card's programs have no mask, whose room would set rows apart."""
    from promptkit.generate.engine.engine import MASK_ROOM, Engine

    made = engine(tiny("llama"), card())
    assert isinstance(made, Engine)
    assert made.mask_room > MASK_ROOM
    assert engine(tiny("llama")).mask_room == MASK_ROOM


def test_a_step_that_no_size_takes_is_computed_as_it_is(monkeypatch):
    """More rows, or more stretches above them, than are ever captured."""
    from promptkit.generate.engine.card import steps

    model = tiny("llama")
    prompts = completing(token_rows(), max_new_tokens=6)
    expected = alone(reference(model).complete, prompts)
    made = engine(model, card())
    for name, small in (("TOKENS", (1, 2)), ("HOLDERS", 1)):
        with monkeypatch.context() as patched:
            patched.setattr(steps, name, small)
            before = made.card.steps.num_repeated
            assert_same(dict(made.complete(prompts)), expected)
        assert made.card.steps.num_repeated - before < 12


def test_captured_steps_are_let_go_where_less_is_to_be_taken():
    """They hold memory; what runs after it captures them anew."""
    model = tiny("llama")
    prompts = completing(token_rows(), max_new_tokens=8)
    expected = alone(reference(model).complete, prompts)
    made = engine(model, card())
    assert made.take_less()
    before = made.card.steps.num_repeated
    assert_same(dict(made.complete(prompts)), expected)
    assert made.card.steps.num_repeated > before


@pytest.mark.parametrize("architecture", ["llama", "gemma2"])
def test_transcripts_are_kept_and_gone_on_from(architecture):
    """Slots on a card lie otherwise than a processor's: what is copied out of them and back is as right."""
    model = tiny(architecture)
    first = [(index, replace(each, keeps=True)) for index, each in completing(token_rows(), max_new_tokens=5)]
    plain = reference(model)
    written = alone(plain.complete, first)
    later = [
        (index, replace(each, token_ids=(*each.token_ids, *written[index].token_ids, 7, 9, index + 3)))
        for index, each in first
    ]
    expected = alone(plain.complete, later)
    made = engine(model, card(), num_slots=3)
    assert_same(dict(made.complete(first)), written)
    computed = made.meter.computed_prompt_tokens
    assert_same(dict(made.complete(later)), expected)
    assert made.meter.computed_prompt_tokens - computed <= 5 * len(later)
