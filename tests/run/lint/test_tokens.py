"""Rules that count tokens: with a model's own tokenizer, where it is here."""

import pytest

from promptkit.generate.model_files import find_model
from promptkit.generate.prepared import prepare_facts
from tests.run.lint.conftest import CHOOSING, CLEAN


@pytest.fixture
def model(cache, tiny_model):
    """The line that names the tiny model, whose tokenizer was prepared as `plan` and `run` do."""
    prepare_facts(find_model(str(tiny_model)))
    return ('{scripted: {default: ""}}', str(tiny_model))


def test_no_tokenizer_is_made_for_the_linter(lint, cache, tiny_model):
    """That takes transformers, and seconds."""
    linted = lint(('{scripted: {default: ""}}', str(tiny_model)))
    assert {each.code for each in linted.skipped} == {"PK203", "PK204", "PK311"}
    assert not cache.exists()


def test_the_clean_pipelines_are_clean_but_for_their_lengths(lint, model):
    """The tiny tokenizer knows few words, so " good" and " bad" are of different lengths."""
    assert [each.code for each in lint(model, ("max_new_tokens: 8", "max_new_tokens: 9")).findings] == []
    assert lint(model).skipped == ()
    assert [each.code for each in lint(model, text=CHOOSING).findings] == ["PK302"]


def test_lengths_are_told_and_may_be_made_up_for(says, model):
    """Letters are all that this tokenizer has of the words."""
    assert says(model, text=CHOOSING) == ["15:19 PK302 choose.options: 'good' is 5 tokens, 'bad' 4"]
    assert says(model, ("[good, bad]}", "[good, bad], normalize: byte}"), text=CHOOSING) == []


def test_a_limit_below_the_gold_completions_is_told(says, model):
    """They would be cut."""
    (said,) = says(model, ("max_new_tokens: 8", "max_new_tokens: 3"))
    assert (
        said
        == "15:28 PK311 generate.max_new_tokens: 6 of 6 gold completions are longer than 3 tokens, the longest has 6"
    )


def test_tokens_that_merge_at_the_join_are_told(says, model):
    """A blank and a word are one token to most tokenizers."""
    changes = (
        ('Verdict:"\n', 'Sentiment: "\n'),
        ("Verdict: {{", "Sentiment: {{"),
        ("[good, bad]}", '[positive, negative], lead: "", normalize: byte}'),
        ('[{strip: " ."}]', "[{map: {positive: good, negative: bad}}]"),
    )
    (said,) = [each for each in says(model, *changes, text=CHOOSING) if "PK303" in each]
    assert said == (
        "15:47 PK303 choose.lead: the tokens of 'timent: ' and 'positive' merge where they join: "
        "the model never reads the prompt as it ends"
    )


def test_a_token_that_begins_the_text_twice_is_told(says, model):
    """The tokenizer writes it; the file does, too."""
    assert says(model, ("prompt:\n", 'prompt:\n  - instruction: "<s>"\n'), ("tokens: 8", "tokens: 9")) == [
        "13:5 PK203 prompt[0]: the prompt begins with '<s>' twice: the tokenizer writes it already"
    ]


def test_a_chat_that_begins_without_it_is_told(lint, cache, tiny_model, tmp_path):
    """The tokenizer would have written it before plain text; nobody writes it here."""
    import json
    import shutil

    folder = tmp_path / "chatty"
    shutil.copytree(tiny_model, folder)
    for path in folder.glob("chat_template*"):
        path.write_text(path.read_text().replace("{{ bos_token }}", ""))
    settings = folder / "tokenizer_config.json"
    known = json.loads(settings.read_text())
    if "chat_template" in known:
        settings.write_text(
            json.dumps({**known, "chat_template": known["chat_template"].replace("{{ bos_token }}", "")})
        )
    prepare_facts(find_model(str(folder)))
    changes = ('model: {scripted: {default: ""}}', f"chat: true\nmodel: {folder}")
    found = [each for each in lint(changes, text=CLEAN).findings if each.code == "PK203"]
    assert [each.problem.message for each in found] == [
        "the model's texts begin with '<s>', and its chat template does not write it"
    ]
    found = list(lint((changes[0], f"chat: true\nmodel: {tiny_model}"), text=CLEAN).findings)
    assert "PK203" not in [each.code for each in found]


def test_a_chat_model_without_chat_is_a_note(lint, model):
    """Worth a try, and no mistake."""
    (note,) = lint(model).notes
    assert note.code == "PK204"
    assert note.problem.message == f"{model[1]!r} has a chat template, and reads plain text here"
