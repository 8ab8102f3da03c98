"""What is kept of earlier requests: later ones that begin alike get the reference's tokens, and compute only the rest."""

import functools
import random
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from promptkit.generate import Request, Sampling
from tests.architectures import ARCHITECTURES, MORE, Spelling, tiny

pytestmark = pytest.mark.slow  # many small models

NO_ENGINE = {"falcon", "gptj", "gpt_neo", "codegen", "bloom", "mpt", "stablelm", "nemotron", "mamba", "jamba"}
NO_ENGINE |= {"qwen3_next", "lfm2", "llama4_text"}  # see `FALLS_BACK` of test_engine
COVERED = [name for name in (*ARCHITECTURES, *MORE) if name not in NO_ENGINE]
WAYS: list[dict[str, Any]] = [
    {"num_slots": 18},
    {"num_slots": 3, "chunk": 7},
    {"num_slots": 1},
    {"num_slots": 4, "is_shared": False, "num_guesses": 0},
]
TAIL = (7, 8, 9)


def reference(model):
    from promptkit.generate.meter import Meter
    from promptkit.generate.reference import Reference

    return Reference(model, Spelling(), frozenset({2}), Meter())


def engine(model, **limits):
    from promptkit.generate.engine.engine import Limits
    from promptkit.generate.engine.loading import make_engine
    from promptkit.generate.meter import Meter

    return make_engine(model, Spelling(), frozenset({2}), Meter(), Limits(**limits))


def some(draw, count):
    return tuple(draw.randrange(3, 300) for _ in range(count))


def first_stage(seed=4, *, num=5, samples=2, own=12, **sampling):
    """Prompts below one beginning, each drawn several times."""
    draw = random.Random(seed)
    root = some(draw, 24)
    prompts = [root + some(draw, draw.randint(own // 2, own)) for _ in range(num)]
    drawing = {"max_new_tokens": 9, "temperature": 1.0 if samples > 1 else 0.0, **sampling}
    rows = [prompt for prompt in prompts for _ in range(samples)]
    return [completing(index, row, keeps=True, **drawing) for index, row in enumerate(rows)]


def completing(index, row, *, keeps=False, **sampling):
    return index, Request(
        label="x",
        prompt="",
        token_ids=row,
        seed=index,
        keeps=keeps,
        sampling=Sampling(**{"max_new_tokens": 5, **sampling}),
    )


def going_on(requests, made, *, cut=0, keeps=True):
    """Whole transcripts with new text after them; of some, as at a join, the last tokens are others."""
    rows = []
    for index, request in requests:
        whole = request.token_ids + made[index].token_ids
        rows.append((*whole[: len(whole) - (cut if index % 2 else 0)], *TAIL, 10 + index % 3))
    return [completing(index, row, keeps=keeps) for index, row in enumerate(rows)]


def asking(requests):
    """Options after the requests' prompts, some of which begin alike."""
    tails = ((5,), (5, 6, 7), (4, 3))
    return [
        (
            index,
            replace(
                request, options=("a", "b", "c"), option_token_ids=tuple(request.token_ids + each for each in tails)
            ),
        )
        for index, request in requests
    ]


def alone(compute, requests):
    return {index: made for request in requests for index, made in compute([request])}


def counted(made, compute, requests):
    """What is computed, and how many prompt tokens that took."""
    before = made.meter.computed_prompt_tokens
    return dict(compute(requests)), made.meter.computed_prompt_tokens - before


def assert_close(made, expected, tolerance=1e-4):
    for index, completion in expected.items():
        scores = [each.log_likelihood for each in completion.options]
        assert [each.log_likelihood for each in made[index].options] == pytest.approx(scores, abs=tolerance)


@functools.cache
def three_stages(architecture):
    """Requests and the reference's completions: samples, what goes on from them twice, and options after all that."""
    plain = reference(tiny(architecture))
    stages = []
    requests = first_stage()
    for cut in (3, 0):
        made = alone(plain.complete, requests)
        stages.append((requests, made))
        requests = going_on(requests, made, cut=cut)
    questions = asking(requests)
    return stages, questions, alone(plain.score, questions)


@pytest.mark.parametrize("architecture", COVERED)
def test_stages_that_go_on_from_what_is_kept_give_the_references_tokens(architecture):
    """However few the slots, whatever is shared, through windows too; and scores after them to 1e-4."""
    stages, questions, scores = three_stages(architecture)
    made = engine(tiny(architecture))
    for way in WAYS:
        made.limits = replace(type(made.limits)(), **way)
        made.kept.let_go()
        used = []
        for requests, expected in stages:
            found, num = counted(made, made.complete, requests)
            assert found == expected
            used.append(num)
        assert used[1] < used[0]
        assert_close(dict(made.score(questions)), scores)
        assert_close(dict(made.score(questions[::-1])), scores)


@pytest.mark.parametrize("num_slots", [1, 3, 18])
def test_a_second_stage_computes_its_own_tokens_alone(num_slots):
    """Beside them the last token of each transcript, which was written and never read."""
    made = engine(tiny("llama"), num_slots=num_slots)
    requests = first_stage(num=9, samples=1, own=30)
    texts, num_first = counted(made, made.complete, requests)
    later = going_on(requests, texts, keeps=False)
    found, num = counted(made, made.complete, later)
    assert num == len(requests) * (1 + 4)
    assert num_first == 24 + sum(len(request.token_ids) - 24 for _, request in requests)
    made.kept.let_go()
    again, whole = counted(made, made.complete, later)
    assert again == found
    assert whole > 3 * num


def test_options_after_transcripts_compute_their_own_tokens_alone():
    """The label that is scored after a chain of thought."""
    made = engine(tiny("llama"))
    requests = first_stage(num=6, samples=1, own=30)
    texts = dict(made.complete(requests))
    questions = asking(going_on(requests, texts, keeps=False))
    _, num = counted(made, made.score, questions)
    own = 1 + 4  # a transcript's last token, and the new text
    assert num == len(requests) * (own + 2 + 1)  # options without their last tokens: (), (5, 6) and (4,)


def test_options_keep_their_contexts_for_what_comes_after():
    """A later stage may go on from a question whose answer was chosen."""
    made = engine(tiny("llama"))
    questions = asking(first_stage(num=6, samples=1, own=40))
    dict(made.score(questions))
    later = [completing(index, (*request.token_ids, *TAIL)) for index, request in questions]
    found, num = counted(made, made.complete, later)
    assert num == len(later) * (1 + len(TAIL))
    assert found == alone(reference(tiny("llama")).complete, later)


def test_a_beginning_that_was_shared_serves_rows_that_come_later():
    """Demonstrations are computed once, though the next call has other questions."""
    made = engine(tiny("llama"))
    draw = random.Random(1)
    requests = first_stage(samples=1)
    dict(made.complete(requests))
    root = requests[0][1].token_ids[:24]
    others = [completing(index, root + some(draw, 6)) for index in range(6)]
    found, num = counted(made, made.complete, others)
    assert num == 6 * 6
    assert found == alone(reference(tiny("llama")).complete, others)


def test_nothing_is_kept_that_is_not_asked_for():
    """A run of one stage must not fill the memory."""
    made = engine(tiny("llama"))
    dict(made.complete([(index, replace(request, keeps=False)) for index, request in first_stage()]))
    assert not made.kept
    assert made.kept.num_bytes == 0


@pytest.mark.parametrize("share", [0.0, 0.3, 0.6])
def test_what_finds_no_room_is_computed_again(share):
    """Less room costs time, and no token."""
    requests = first_stage(num=8, samples=1, own=30)
    made = engine(tiny("llama"), num_slots=3)
    texts = dict(made.complete(requests))
    whole = made.kept.num_bytes
    later = going_on(requests, texts)
    found, num = counted(made, made.complete, later)
    made.kept.let_go()
    assert made.kept.num_bytes == 0
    made.kept.shrink(int(share * whole))
    assert dict(made.complete(requests)) == texts
    assert made.kept.num_bytes <= share * whole
    again, more = counted(made, made.complete, later)
    assert again == found
    assert more > num
    assert made.kept.num_bytes <= share * whole


def test_what_has_been_of_no_use_for_longest_goes_first():
    """Room that is full goes to the present call, whose own transcripts stay."""
    made = engine(tiny("llama"))
    first, second, third = (first_stage(seed=seed, num=4, samples=1, own=30) for seed in (1, 2, 3))
    texts = dict(made.complete(first))
    dict(made.complete(second))
    made.kept.shrink(made.kept.num_bytes)
    dict(made.complete(going_on(first, texts, keeps=False)))  # the first is of use once more
    dict(made.complete(third))
    known = [sum(made.kept.num_known(request.token_ids) for _, request in each) for each in (first, second, third)]
    assert known[0] == sum(len(request.token_ids) for _, request in first)
    assert known[1] < known[2]


def test_a_transcript_that_another_goes_on_from_takes_no_room_of_its_own():
    """A loop of many rounds keeps one transcript a row."""
    made = engine(tiny("llama"))
    requests = first_stage(num=4, samples=1)
    for _ in range(3):
        texts = dict(made.complete(requests))
        assert len(made.kept) == len(requests)
        requests = going_on(requests, texts)


@pytest.mark.parametrize("architecture", ["llama", "gemma2"])
def test_stages_in_bfloat16_stay_as_near_to_float32_as_without_what_is_kept(architecture):
    """Whatever layout the processor's units want, and wherever in it the kept tokens begin."""
    import torch

    requests = first_stage(num=6, samples=2, own=30)
    exact, plain = reference(tiny(architecture).bfloat16().float()), engine(tiny(architecture).bfloat16())
    texts = dict(plain.complete(requests))
    questions = asking(going_on(requests, texts, cut=3))
    expected = alone(exact.score, questions)

    def error(scores):
        pairs = zip(scores.values(), (expected[index] for index in scores), strict=True)
        gaps = [
            one.log_likelihood - other.log_likelihood
            for made, known in pairs
            for one, other in zip(made.options, known.options, strict=True)
        ]
        return float(torch.tensor(gaps).square().mean().sqrt())

    kept = error(dict(plain.score(questions)))
    plain.kept.let_go()
    assert kept < 1.5 * error(dict(plain.score(questions)))


@functools.cache
def pair(architecture):
    """An engine, and the reference over a copy of the same weights."""
    return engine(tiny(architecture)), reference(tiny(architecture))


@pytest.mark.parametrize("architecture", ["llama", "gemma3_text"])
@settings(deadline=None, derandomize=True, max_examples=20, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data(), num_slots=st.integers(1, 5), chunk=st.integers(1, 40), room=st.none() | st.integers(0, 200_000))
def test_any_calls_after_one_another_give_the_references_tokens(architecture, data, num_slots, chunk, room):
    """Rows go on from any earlier one, from any place in it; some are kept, and some find no room."""
    fast, plain = pair(architecture)
    fast.limits = replace(fast.limits, num_slots=num_slots, chunk=chunk)
    fast.kept.let_go()
    fast.kept.shrink(room)
    tokens = st.lists(st.integers(3, 299), min_size=1, max_size=24)
    known = [tuple(data.draw(tokens))]
    for _ in range(3):
        requests = []
        for index in range(data.draw(st.integers(1, 4))):
            above = data.draw(st.sampled_from(known))
            row = (*above[: data.draw(st.integers(0, len(above)))], *data.draw(tokens))[-100:]
            requests.append(
                completing(index, row, keeps=data.draw(st.booleans()), max_new_tokens=data.draw(st.integers(1, 6)))
            )
        made = dict(fast.complete(requests))
        assert made == alone(plain.complete, requests)
        questions = [(index, replace(each, keeps=index % 2 == 0)) for index, each in asking(requests)]
        assert_close(dict(fast.score(questions)), alone(plain.score, questions))
        known += [request.token_ids + made[index].token_ids for index, request in requests]


def test_the_default_models_second_stage_reads_its_own_tokens_alone():
    """Chain of thought in two stages, in the machine's own dtype: most answers stay, whatever the order of sums."""
    from promptkit.generate import Loading
    from promptkit.generate.engine.tree import num_common
    from promptkit.generate.local_generator import LocalGenerator

    generator = LocalGenerator("smollm2-135m", Loading())

    def asked(text, num, *, keeps):
        ids = generator.tokenizer.encode(text)
        return Request(label="x", prompt=text, token_ids=ids, sampling=Sampling(max_new_tokens=num), keeps=keeps)

    questions = [f"Tom has {number} apples and buys {number % 5 + 2} more. How many now?" for number in range(2, 18)]
    first = [asked(f"Q: {each}\nA: Let's think step by step.", 40, keeps=True) for each in questions]
    made = dict(generator.generate(first))
    texts = [f"{each.prompt}{made[index].text}\nTherefore, the answer is" for index, each in enumerate(first)]
    later = [asked(text, 6, keeps=False) for text in texts]
    known = [
        num_common((*each.token_ids, *made[index].token_ids[:-1]), later[index].token_ids)
        for index, each in enumerate(first)
    ]
    before = generator.work.computed_prompt_tokens
    found = dict(generator.generate(later))
    used = generator.work.computed_prompt_tokens - before
    assert used == sum(len(each.token_ids) for each in later) - sum(known) < 12 * len(later)
    generator.let_go()
    again = dict(generator.generate(later))
    assert sum(found[index] == again[index] for index in found) >= 14
