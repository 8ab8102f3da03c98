"""What is kept as tiles: a later stage gets the logits that it gets without, as near as another order of sums allows."""

import random
from dataclasses import replace

import pytest

from tests.architectures import Spelling, tiny

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("matrix_units")]  # small models, and what is compiled for them

SIZES: dict[str, object] = {
    "vocab_size": 320,
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "head_dim": 32,
    "max_position_embeddings": 512,
}


def engine(architecture, **settings):
    from promptkit.generate.engine.engine import Limits
    from promptkit.generate.engine.loading import make_engine
    from promptkit.generate.meter import Meter

    model = tiny(architecture, **SIZES, **settings).bfloat16()
    made = make_engine(model, Spelling(), frozenset({2}), Meter(), Limits(num_slots=5))
    assert made.stack is not None, "computed in tiles, or this shows nothing"
    return made


@pytest.mark.parametrize(("architecture", "settings"), [("llama", {}), ("mistral", {"sliding_window": 24})])
@pytest.mark.parametrize("num_rows", [9, 4])
def test_later_stages_score_what_they_score_without(architecture, settings, num_rows):
    """For all rows, whose own tokens begin where they did; and for fewer, which share more, so that they begin elsewhere."""
    from promptkit.generate import Request, Sampling

    draw = random.Random(2)
    root, middle = ([draw.randrange(3, 300) for _ in range(count)] for count in (45, 37))
    heads = [root + middle * (number < 4) + [draw.randrange(3, 300) for _ in range(40 + number)] for number in range(9)]
    first = [
        (number, Request(label="x", prompt="", token_ids=tuple(row), sampling=Sampling(max_new_tokens=9), keeps=True))
        for number, row in enumerate(heads)
    ]
    made = engine(architecture, **settings)
    texts = dict(made.complete(first))
    later = []
    for number, request in first[:num_rows]:
        row = (*request.token_ids, *texts[number].token_ids[:-2], 7, 8, 9)
        options = tuple((*row, *tail) for tail in ((5,), (6, 7)))
        later.append(
            (number, replace(request, token_ids=row, keeps=False, options=("a", "b"), option_token_ids=options))
        )
    before = made.meter.computed_prompt_tokens
    kept = dict(made.score(later))
    assert made.meter.computed_prompt_tokens - before == num_rows * (
        3 + 1
    )  # the new text, and the longer option's first
    made.kept.let_go()
    plain = dict(made.score(later))
    pairs = [pair for number, _ in later for pair in zip(kept[number].options, plain[number].options, strict=True)]
    gaps = [abs(one.log_likelihood - other.log_likelihood) for one, other in pairs]
    spread = max(abs(one.log_likelihood) for one, _ in pairs)
    assert max(gaps) < 0.05 * spread
