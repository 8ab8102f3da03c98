"""On a card, where there is one: the tokens equal the reference's in float32; in bfloat16 they stay as close as it is to itself."""

from functools import partial

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

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _card():
    import torch

    if not torch.cuda.is_available():
        pytest.skip("there is no card here")


def on_card(architecture, dtype="float32"):
    import torch

    return tiny(architecture).to("cuda", getattr(torch, dtype))


@pytest.mark.parametrize("architecture", EXACT)
def test_tokens_and_scores_equal_the_references(architecture):
    """The reference computes on the card, too, one row at a time."""
    model = on_card(architecture)
    plain = reference(model)
    prompts, questions = completing(token_rows()), asking(token_rows())
    completions, scores = alone(plain.complete, prompts), alone(plain.score, questions)
    for way in WAYS:
        made = engine(on_card(architecture), **way)
        assert made.card is not None
        assert_same(dict(made.complete(prompts)), completions)
        assert_same(dict(made.complete(prompts[::-1])), completions)
        assert_close(dict(made.score(questions)), scores)


@pytest.mark.parametrize("architecture", ["llama", "qwen2", "gemma2", "gpt2", "olmo2"])
def test_steps_are_repeated_by_the_card_itself(architecture):
    """All of these models' steps can be captured."""
    made = engine(on_card(architecture))
    list(made.complete(completing(token_rows())))
    assert made.card.steps.is_on
    assert made.card.steps.num_repeated > 5


@pytest.mark.parametrize("architecture", EXACT)
def test_bfloat16_scores_stay_close_to_the_references(architecture):
    """No further than rounding carries: the reference's own, of one row and of a batch, differ as much."""
    import torch

    model = on_card(architecture, "bfloat16")
    questions = asking(token_rows())
    expected = alone(reference(model).score, questions)
    made = dict(engine(on_card(architecture, "bfloat16")).score(questions))
    differences = [
        abs(one.log_likelihood - other.log_likelihood) / one.num_tokens
        for index, each in expected.items()
        for one, other in zip(made[index].options, each.options, strict=True)
    ]
    assert torch.tensor(differences).mean() < 0.1


def test_graphs_share_a_pool_and_what_cannot_be_captured_leaves_the_stream_as_it_was():
    """torch stays on the capturing stream where capturing fails."""
    import torch

    from promptkit.generate.engine.card.steps import Graphs

    numbers, before = torch.arange(4.0, device="cuda"), torch.cuda.current_stream()
    record = Graphs()
    replays = [record(partial(torch.mul, numbers, factor)) for factor in (2.0, 3.0)]
    assert len({each.pool() for each in record._graphs}) == 1
    with pytest.raises(RuntimeError):
        record(lambda: numbers * numbers.sum().item())
    assert torch.cuda.current_stream() == before
    numbers += 1
    assert [replay().tolist() for replay in replays] == [[2.0, 4.0, 6.0, 8.0], [3.0, 6.0, 9.0, 12.0]]
    replays.clear()
    assert record(lambda: numbers * 5.0)().tolist() == [5.0, 10.0, 15.0, 20.0]


def test_an_engine_that_is_let_go_leaves_another_ones_steps_as_they_are():
    """cuBLAS' room to work in goes with a stream's graphs."""
    import gc

    import torch

    prompts = completing(token_rows())
    first, second = (engine(on_card("llama")) for _ in range(2))
    expected = dict(second.complete(prompts))
    list(first.complete(prompts))
    del first
    gc.collect()
    torch.cuda.empty_cache()
    assert_same(dict(second.complete(prompts)), expected)


def test_an_engine_that_is_let_go_leaves_no_memory():
    """Graphs, their pool, and what torch keeps of what was freed."""
    import torch

    from promptkit.generate.process import give_back

    give_back()
    before = torch.cuda.memory_reserved()
    made = engine(on_card("llama"))
    list(made.complete(completing(token_rows())))
    assert torch.cuda.memory_reserved() > before
    del made
    give_back()
    assert torch.cuda.memory_reserved() <= before + (64 << 20)  # cuBLAS keeps room for the stream that it was used on
