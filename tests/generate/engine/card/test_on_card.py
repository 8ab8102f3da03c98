"""On a card, where there is one: the tokens equal the reference's in float32; in bfloat16 they stay as close as it is to itself."""

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
