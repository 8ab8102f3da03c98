"""What the engine does not cover falls back; where memory runs out, less is done at once. Neither changes an answer."""

import importlib
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from promptkit.errors import GenerationError
from promptkit.generate import Loading, Request, Sampling
from promptkit.generate.local_generator import LocalGenerator

pytestmark = pytest.mark.slow  # loads models


def engine_module() -> Any:
    """The engine's module, in which a test puts its own doubles."""
    return importlib.import_module("promptkit.generate.engine.engine")


def save_tiny(folder: Path, architecture: str, **settings: object) -> Path:
    """The folder, with a tiny model of that architecture and a tokenizer saved in it."""
    from tests.architectures import tiny
    from tests.models import train_tokenizer

    tokenizer = train_tokenizer()
    ids = {"bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id}
    tiny(architecture, vocab_size=len(tokenizer), **ids, **settings).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def completing(generator, **sampling):
    texts = [
        "Q: How many apples",
        "The answer is 3.",
        "Q: How many apples are there? A:",
        "a film",
        "Q",
        "x y",
        "3",
        ".",
    ]
    sampling = {"max_new_tokens": 12, **sampling}
    return [
        Request(label="x", prompt=text, token_ids=generator.tokenizer.encode(text), sampling=Sampling(**sampling))
        for text in texts
    ]


def asking(generator, prompt="Review: a dull film. Sentiment:"):
    options = (" positive", " negative", " a lovely film.")
    return Request(
        label="x",
        prompt=prompt,
        token_ids=generator.tokenizer.encode(prompt),
        options=options,
        option_token_ids=tuple(generator.tokenizer.encode(prompt + option) for option in options),
    )


def plainly(generator, requests):
    """The completions of the reference, one row at a time."""
    return {index: dict(generator.reference.complete([(0, each)]))[0] for index, each in enumerate(requests)}


def test_a_model_that_drops_the_keyword_is_not_covered():
    """Modules that pass on what they know by name alone are common; the trial must find them."""
    from torch import nn

    from promptkit.generate.engine.loading import NotCovered
    from tests.architectures import tiny

    class Dropping(nn.Module):
        def __init__(self, layer: Any) -> None:
            super().__init__()
            self.layer = layer

        def forward(self, hidden, attention_mask=None, position_ids=None, position_embeddings=None, **_):
            return self.layer(
                hidden,
                attention_mask=attention_mask,
                position_ids=position_ids,
                position_embeddings=position_embeddings,
            )

    model = tiny("llama")
    model.model.layers[1] = Dropping(model.model.layers[1])
    with pytest.raises(NotCovered) as caught:
        make(model)
    assert str(caught.value) == "its modules do not hand the engine's state on (KeyError)"


def make(model):
    from promptkit.generate.engine.engine import Limits
    from promptkit.generate.engine.loading import make_engine
    from promptkit.generate.meter import Meter
    from tests.architectures import Spelling

    return make_engine(model, Spelling(), frozenset({2}), Meter(), Limits())


def test_a_model_that_computes_something_else_is_not_covered():
    """A norm that looks at the whole sequence at once: packed with others' tokens it gives something else."""
    from torch import nn

    from promptkit.generate.engine.loading import NotCovered
    from tests.architectures import tiny

    class Mixing(nn.Module):
        def forward(self, hidden):
            return hidden - hidden.mean(dim=1, keepdim=True)

    model = tiny("llama")
    model.model.norm = Mixing()
    with pytest.raises(
        NotCovered, match=r"^a trial differs from its own forward pass by \S+ of the spread of its logits$"
    ):
        make(model)


@pytest.mark.parametrize(
    ("architecture", "reason"),
    [
        ("gpt_neo", "its attention has no interface"),
        ("stablelm", "its modules do not hand the engine's state on (KeyError)"),
    ],
)
def test_a_model_that_is_not_covered_runs_by_the_reference(cache, caplog, architecture, reason):
    """One line says so, and the answers are transformers' own."""
    import torch

    folder = save_tiny(cache / "tiny", architecture)
    generator = LocalGenerator(str(folder), Loading(dtype="float32", slots=3))
    requests = completing(generator)
    with caplog.at_level(logging.WARNING):
        made = dict(generator.generate(requests))
    warnings = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert warnings == [f"model {str(folder)!r} is computed without sharing, right but slower: {reason}"]
    model = generator.reference.model
    for index, request in enumerate(requests):
        ids = torch.tensor([request.token_ids])
        with torch.inference_mode():
            out = model.generate(
                ids, attention_mask=torch.ones_like(ids), max_new_tokens=12, do_sample=False, pad_token_id=0
            )
        assert made[index].token_ids == tuple(out[0, ids.shape[1] :].tolist())
    (scored,) = dict(generator.generate([asking(generator)])).values()
    assert scored == dict(generator.reference.score([(0, asking(generator))]))[0]


def small_memory(base, *, most, after=0):
    """Slots that find no memory for more than `most` rows, once their layers were asked for so often."""

    class Small(base):  # type: ignore[misc, valid-type]
        asked = 0

        def layer(self, *arguments):
            type(self).asked += 1
            if self.num > most and type(self).asked > after:
                raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried 9 bytes\nmore")
            return super().layer(*arguments)

    return Small


@pytest.fixture
def generator(tiny_model, cache):
    made = LocalGenerator(str(tiny_model), Loading(dtype="float32", slots=8))
    assert made.engine is not made.reference, "the engine covers it, or these tests show nothing"
    return made


@pytest.mark.parametrize("after", [0, 9, 25])
def test_where_memory_runs_out_fewer_rows_go_on_and_no_token_changes(generator, monkeypatch, caplog, after):
    """At once, or in the midst, with some rows finished: those stay, and are given once."""
    module = engine_module()
    requests = [
        each for number in (2, 12) for each in completing(generator, max_new_tokens=number)
    ]  # short ones finish before memory does
    expected = plainly(generator, requests)
    monkeypatch.setattr(module, "Slots", small_memory(module.Slots, most=2, after=after))
    with caplog.at_level(logging.WARNING):
        made = list(generator.generate(requests))
    assert sorted(index for index, _ in made) == list(range(len(requests)))
    assert dict(made) == expected
    assert [record.getMessage() for record in caplog.records] == [
        "out of memory with 8 rows at once; 4 at once from here on",
        "out of memory with 4 rows at once; 2 at once from here on",
    ]


def test_finished_rows_are_given_before_memory_runs_out_for_good(generator, monkeypatch):
    """Whoever keeps completions as they come has lost nothing."""
    module = engine_module()
    short, long = completing(generator, max_new_tokens=1), completing(generator)
    expected = plainly(generator, [*short, *long])
    monkeypatch.setattr(module, "Slots", small_memory(module.Slots, most=0, after=9))
    given = []
    with pytest.raises(GenerationError):  # noqa: PT012 - what was given before the error is looked at
        for each in generator.generate([*short, *long]):
            given.append(each)  # noqa: PERF402
    assert given
    assert all(expected[index] == completion for index, completion in given)


def test_one_row_that_finds_no_memory_is_one_clear_error(generator, monkeypatch):
    """Nothing smaller can be tried: what would help is said."""
    module = engine_module()
    monkeypatch.setattr(module, "Slots", small_memory(module.Slots, most=0))
    with pytest.raises(GenerationError) as caught:
        list(generator.generate(completing(generator)))
    assert str(caught.value) == (
        "out of memory with one row at a time: what is finished is kept; a shorter prompt, a smaller max_new_tokens, "
        "or more memory is needed"
    )
    assert isinstance(caught.value.__cause__, RuntimeError)


def test_scoring_does_less_at_once_too(generator, monkeypatch):
    """Options pass through room of their own."""
    module = engine_module()
    generator.loading = Loading(dtype="float32", slots=8)
    requests = [asking(generator, f"Review {number}: a dull film. Sentiment:") for number in range(12)]
    expected = [dict(generator.reference.score([(0, each)]))[0] for each in requests]
    generator.engine.limits = type(generator.engine.limits)(num_slots=8, chunk=1024)
    monkeypatch.setattr(module, "Scratch", small_memory(module.Scratch, most=6))
    made = dict(generator.generate(requests))
    for index, completion in enumerate(expected):
        for one, other in zip(made[index].options, completion.options, strict=True):
            assert one.log_likelihood == pytest.approx(other.log_likelihood, abs=1e-4)


def test_other_failures_are_not_taken_for_memory(generator, monkeypatch):
    """A bug must not look like a small machine."""
    module = engine_module()

    class Broken(module.Slots):  # type: ignore[misc, name-defined]
        def layer(self, *arguments):
            raise RuntimeError("expected scalar type Float but found Half\nat some place")

    monkeypatch.setattr(module, "Slots", Broken)
    with pytest.raises(GenerationError) as caught:
        list(generator.generate(completing(generator)))
    assert str(caught.value) == "the model failed while it computed: expected scalar type Float but found Half"


def test_where_memory_runs_out_what_is_kept_goes_first(generator, monkeypatch, caplog):
    """A later stage then computes transcripts again, with as many rows at once as before."""
    module = engine_module()
    requests = completing(generator)
    keeping = [replace(each, keeps=True) for each in requests]
    expected = dict(generator.generate(keeping))
    assert len(generator.kept) > 0
    base, once = module.Slots, small_memory(module.Slots, most=2)
    monkeypatch.setattr(module, "Slots", lambda *given, **more: (once if generator.kept else base)(*given, **more))  # noqa: PLW0108 - asked anew each time
    with caplog.at_level(logging.WARNING):
        assert dict(generator.generate(keeping)) == expected
    assert [record.getMessage() for record in caplog.records] == [
        "out of memory: what was kept for later requests is let go, and will be computed again"
    ]
    assert not generator.kept
    assert generator.engine.num_at_once == min(8, len(requests))
