"""Chats as several families of models write them: folding, continuing, few-shot turns, BOS, what templates are told."""

import pytest
from pydantic import ValidationError

from promptkit.errors import TemplateError
from promptkit.generate import Think
from promptkit.prompt import Chat, ChatFormat, Piece
from tests.prompt.templates import DEEPSEEK, GEMMA, LLAMA, MISTRAL, QWEN

BOS = {"bos_token": "<s>"}


def pieces(*pairs):
    return [Piece(text=text, kind=f"k{place}", role=role) for place, (role, text) in enumerate(pairs)]


FEW_SHOT = pieces(
    ("system", "Be brief."), ("user", " 1 + 1?"), ("assistant", "2\n"), ("user", "2 + 2?"), ("assistant", "It is ")
)


def written(template, given=FEW_SHOT, **chat):
    prompt = ChatFormat(template, BOS, model="m", chat=Chat(**chat)).prompt(given)
    assert "".join(prompt.text[each.span.start : each.span.end] for each in prompt.segments) == prompt.text
    return prompt


def shown(prompt):
    return [(each.piece.kind, prompt.text[each.span.start : each.span.end]) for each in prompt.segments]


def test_llama_trims_and_writes_bos_once():
    """FIELD 5 and 13: the few-shot turns are turns, the last is left open and not trimmed."""
    prompt = written(LLAMA)
    assert prompt.text == (
        "<s><|start_header_id|>system<|end_header_id|>\n\nToday: 26 Jul 2024\n\nBe brief.<|eot_id|>"
        "<|start_header_id|>user<|end_header_id|>\n\n1 + 1?<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\n2<|eot_id|>"
        "<|start_header_id|>user<|end_header_id|>\n\n2 + 2?<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\nIt is "
    )
    assert ("k2", "2") in shown(prompt)
    assert "Today: 1 May 2025\n" in written(LLAMA, variables={"date_string": "1 May 2025"}).text


def test_gemma_gets_the_system_in_the_first_users_turn_where_that_is_declared():
    """lm-eval#2069. The separator is what the file says, and what `show` shows."""
    prompt = written(GEMMA, system="fold")
    assert prompt.text == (
        "<s><start_of_turn>user\nBe brief.\n\n 1 + 1?<end_of_turn>\n<start_of_turn>model\n2<end_of_turn>\n"
        "<start_of_turn>user\n2 + 2?<end_of_turn>\n<start_of_turn>model\nIt is "
    )
    assert shown(prompt)[1:4] == [("k0", "Be brief."), ("separator", "\n\n"), ("k1", " 1 + 1?")]
    assert "user\nBe brief. 1 + 1?<" in written(GEMMA, system="fold", separator="").text


def test_a_refusal_names_the_fold_only_where_it_would_help():
    """Turns that do not alternate are not mended by it."""
    with pytest.raises(TemplateError) as caught:
        written(GEMMA)
    assert str(caught.value) == (
        "chat: the chat template of 'm' refuses these turns: System role not supported\n"
        "    turns: system, user, assistant, user\n"
        "    `chat: {system: fold}` puts the system's text at the beginning of the user's turn"
    )
    with pytest.raises(TemplateError) as caught:
        written(GEMMA, pieces(("assistant", "b"), ("system", "a"), ("user", "c")))
    assert "fold" not in str(caught.value)


def test_a_template_that_loses_the_system_is_told_of():
    """Silence would be worse than a refusal: the instruction would be gone, and the score lower."""
    with pytest.raises(TemplateError) as caught:
        written(MISTRAL)
    assert str(caught.value) == (
        "chat: the chat template of 'm' leaves out turn 1, the system's\n"
        "    turns: system, user, assistant, user, assistant\n"
        "    `chat: {system: fold}` puts the system's text at the beginning of the user's turn"
    )
    prompt = written(MISTRAL, system="fold")
    assert prompt.text == "<s>[INST] Be brief.\n\n 1 + 1? [/INST] 2</s>[INST] 2 + 2? [/INST]It is "
    assert ("k2", "2") in shown(prompt)


def test_qwen_leaves_thinking_out_of_earlier_turns():
    """Demonstrations may hold it; what the template shows of them is what `show` shows."""
    given = pieces(("user", "1 + 1?"), ("assistant", "<think>\nso\n</think>\n\n2"), ("user", "2 + 2?"))
    prompt = written(QWEN, given)
    assert ("k1", "2") in shown(prompt)
    assert prompt.text.endswith("<|im_end|>\n<|im_start|>assistant\n")
    assert "so" not in prompt.text


def test_a_template_is_told_not_to_think():
    """`enable_thinking` is Qwen's own word; then it has opened and closed the thinking itself."""
    think = Think()
    off = written(QWEN, variables={"enable_thinking": False})
    assert off.opening == "<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\nIt is "
    assert not think.is_open_in(off.opening)
    assert not think.is_open_in(written(QWEN).opening)
    assert think.is_open_in(written(DEEPSEEK).opening)


def test_thinking_is_opened_by_the_assistants_turn_alone():
    """An instruction that speaks of the tag has not opened it."""
    prompt = written(QWEN, pieces(("user", "Begin with <think>.")))
    assert not Think().is_open_in(prompt.opening)
    begun = written(QWEN, pieces(("user", "2 + 2?"), ("assistant", "<think>\nWell,")))
    assert Think().is_open_in(begun.opening)


def test_what_promptkit_tells_a_template_cannot_be_told_by_a_file():
    """The turns are the file's `prompt:`."""
    with pytest.raises(ValidationError, match="'messages' is what promptkit itself tells a chat template"):
        Chat.model_validate({"variables": {"messages": []}})


def test_chat_is_written_short_or_long():
    """`true` and `false` are what they were."""
    assert [bool(Chat.model_validate(each)) for each in (True, False, {}, {"system": "fold"})] == [
        True,
        False,
        True,
        True,
    ]
    with pytest.raises(ValidationError):
        Chat.model_validate("yes")
