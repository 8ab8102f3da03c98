"""The engine against the reference, token by token, over many architectures: fast must equal plain."""

import functools
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.architectures import tiny
from tests.generate.engine.agreement import (
    EXACT,
    FALLS_BACK,
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


@dataclass(frozen=True, kw_only=True)
class Computed:
    """One architecture's engine, and what the reference gave, one row at a time."""

    engine: Any
    completions: dict[int, Any]
    prompts: list[Any]
    scores: dict[int, Any]
    questions: list[Any]


@functools.cache
def computed(architecture):
    model = tiny(architecture)
    plain = reference(model)
    prompts, questions = completing(token_rows()), asking(token_rows())
    completions, scores = alone(plain.complete, prompts), alone(plain.score, questions)
    return Computed(engine=engine(model), completions=completions, prompts=prompts, scores=scores, questions=questions)


@pytest.mark.parametrize("architecture", EXACT)
def test_greedy_tokens_equal_the_references(architecture):
    """Whatever is shared, however few the slots, however small the pieces, in whatever order."""
    known = computed(architecture)
    written = [each.token_ids for each in known.completions.values()]
    assert sum(len(set(ids)) for ids in written) > sum(map(len, written)) / 4, "text that repeats itself shows little"
    for way in WAYS:
        known.engine.limits = replace(type(known.engine.limits)(), **way)
        assert_same(dict(known.engine.complete(known.prompts)), known.completions)
    assert_same(dict(known.engine.complete(known.prompts[::-1])), known.completions)


@pytest.mark.parametrize("architecture", EXACT)
def test_option_scores_agree_with_the_references(architecture):
    """To 1e-4; options that begin alike are computed once, and must not read one another."""
    known = computed(architecture)
    for way in WAYS:
        known.engine.limits = replace(type(known.engine.limits)(), **way)
        assert_close(dict(known.engine.score(known.questions)), known.scores)
    assert_close(dict(known.engine.score(known.questions[::-1])), known.scores)


@pytest.mark.parametrize("architecture", FALLS_BACK)
def test_what_is_not_covered_is_said_with_its_reason(architecture):
    """The list of them is kept here, so that it changes knowingly: the reference computes them, right but slower."""
    from promptkit.generate.engine.loading import NotCovered

    with pytest.raises(NotCovered) as caught:
        engine(tiny(architecture))
    assert str(caught.value) == FALLS_BACK[architecture]


@pytest.mark.parametrize("architecture", ["llama", "mistral", "qwen2", "gemma2", "cohere2", "gpt_oss"])
def test_a_window_longer_than_the_trial_is_kept_too(architecture):
    """The trial at loading is short; what lies beyond it must be as right: here windows of 40 of some 80 tokens."""
    mixed = {"layer_types": ["sliding_attention", "full_attention", "sliding_attention"]}
    wide = {"qwen2": {"use_sliding_window": True, **mixed}, "mistral": {}}.get(architecture, mixed)
    model = tiny(architecture, sliding_window=40, **wide) if architecture != "llama" else tiny(architecture)
    prompts = completing(token_rows(), max_new_tokens=12)
    expected = alone(reference(model).complete, prompts)
    made = engine(model, num_slots=3)
    assert_same(dict(made.complete(prompts)), expected)


@pytest.mark.parametrize(
    "biases", [{"attention_bias": True}, {"mlp_bias": True}, {"hidden_act": "gelu"}, {"head_dim": 20}]
)
def test_variants_of_the_usual_block_are_computed_too(biases):
    """Blocks that look the same but for a bias, another activation, or heads that do not add up to the whole."""
    import torch

    model = tiny("llama", **biases)
    for name, weight in model.named_parameters():
        if name.endswith("bias"):
            torch.nn.init.normal_(weight)
    prompts, questions = completing(token_rows()), asking(token_rows())
    plain = reference(model)
    expected, scores = alone(plain.complete, prompts), alone(plain.score, questions)
    made = engine(model, num_slots=3)
    assert_same(dict(made.complete(prompts)), expected)
    assert_close(dict(made.score(questions)), scores)


@pytest.mark.parametrize("architecture", ["llama", "gemma2"])
def test_samples_are_the_same_whatever_stands_beside_them(architecture):
    """A request's own seed draws its tokens, through the same shares: slots, order and sharing change nothing."""
    known = computed(architecture)
    rows = [row for row in token_rows() for _ in range(2)]  # each prompt drawn twice, from two seeds
    requests = completing(rows, max_new_tokens=10, temperature=1.3, top_p=0.95, top_k=40)
    assert len({request.seed for _, request in requests}) == len(requests)
    made = []
    for way in WAYS:
        known.engine.limits = replace(type(known.engine.limits)(), **way)
        made.append(dict(known.engine.complete(requests)))
    made.append(dict(known.engine.complete(requests[::-1])))
    assert all(each == made[0] for each in made)
    assert any(made[0][number].token_ids != made[0][number + 1].token_ids for number in range(0, len(rows), 2))


def test_samples_equal_the_references():
    """The same draws from the same shares."""
    known = computed("llama")
    requests = completing(token_rows(), max_new_tokens=10, temperature=1.3, top_p=0.95, top_k=40)
    assert_same(dict(known.engine.complete(requests)), alone(reference(tiny("llama")).complete, requests))


def test_greedy_and_sampled_rows_stand_side_by_side():
    """A run may mix them: guesses are made for the greedy ones alone."""
    known = computed("llama")
    known.engine.limits = replace(type(known.engine.limits)(), num_slots=4)
    greedy = completing(token_rows(), max_new_tokens=10)
    drawn = [(index + 100, request) for index, request in completing(token_rows(), max_new_tokens=10, temperature=1.0)]
    mixed = [each for pair in zip(greedy, drawn, strict=True) for each in pair]
    made = dict(known.engine.complete(mixed))
    assert made == {**dict(known.engine.complete(greedy)), **dict(known.engine.complete(drawn))}


def test_stops_end_a_row_where_they_end_the_references():
    """Stops that lie across tokens, and guesses beyond a stop, which must not count."""
    from promptkit.generate.new_text import cut_at_stop

    known = computed("llama")
    free = completing(token_rows(), max_new_tokens=14)
    plain = reference(tiny("llama"))
    texts = {index: made.text for index, made in alone(plain.complete, free).items()}
    requests = [
        (index, replace(request, sampling=replace(request.sampling, stop=(texts[index][at : at + 3], "not there"))))
        for (index, request), at in zip(free, range(1, 12), strict=False)
    ]
    for way in WAYS:
        known.engine.limits = replace(type(known.engine.limits)(), **way)
        made = dict(known.engine.complete(requests))
        assert_same(made, alone(plain.complete, requests))
        for index, request in requests:
            assert made[index].ended == "stop"
            assert made[index].text == cut_at_stop(texts[index], request.sampling.stop)[0]


def test_the_models_end_and_a_settled_answer_end_a_row():
    """Each by its own name, the end's token kept, and nothing after it."""
    known = computed("llama")
    free = completing(token_rows(), max_new_tokens=14)
    plain = reference(tiny("llama"))
    first = alone(plain.complete, free)
    eos = frozenset(first[index].token_ids[4] for index in (0, 1, 2))
    settled = [(index, replace(request, settled=lambda text: len(text) > 6)) for index, request in free[5:]]
    plain.eos, before = eos, known.engine.eos
    expected = alone(plain.complete, [*free[:5], *settled])
    assert {each.ended for each in expected.values()} >= {"eos", "answered"}
    known.engine.eos = eos
    try:
        for way in WAYS:
            known.engine.limits = replace(type(known.engine.limits)(), **way)
            assert_same(dict(known.engine.complete([*free[:5], *settled])), expected)
    finally:
        known.engine.eos = before


def test_guesses_change_no_token_of_text_that_repeats_itself():
    """Text that goes in circles is where guesses are made, many at once, and where they end badly."""
    import torch

    torch.manual_seed(3)
    model = tiny("llama", initializer_range=0.02, tie_word_embeddings=True)
    rows = [(row * 3)[:60] for row in token_rows()]
    requests = completing(rows, max_new_tokens=40)
    expected = alone(reference(model).complete, requests)
    made = engine(model, num_slots=4)
    for guesses in (0, 3, 64):
        made.limits = replace(made.limits, num_guesses=guesses)
        assert_same(dict(made.complete(requests)), expected)


def test_what_is_shared_is_computed_once():
    """The count that the report shows: every stretch once, each row's own tokens once."""
    from promptkit.generate.engine.tree import grow_tree

    known = computed("llama")
    known.engine.limits = type(known.engine.limits)()
    before = known.engine.meter.computed_prompt_tokens
    dict(known.engine.complete(known.prompts))
    tree = grow_tree([request.token_ids for _, request in known.prompts])
    assert tree.num_computed < tree.num_tokens
    assert known.engine.meter.computed_prompt_tokens - before == tree.num_computed


@pytest.mark.parametrize("architecture", ["llama", "gemma2"])
def test_bfloat16_scores_stay_close_to_the_float32_models(architecture):
    """The same weights, rounded: the engine must be about as far from the truth as the reference is."""
    import torch

    questions = asking(token_rows())
    exact = alone(reference(tiny(architecture).bfloat16().float()).score, questions)
    model = tiny(architecture).bfloat16()
    plain = alone(reference(model).score, questions)
    made = dict(engine(model, num_slots=4).score(questions))

    def error(some):
        return (
            torch.tensor(
                [
                    one.log_likelihood - other.log_likelihood
                    for index in exact
                    for one, other in zip(some[index].options, exact[index].options, strict=True)
                ]
            )
            .square()
            .mean()
            .sqrt()
        )

    assert error(made) < 1.5 * error(plain)


@functools.cache
def pair(architecture):
    """An engine, and the reference over a copy of the same weights."""
    return engine(tiny(architecture)), reference(tiny(architecture))


@st.composite
def drawn_requests(draw):
    """Rows of a drawn tree, with their limits and stops."""
    from promptkit.generate import Request, Sampling

    rows = [tuple(draw(st.lists(st.integers(3, 299), min_size=1, max_size=24)))]
    for _ in range(draw(st.integers(0, 5))):
        above = draw(st.sampled_from(rows))
        kept = above[: draw(st.integers(0, len(above)))]
        rows.append((*kept, *draw(st.lists(st.integers(3, 299), min_size=0 if kept else 1, max_size=12))))
    return [
        (
            index,
            Request(
                label="x",
                prompt="",
                token_ids=row,
                sampling=Sampling(max_new_tokens=draw(st.integers(1, 8))),
                settled=draw(st.sampled_from([None, ends_early])),
            ),
        )
        for index, row in enumerate(rows)
    ]


def ends_early(text):
    return any(ord(character) % 5 == 0 for character in text)


@pytest.mark.parametrize("architecture", ["llama", "gemma3_text"])
@settings(
    deadline=None,
    derandomize=True,
    max_examples=25,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(
    requests=drawn_requests(),
    num_slots=st.integers(1, 6),
    chunk=st.integers(1, 40),
    num_guesses=st.sampled_from([0, 1, 64]),
    min_stretch=st.integers(1, 5),
)
def test_any_tree_any_limits_any_slots_give_the_references_tokens(
    architecture, requests, num_slots, chunk, num_guesses, min_stretch
):
    """Short stretches, made worth while here, make deep trees; full attention, and a sliding window."""
    from promptkit.generate.engine import engine as module
    from promptkit.generate.engine.tree import grow_tree

    fast, plain = pair(architecture)
    fast.limits = replace(fast.limits, num_slots=num_slots, chunk=chunk, num_guesses=num_guesses)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "grow_tree", functools.partial(grow_tree, min_stretch=min_stretch, min_saved=1))
        made = dict(fast.complete(requests))
    assert_same(made, alone(plain.complete, requests))


def likelihood_by_hand(model, prompt, new):
    """The log-likelihood of new tokens after a prompt, by one forward pass of the model."""
    import torch

    with torch.inference_mode():
        shares = model(input_ids=torch.tensor([[*prompt, *new]])).logits[0].double().log_softmax(-1)
    return sum(float(shares[len(prompt) + place - 1, token]) for place, token in enumerate(new))


@pytest.mark.parametrize("temperature", [0.0, 1.3])
@pytest.mark.parametrize("architecture", ["llama", "gemma2"])
def test_the_likelihood_of_what_is_written_is_the_models_own(architecture, temperature):
    """To 1e-4, by the engine as by the reference: at temperature 1, over all tokens, guessed ones and the last included."""
    model = tiny(architecture)
    wanted = [
        (index, replace(request, wants_likelihood=index % 3 != 0))
        for index, request in completing(token_rows(), temperature=temperature, top_k=40)
    ]
    plain = alone(reference(model).complete, wanted)
    hands = {
        index: likelihood_by_hand(model, request.token_ids, plain[index].token_ids)
        for index, request in wanted
        if request.wants_likelihood
    }
    made = engine(tiny(architecture), num_slots=3)
    for each in (plain, dict(made.complete(wanted))):
        assert {index for index, one in each.items() if one.log_likelihood is None} == {0, 3, 6, 9}
        assert {index: each[index].log_likelihood for index in hands} == pytest.approx(hands, abs=1e-4)


def test_to_ask_for_the_likelihood_changes_no_token():
    """It is read off the logits that the token was taken from."""
    known = computed("llama")
    for sampling in ({}, {"temperature": 1.0}):
        requests = completing(token_rows(), **sampling)
        asked = [(index, replace(request, wants_likelihood=True)) for index, request in requests]
        plain, weighed = dict(known.engine.complete(requests)), dict(known.engine.complete(asked))
        assert {index: replace(each, log_likelihood=None) for index, each in weighed.items()} == plain
