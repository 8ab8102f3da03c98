"""The local generator: exact against transformers' own one-by-one generation, whatever stands beside a row."""

import random
from dataclasses import replace

import pytest

from promptkit.errors import ModelError, PromptTooLong
from promptkit.generate import Loading, Request, Sampling
from promptkit.generate.engine.tree import num_common
from promptkit.generate.local_generator import LocalGenerator

WORDS = [
    "apples",
    "film",
    "answer",
    "the",
    "How",
    "many",
    "are",
    "there",
    "Q:",
    "A:",
    "lovely",
    "dull",
    "3",
    "27",
    "positive",
    ".",
    ",",
]


@pytest.fixture(scope="module")
def generator(tiny_model, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PROMPTKIT_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield LocalGenerator(str(tiny_model), Loading(dtype="float32", slots=4))


def prompts(count, seed=0):
    """Texts of very different lengths, so that rows are padded and leave at different times."""
    draw = random.Random(seed)
    return [" ".join(draw.choices(WORDS, k=draw.randint(1, 30))) for _ in range(count)]


def request(generator, prompt, **sampling):
    return Request(
        label="x", prompt=prompt, token_ids=generator.tokenizer.encode(prompt), sampling=Sampling(**sampling), seed=7
    )


def completions(generator, requests):
    found = dict(generator.generate(requests))
    return [found[index] for index in range(len(requests))]


def plain_generate(generator, prompt, max_new_tokens):
    """The reference: transformers' own `generate`, one row at a time."""
    import torch

    model = generator.reference.model
    ids = torch.tensor([generator.tokenizer.encode(prompt)])
    with torch.inference_mode():
        out = model.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            max_new_tokens=max_new_tokens,
            do_sample=False,
            pad_token_id=generator.facts.eos_token_ids[0],
        )
    return tuple(out[0, ids.shape[1] :].tolist())


def test_greedy_tokens_equal_one_by_one_generation(generator):
    """Batches, padding and rows that leave early must change nothing (lm-eval#1645: the batch size changed output)."""
    texts = prompts(11)
    made = completions(generator, [request(generator, text, max_new_tokens=24) for text in texts])
    assert [each.token_ids for each in made] == [plain_generate(generator, text, 24) for text in texts]


def test_a_row_alone_is_plain_generation(generator):
    """What a run is audited against must be transformers' own, and not the engine once more."""
    texts = prompts(3, seed=5)
    alone = [generator.alone(request(generator, text, max_new_tokens=12)) for text in texts]
    assert [each.token_ids for each in alone] == [plain_generate(generator, text, 12) for text in texts]


def test_where_two_completions_part_is_told_with_the_references_logits(generator):
    """The token's number counts from 1, its text has its blanks, and the margin is that of a plain forward pass."""
    import torch

    row = request(generator, "How many apples are", max_new_tokens=8)
    alone = generator.alone(row)
    wrong = next(number for number in generator.tokenizer.encode(" answer") if number > 1)
    made = replace(alone, token_ids=(*alone.token_ids[:3], wrong, *alone.token_ids[4:]))
    assert wrong != alone.token_ids[3]
    with torch.inference_mode():
        logits = generator.reference.model(torch.tensor([[*row.token_ids, *alone.token_ids[:3]]])).logits[0, -1]
    parting = generator.parting(row, made, alone)
    assert (parting.token, parting.run) == (4, generator.tokenizer.decode([wrong]))
    assert parting.margin == pytest.approx(float(logits[alone.token_ids[3]] - logits[wrong]), abs=1e-4)
    assert generator.parting(row, alone, alone) is None
    (eos,) = generator.facts.eos_token_ids
    ended = replace(alone, token_ids=(*alone.token_ids[:2], eos))
    assert generator.parting(row, ended, alone).run == "</s>"


def test_the_tokenizer_is_the_models_own(generator, tiny_model):
    """The prepared copy must give the very ids that transformers gives, BOS included."""
    from transformers import AutoTokenizer

    reference = AutoTokenizer.from_pretrained(tiny_model)
    for text in [*prompts(20), "", " ", "\n\n a", "naïve 27 € 漢字"]:
        assert generator.tokenizer.encode(text) == tuple(reference(text)["input_ids"])
        bare = generator.tokenizer.encode(text, add_special_tokens=False)
        assert bare == tuple(reference(text, add_special_tokens=False)["input_ids"])
    texts = [*prompts(5), ""]
    for adds in (True, False):
        together = generator.tokenizer.encode_all(texts, add_special_tokens=adds)
        assert together == [generator.tokenizer.encode(text, add_special_tokens=adds) for text in texts]


def test_samples_depend_on_their_seed_alone(generator):
    """The same request gives the same text whatever the batch and the order (simple-evals shared one generator)."""
    rows = [request(generator, text, max_new_tokens=12, temperature=1.0) for text in prompts(6)]
    together = completions(generator, rows)
    backwards = completions(generator, rows[::-1])[::-1]
    alone = [completions(generator, [row])[0] for row in rows]
    assert together == backwards == alone


def test_stop_strings_are_cut_exactly_across_tokens(generator):
    """A stop inside, across, or at the end of tokens: the text ends right before it, and the row ends with it."""
    text = prompts(1, seed=3)[0]
    whole = completions(generator, [request(generator, text, max_new_tokens=40)])[0]
    for start in range(2, min(len(whole.text) - 3, 40), 3):
        stop = whole.text[start : start + 3]
        (made,) = completions(generator, [request(generator, text, max_new_tokens=40, stop=(stop,))])
        assert made.text == whole.text[: whole.text.index(stop)]
        assert made.ended == "stop"
        assert made.num_new_tokens <= whole.num_new_tokens


def test_length_is_said_as_the_reason(generator):
    """A truncated completion must be known as such, not graded as a wrong answer."""
    (made,) = completions(generator, [request(generator, "Q:", max_new_tokens=2)])
    assert (made.ended, made.num_new_tokens) == ("length", 2)


def direct_log_likelihood(generator, prompt, option):
    """One forward pass over prompt and option, one by one, summed by hand."""
    import torch

    context = generator.tokenizer.encode(prompt)
    joint = generator.tokenizer.encode(prompt + option)
    with torch.inference_mode():
        logits = generator.reference.model(torch.tensor([joint])).logits[0].double().log_softmax(-1)
    shared = 0
    while shared < min(len(context), len(joint) - 1) and context[shared] == joint[shared]:
        shared += 1
    return shared, [float(logits[place - 1, joint[place]]) for place in range(1, len(joint))], joint


def test_option_scores_agree_with_a_direct_computation(generator):
    """To 1e-4, over options of one token and of several, batched with others."""
    texts = prompts(5, seed=2)
    options = (" positive", " negative", " a lovely film.", " 3")
    requests = [
        Request(
            label="x",
            prompt=text,
            token_ids=generator.tokenizer.encode(text),
            options=options,
            option_token_ids=tuple(generator.tokenizer.encode(text + option) for option in options),
        )
        for text in texts
    ]
    for text, made in zip(texts, completions(generator, requests), strict=True):
        direct = [direct_log_likelihood(generator, text, option) for option in options]
        start = min(shared for shared, _, _ in direct)
        for score, (_, shares, joint) in zip(made.options, direct, strict=True):
            assert score.log_likelihood == pytest.approx(sum(shares[start - 1 :]), abs=1e-4)
            assert score.num_tokens == len(joint) - start


def test_options_that_merge_with_the_prompt_are_scored_from_one_place(generator):
    """lm-eval PR#4055: where the join makes one token, options were scored from different beginnings."""
    prompt, options = "The ans", ("wer", "wer is", "x")
    request_ = Request(
        label="x",
        prompt=prompt,
        token_ids=generator.tokenizer.encode(prompt),
        options=options,
        option_token_ids=tuple(generator.tokenizer.encode(prompt + option) for option in options),
    )
    (made,) = completions(generator, [request_])
    lengths = {len(ids) - score.num_tokens for ids, score in zip(request_.option_token_ids, made.options, strict=True)}
    assert len(lengths) == 1
    assert lengths.pop() < len(request_.token_ids), "the join does merge here, or the test shows nothing"


def test_a_prompt_that_does_not_fit_is_named_before_anything_is_computed(generator):
    """lm-eval#1426: a silent cut from the left ate the instruction."""
    fits = request(generator, "Q:", max_new_tokens=10)
    long = Request(label="example 'b' (rows:2)", prompt="", token_ids=(3,) * 250, sampling=Sampling(max_new_tokens=10))
    before = generator.work
    with pytest.raises(PromptTooLong) as caught:
        list(generator.generate([fits, long]))
    assert str(caught.value).startswith(
        "example 'b' (rows:2): 250 prompt tokens and 10 new ones do not fit the 256 tokens of "
    )
    assert "(1 of 2 prompts do not fit)" in str(caught.value)
    assert generator.work == before


def test_the_identity_names_weights_dtype_and_tokenizer(generator, tiny_model, cache):
    """lm-eval#4063: model A's outputs were reported as B's."""
    from tests.models import save_tiny_llama

    other = save_tiny_llama(cache / "other", context_length=128)
    identity = LocalGenerator(str(other), Loading(dtype="float32")).identity
    assert identity["config"] != generator.identity["config"]
    half = LocalGenerator(str(tiny_model), Loading(dtype="bfloat16"))
    assert half.identity != generator.identity
    assert {"weights", "tokenizer", "chat_template", "dtype", "engine"} <= set(identity)


def test_an_unknown_model_is_one_message(cache):
    """With what a name may be, and the nearest that is known."""
    with pytest.raises(ModelError) as caught:
        LocalGenerator("smolm2-135m", Loading())
    assert str(caught.value) == (
        "model 'smolm2-135m': not a known name, a folder, a GGUF file, or a hub id (owner/name)\n"
        "    known: smollm2-135m   did you mean 'smollm2-135m'?"
    )


def test_a_hub_id_out_of_reach_is_one_message(cache):
    """Offline, a hub id must fail at once and say what works."""
    with pytest.raises(
        ModelError, match=r"^model 'nobody/nothing': neither a folder here nor to be had from the hub: "
    ):
        LocalGenerator("nobody/nothing", Loading())


def test_a_truncated_gguf_is_one_message(cache, tmp_path):
    """A download that broke off leaves such files."""
    (tmp_path / "cut.gguf").write_bytes(b"GGUF\x03\x00\x00\x00" + bytes(40))
    with pytest.raises(ModelError, match=r"the GGUF file cannot be read \(is it whole\?\)"):
        LocalGenerator(str(tmp_path / "cut.gguf"), Loading())
    (tmp_path / "not.gguf").write_bytes(b"PK\x03\x04")
    with pytest.raises(ModelError, match="not a GGUF file"):
        LocalGenerator(str(tmp_path / "not.gguf"), Loading())


def test_a_folder_without_a_model_is_one_message(cache, tmp_path):
    """The commonest slip: the folder above."""
    with pytest.raises(ModelError, match=r"the folder holds neither a config\.json nor a GGUF file"):
        LocalGenerator(str(tmp_path), Loading())


def test_an_unknown_dtype_is_one_message(tiny_model):
    """Not torch's AttributeError."""
    with pytest.raises(ModelError, match="no dtype is called 'float23'\n    known: auto, bfloat16, float16, float32"):
        LocalGenerator(str(tiny_model), Loading(dtype="float23"))


def keeping(generator, texts, **sampling):
    return [replace(request(generator, text, **sampling), keeps=True) for text in texts]


def test_a_stage_that_goes_on_from_another_computes_its_own_tokens_alone(generator):
    """The text is tokenised anew as a whole; what the join or a stop leaves in common is used, and nothing else is read."""
    texts = [f"{text} {' '.join(WORDS)}" for text in prompts(9, seed=8)]
    first = keeping(generator, texts, max_new_tokens=20)
    made = completions(generator, first)
    later = [
        request(generator, f"{text}{each.text} So the answer is", max_new_tokens=6)
        for text, each in zip(texts, made, strict=True)
    ]
    before = generator.work.computed_prompt_tokens
    found = completions(generator, later)
    used = generator.work.computed_prompt_tokens - before
    generator.let_go()
    assert not generator.kept
    assert completions(generator, later) == found
    known = [
        num_common((*one.token_ids, *each.token_ids[:-1]), other.token_ids)
        for one, each, other in zip(first, made, later, strict=True)
    ]
    assert sum(known) > sum(len(each.token_ids) for each in later) / 2
    assert used == sum(len(each.token_ids) for each in later) - sum(known)


def test_a_model_computed_by_the_reference_keeps_nothing(generator):
    """Right, and no slower than before."""
    plain = LocalGenerator(generator.name, generator.loading)
    plain.engine = plain.reference
    rows = keeping(plain, prompts(3), max_new_tokens=4)
    assert completions(plain, rows) == completions(generator, rows)
    assert plain.kept is None
    plain.let_go()


def test_keeping_is_no_part_of_what_is_computed(generator):
    """A completion from the store serves a request that keeps and one that does not."""
    row = request(generator, "How many", max_new_tokens=4)
    assert replace(row, keeps=True) == row
    generator.let_go()
    generator.calibrate([replace(row, keeps=True)])
    assert not generator.kept
