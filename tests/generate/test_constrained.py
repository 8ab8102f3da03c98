"""What was constrained always parses: any walk that the masks allow, whatever a model would prefer."""

import functools
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from promptkit.align import Answer
from promptkit.generate import Constraint
from promptkit.generate.new_text import NewText
from promptkit.run.constraining import Constraining
from promptkit.run.declaration import PipelineDeclaration

pytestmark = pytest.mark.slow  # llguidance, torch, and many walks

LINES = ["The answer is 12.", "(B) yes, no", '{"name": "Bob", "age": 3}', "<think> so </think>", "  \n\n  a b c"]
EOS = 1
MAX_TOKENS = 60


class Bytes:
    """A byte-level tokenizer with a few merges, made here."""

    chat_template = None

    def __init__(self):
        self.special_tokens = {}
        from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

        self.backend = Tokenizer(models.BPE())
        self.backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
        self.backend.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            vocab_size=330,
            special_tokens=["<s>", "</s>"],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        )
        self.backend.train_from_iterator(LINES, trainer)

    def encode(self, text, *, add_special_tokens=True):
        return tuple(self.backend.encode(text, add_special_tokens=False).ids)

    def decode(self, token_ids):
        return self.backend.decode(list(token_ids), skip_special_tokens=True)


@functools.cache
def guides():
    from promptkit.generate.constrain.guide import Guides

    return Guides(Bytes(), frozenset({EOS}))  # type: ignore[arg-type]


def fixed(constrain):
    return pipeline(constrain, []).generate.constrain.fixed


def pipeline(constrain, align) -> Any:
    return PipelineDeclaration.model_validate({"generate": {"constrain": constrain}, "align": align})


def walk(constraint: Constraint, seed: int):
    """The text of a walk through what is allowed, and whether it came to an end; ends are taken when they may be."""
    draw = random.Random(seed)
    guide = guides().guide("x", constraint)
    text = NewText(guides()._tokenizer, (), ())
    for _ in range(MAX_TOKENS):
        mask = guides().masks([(0, guide, ())]).get(0)
        allowed = [token for token in range(330) if mask is None or mask.allows(token)]
        assert allowed
        token = draw.choice(allowed)
        if mask is not None and mask.end is not None and draw.random() < 0.3:
            token = mask.end
        if token == EOS:
            return text.whole(), True
        text.add(token)
        guide.take(token)
        if guide.is_over:
            return text.whole(), True
    return text.whole(), False


SENTENCE = 'start: "The answer is" answer unit? "."\nanswer: NUM\nunit: /[a-z]+/\nNUM: /-?[0-9]+/\n%ignore " "'
PAIRS = (
    'start: "{" pair ("," pair)* "}"\npair: ESCAPED_STRING ":" NUMBER\n%import common.ESCAPED_STRING\n'
    '%import common.NUMBER\n%ignore " "'
)
PEOPLE = {
    "type": "object",
    "properties": {"name": {"type": "string", "pattern": "^[A-Z][a-z]+$"}, "age": {"type": "integer"}},
    "required": ["name"],
    "additionalProperties": False,
}
CHAINS = [
    ("regex", [{"regex": r"\d+"}, "number"]),
    ("regex", [{"regex": r"^The answer is (?P<answer>[^\n]+)\.$"}]),
    ("regex", [{"regex": {"pattern": r"(\w+)( and \w+)*!?", "take": "last"}}]),
    ("regex", [{"regex": {"pattern": r"(?i)yes|no|maybe (\w)\1?".replace(r"\1", "x"), "take": "all", "group": 0}}]),
    ("regex", ["strip", {"regex": r"[ a-z]+x?"}]),
    ("regex", [{"strip": "*. "}, {"regex": r"[*a. ]+"}]),
    ("regex", [{"first": [[{"regex": r"#### (\d+)"}, "number"], {"regex": "a+"}]}]),
    ("regex", [{"regex": r"[^\W\d_]{2,5}|(?:\p{Lu}\.)+"}]),
    ("grammar", [{"grammar": SENTENCE}, "number"]),
    ("grammar", [{"grammar": {"text": SENTENCE, "anchor": "end"}}]),
    ("grammar", [{"grammar": PAIRS}]),
    ("grammar", [{"grammar": 'start: (WORD " ")+ NUM?\nWORD: /[a-z]+|[a-z]+-[0-9]/\nNUM: "1".."3"'}]),
    (
        "grammar",
        [{"grammar": {"text": 'start: x ("," x)*\nx: answer | "[" x "]"\nanswer: /a|ab/', "anchor": "anywhere"}}],
    ),
    ("regex", [{"regex": {"pattern": ["a+b", "[0-9]+"], "take": "last"}}]),
    ("json", [{"json": {}}]),
    ("json", ["strip", {"json": {"schema": PEOPLE, "pointer": "/name"}}]),
    ("choice", [{"choice": {"options": None, "letters": "ABC"}}]),
]


@pytest.mark.parametrize(("step", "align"), CHAINS, ids=lambda value: str(value)[:60])
@given(seed=st.integers(0, 2**32))
@settings(max_examples=25, deadline=None)
def test_what_was_constrained_always_parses(step, align, seed):
    """The constraint and the chain come from one declaration, and neither is trusted to read it as the other does."""
    declared = pipeline(step, align)
    text, is_whole = walk(Constraining(declared.generate.constrain, declared.align).of({}), seed)
    if is_whole:
        from promptkit.align import Chain

        made = Chain(declared.align).align(text)
        assert isinstance(made, Answer), (text, made)


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {
            "type": "object",
            "properties": {"age": {"type": "integer"}},
            "required": ["age"],
            "additionalProperties": False,
        },
        {"type": "array", "items": {"enum": ["a", "b", 3]}, "minItems": 1, "maxItems": 4},
        {"type": "array", "items": {"type": ["number", "null"]}},
        {"type": "object", "properties": {"a": True}, "$defs": {"b": {}}, "minProperties": 1, "required": ["a"]},
        {"anyOf": [{"type": "number"}, {"type": "array", "prefixItems": [{"const": 1}]}]},
    ],
    ids=str,
)
@given(seed=st.integers(0, 2**32))
@settings(max_examples=20, deadline=None)
def test_a_schema_lets_only_its_documents_through(schema, seed):
    """jsonschema is the judge."""
    import json

    import jsonschema

    text, is_whole = walk(fixed({"json": schema}), seed)
    if is_whole:
        jsonschema.validate(json.loads(text), schema)


@given(seed=st.integers(0, 2**32))
@settings(max_examples=30, deadline=None)
def test_texts_let_only_themselves_through(seed):
    """With a space before them, or without."""
    texts = ["yes", "no, never", 'a/b "c" [d]\\', "é€"]
    text, is_whole = walk(fixed({"choice": texts}), seed)
    assert is_whole
    assert text.removeprefix(" ") in texts


@pytest.mark.parametrize("align", ["choice", {"conclusion": {"read": "choice"}}], ids=str)
@given(seed=st.integers(0, 2**32))
@settings(max_examples=20, deadline=None)
def test_an_option_is_named_as_the_step_reads_it(align, seed):
    """Spellings that the step reads as another option, or as none, are left out."""
    from promptkit.align import Chain

    declared = pipeline("choice", [align])
    fields = {"options": ["I", "7.5", "not A", "the moon"]}
    text, is_whole = walk(Constraining(declared.generate.constrain, declared.align).of(fields), seed)
    assert not is_whole or isinstance(Chain(declared.align).align(text, fields=fields), Answer), text


def test_a_constraint_begins_after_a_text():
    """FIELD 3: thinking is free, and the constraint holds from its end on, however tokens join there."""
    constraint = fixed({"regex": "[0-9]+", "after": "</think>"})
    assert constraint.after == "</think>"
    for written, rest in [("so 12 </think>", ""), ("</think>\n", ""), ("a</think>7", "7")]:
        guide = guides().guide("x", constraint)
        for token in Bytes().encode(written):
            assert bool(guides().masks([(0, guide, ())])) == guide.has_begun
            guide.take(token)
        mask = guides().masks([(0, guide, ())])[0]
        (digit,), (letter,) = (Bytes().encode(each) for each in "3a")
        assert mask.allows(digit)
        assert not mask.allows(letter)
        assert (mask.end is not None) == bool(rest)


def test_a_mask_knows_what_it_allows():
    """Bits, tokens past the vocabulary, and what a greedy row takes without looking at logits."""
    import numpy as np
    import torch

    from promptkit.generate.constrain.mask import Mask

    one = Mask(words=np.array([0, 1 << 31], np.uint32), end=None)
    assert [one.allows(token) for token in (62, 63, 64, 1000)] == [False, True, False, False]
    assert one.taken(5) == 63
    assert Mask(words=np.array([0, 3], np.uint32), end=None).taken(5) is None
    assert Mask(words=np.array([3, 0], np.uint32), end=1).taken(5) == 1
    falling = torch.arange(70.0).flip(0)
    assert one.likeliest(falling) == int(one.applied(falling).argmax()) == 63


@pytest.mark.parametrize(
    ("constrain", "align", "message"),
    [
        ({}, [], "needs one of step, regex, json, choice, grammar"),
        ({"regex": r"\bx"}, [], r"the pattern has `\b`, which a constraint cannot follow"),
        ({"regex": "x(?=y)"}, [], "the pattern has `(?=`, which a constraint cannot follow"),
        ({"regex": "(a)\\1"}, [], r"the pattern has '\1', which a constraint cannot follow"),
        ({"regex": ".*?x"}, [], "the pattern has a lazy quantifier, which a constraint cannot follow"),
        ({"regex": "a("}, [], "the pattern does not compile: missing )"),
        ({"json": {"not": {}}}, [], 'a constraint cannot follow it: Unimplemented keys: ["not"]'),
        ({"choice": ["a", ""]}, [], "`choice` must be texts, none of them empty, not ['a', '']"),
        ("regex", ["number"], "the align chain has no step 'regex' (known: number)"),
        ("grammar", [], "the align chain has no step 'grammar' (there is none at all)"),
        (
            "regex",
            [{"regex": {"pattern": "a", "take": "only"}}],
            "align[0].regex: `take: only` may find several that differ; `first` or `last` takes one",
        ),
        (
            "regex",
            ["lower", {"regex": "a"}],
            (
                "align[1].regex: the step 'lower' before it may change what it reads; `constrain: {regex: ...}` says by "
                "itself what a completion is"
            ),
        ),
        (
            "regex",
            [{"regex": "a(b)?"}],
            (
                "align[0].regex: the pattern has a way past the group 1, or through it without text, which a constraint "
                "cannot follow"
            ),
        ),
        (
            "grammar",
            [{"grammar": 'start: answer? "x"\nanswer: "y"'}],
            "align[0].grammar: the grammar has texts without the rule `answer`, or in which it is empty",
        ),
    ],
)
def test_what_cannot_be_followed_is_refused_with_the_file(constrain, align, message):
    """What the two dialects do not share is no surprise for the day of the run."""
    with pytest.raises(ValidationError) as caught:
        pipeline(constrain, align)
    assert message in caught.value.errors()[0]["msg"]


CONSTRAINTS: list[Any] = [
    {"regex": "The answer is [0-9]{1,6}( apples)?[.]"},
    {"grammar": SENTENCE},
    {
        "json": {
            "type": "object",
            "properties": {"a": {"enum": [1, 2, "x"]}, "b": {"type": "integer"}},
            "required": ["a"],
        }
    },
    {"choice": ["positive", "negative", "positively neutral"]},
    {"regex": "[a-z]+", "after": "e"},
    None,
]


def requests_for(generator, temperature=0.0, num=18):
    from promptkit.generate import Request, Sampling

    prompts = [f"Q: How many apples are there? {'A: ' * (number % 3)}{number}" for number in range(num)]
    return [
        Request(
            label=str(number),
            prompt=prompt,
            token_ids=generator.tokenizer.encode(prompt),
            sampling=Sampling(max_new_tokens=24, temperature=temperature),
            seed=number,
            constraint=declared and fixed(declared),
        )
        for number, prompt in enumerate(prompts)
        for declared in [CONSTRAINTS[number % len(CONSTRAINTS)]]
    ]


@pytest.mark.parametrize("slots", [1, 3, 18])
@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_constrained_rows_are_the_same_whatever_stands_beside_them(tiny_model, cache, slots, temperature):
    """Masks come from a thread, guesses are checked against them, and other rows have none: still one-by-one's tokens."""
    from promptkit.generate import Loading
    from promptkit.generate.engine.engine import Engine
    from promptkit.generate.local_generator import LocalGenerator

    generator = LocalGenerator(str(tiny_model), Loading(dtype="float32", slots=slots))
    requests = requests_for(generator, temperature)
    made = dict(generator.generate(requests))
    assert isinstance(generator.engine, Engine)
    for index, request in enumerate(requests):
        assert made[index] == generator.alone(request), request.constraint
    ended = {made[index].ended for index in made if requests[index].constraint}
    assert "stop" in ended


def test_a_row_ends_where_the_model_would_leave_a_complete_constraint(tiny_model, cache):
    """A model that is done writes something else, which no constraint allows; to go on would be to write nonsense."""
    from promptkit.generate import Loading, Request, Sampling
    from promptkit.generate.local_generator import LocalGenerator

    generator = LocalGenerator(str(tiny_model), Loading(dtype="float32"))
    token_ids = generator.tokenizer.encode("Q: How many")
    constraint = fixed({"regex": "[0-9]+"})
    sampling = Sampling(max_new_tokens=40)
    request = Request(label="x", prompt="", token_ids=token_ids, sampling=sampling, constraint=constraint)
    ((_, made),) = generator.generate([request])
    assert made.ended == "eos"
    assert made.text.strip().isdecimal()


@pytest.mark.parametrize(
    "constrain",
    [
        {"regex": "[^\\n0-9]{0,60}The answer is [0-9]{1,4}\\."},
        {"grammar": SENTENCE.replace("]+", "]{1,6}")},
        {"json": {"type": "object", "properties": {"answer": {"enum": [6, 7, 8]}}, "additionalProperties": False}},
    ],
    ids=str,
)
def test_the_default_model_writes_what_it_must(constrain):
    """In the machine's own dtype, a few rows at once; what does not end in time is cut, and said to be."""
    from promptkit.generate import Loading, Request, Sampling
    from promptkit.generate.local_generator import LocalGenerator

    generator = LocalGenerator("smollm2-135m", Loading())
    constraint = fixed(constrain)
    prompts = [f"Q: Tom has {number} apples and buys 4. How many has he now?\nA:" for number in range(2, 8)]
    requests = [
        Request(
            label=prompt,
            prompt=prompt,
            token_ids=generator.tokenizer.encode(prompt),
            sampling=Sampling(max_new_tokens=80),
            constraint=constraint,
        )
        for prompt in prompts
    ]
    for _, made in generator.generate(requests):
        assert made.ended in ("stop", "eos"), made
        assert made.text.strip()
