"""Chats: the model's own template writes them, and every piece is found again in what it wrote."""

import pytest

from promptkit.errors import TemplateError
from promptkit.prompt import ChatFormat, Message, Piece
from promptkit.text import Span

CHATML = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
TRIMMING = CHATML.replace("m['content']", "m['content'] | trim")
NO_SYSTEM = (
    "{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}" + CHATML
)
SHOUTING = CHATML.replace("m['content']", "m['content'] | upper")


def pieces(*pairs):
    return [Piece(text=text, kind=f"k{place}", role=role) for place, (role, text) in enumerate(pairs)]


CONVERSATION = pieces(
    ("system", "Be "),
    ("system", "brief."),
    ("user", "  a"),
    ("user", "b\n"),
    ("assistant", "a"),
    ("user", "user"),
    ("assistant", "Sure: "),
)


def shown(prompt):
    return [(segment.piece.kind, prompt.text[segment.span.start : segment.span.end]) for segment in prompt.segments]


def test_neighbours_of_one_role_are_one_turn_byte_for_byte():
    """Nothing is put between an instruction and a query that the file does not put there."""
    prompt = ChatFormat(CHATML, {}, model="m").prompt(CONVERSATION)
    assert prompt.messages == (
        Message(role="system", content="Be brief."),
        Message(role="user", content="  ab\n"),
        Message(role="assistant", content="a"),
        Message(role="user", content="user"),
        Message(role="assistant", content="Sure: "),
    )


def test_a_last_turn_of_the_assistant_is_left_open():
    """The model continues it: its end mark must not stand there."""
    text = ChatFormat(CHATML, {}, model="m").prompt(CONVERSATION).text
    assert text.endswith("<|im_start|>user\nuser<|im_end|>\n<|im_start|>assistant\nSure: ")


@pytest.mark.parametrize("template", [CHATML, TRIMMING, SHOUTING])
def test_the_segments_cover_the_text_without_gap_or_overlap(template):
    """What `show` prints piece by piece must be what the model gets."""
    prompt = ChatFormat(template, {}, model="m").prompt(CONVERSATION)
    assert "".join(text for _, text in shown(prompt)) == prompt.text
    ends = [0, *(segment.span.end for segment in prompt.segments)]
    assert [segment.span.start for segment in prompt.segments] == ends[:-1]


def test_pieces_are_found_where_the_template_put_them():
    """Even where a piece's text ("a", "user") stands in the template's own text as well."""
    prompt = ChatFormat(CHATML, {}, model="m").prompt(CONVERSATION)
    assert [pair for pair in shown(prompt) if pair[0] != "chat template"] == [
        ("k0", "Be "),
        ("k1", "brief."),
        ("k2", "  a"),
        ("k3", "b\n"),
        ("k4", "a"),
        ("k5", "user"),
        ("k6", "Sure: "),
    ]
    start = prompt.text.index("assistant\na<") + len("assistant\n")
    (answer,) = [segment for segment in prompt.segments if segment.piece.kind == "k4"]
    assert answer.span == Span(start=start, end=start + 1)


def test_what_a_template_trims_is_trimmed_from_the_segments():
    """Llama 3's template trims every turn; then the prompt has no white space that `show` could claim."""
    prompt = ChatFormat(TRIMMING, {}, model="m").prompt(CONVERSATION)
    assert ("k2", "a") in shown(prompt)
    assert ("k3", "b") in shown(prompt)
    assert ("k6", "Sure: ") in shown(prompt)


def test_a_template_that_rewrites_its_turns_is_one_segment():
    """Better no claim than a wrong one."""
    prompt = ChatFormat(SHOUTING, {}, model="m").prompt(CONVERSATION)
    assert [kind for kind, _ in shown(prompt)] == ["chat template"]


def test_a_refusal_of_the_template_is_one_message():
    """Gemma's template has no system role (lm-eval#2069); the reason is in the template's own words."""
    with pytest.raises(TemplateError) as caught:
        ChatFormat(NO_SYSTEM, {}, model="gemma").prompt(CONVERSATION)
    assert str(caught.value) == (
        "chat: the chat template of 'gemma' refuses these turns: System role not supported\n"
        "    turns: system, user, assistant, user\n"
        "    `chat: {system: fold}` puts the system's text at the beginning of the user's turn"
    )


def test_a_template_cannot_reach_out():
    """A model's template is code from elsewhere."""
    with pytest.raises(TemplateError):
        ChatFormat("{{ messages.__class__.__mro__ }}", {}, model="m").prompt(CONVERSATION)


@pytest.mark.slow
def test_the_text_is_what_transformers_writes(tiny_model):
    """Our sandbox and transformers' must write the same, special tokens included."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    special = {name: str(token) for name, token in tokenizer.special_tokens_map.items()}
    templates = [
        tokenizer.chat_template,
        CHATML,
        TRIMMING,
        "{{ messages | tojson }}{% generation %}x{% endgeneration %}",
    ]
    messages = [Message(role="system", content="Be <brief>."), Message(role="user", content=" hé\n")]
    turns = [{"role": message.role, "content": message.content} for message in messages]
    for template in templates:
        expected = tokenizer.apply_chat_template(
            turns, chat_template=template, tokenize=False, add_generation_prompt=True
        )
        assert ChatFormat(template, special, model="m").render(messages) == expected
