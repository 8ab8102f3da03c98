"""What the pages say is so."""

import importlib.util
import json
import re
from pathlib import Path

import pytest

from promptkit.errors import DeclarationError
from promptkit.run import check_examples, load

ROOT = Path(__file__).resolve().parent.parent


def blocks(page, language):
    """The fenced blocks of a page that are in `language`."""
    parts = re.split(r"^```(\w*)\n", (ROOT / page).read_text(encoding="utf-8"), flags=re.MULTILINE)
    fences = list(zip(parts[1::2], parts[2::2], strict=True))  # opening, closing, opening, ...
    return [text for name, text in fences[::2] if name == language]


@pytest.fixture(scope="module")
def maker():
    """docs/make_reference.py, which is a program and no package."""
    spec = importlib.util.spec_from_file_location("make_reference", ROOT / "docs" / "make_reference.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_reference_is_what_the_declarations_say(maker):
    """`make docs` writes it; a changed field without it is a stale page."""
    assert (ROOT / "docs" / "reference.md").read_text(encoding="utf-8") == maker.reference()


def test_the_linters_page_is_what_the_rules_say(maker):
    """Each code with why and how to mend."""
    assert (ROOT / "docs" / "lint.md").read_text(encoding="utf-8") == maker.lint_page()


def test_the_schema_on_disk_is_the_schema():
    """Editors read the file."""
    from promptkit.run.schema import json_schema

    assert json.loads((ROOT / "docs" / "pipeline.schema.json").read_text(encoding="utf-8")) == json_schema()


def test_the_readmes_pipeline_is_a_pipeline(tmp_path):
    """People copy it."""
    (tmp_path / "p.yaml").write_text(blocks("README.md", "yaml")[0], encoding="utf-8")
    assert check_examples(load(tmp_path / "p.yaml")) == []


def test_the_readmes_error_is_what_promptkit_says(tmp_path, monkeypatch):
    """The line, the caret and the nearest name are a promise."""
    (shown,) = [block for block in blocks("README.md", "") if "regx" in block]
    monkeypatch.chdir(tmp_path)
    Path("my.yaml").write_text("\n" * 12 + "align:\n  - regx: {pattern: '(\\d+)'}\n", encoding="utf-8")
    with pytest.raises(DeclarationError) as caught:
        load("my.yaml")
    assert str(caught.value) == shown.rstrip("\n")


@pytest.mark.parametrize(
    "page",
    [
        "README.md",
        "ARCHITECTURE.md",
        "docs/alignment.md",
        "docs/in-context-learning.md",
        "docs/language.md",
        "docs/lint.md",
        "docs/plugins.md",
    ],
)
def test_links_lead_somewhere(page):
    """A page that is moved leaves dead links behind."""
    text = (ROOT / page).read_text(encoding="utf-8")
    targets = re.findall(r"\]\((?!https?:)([^)#]+)\)", text)
    assert not [target for target in targets if not ((ROOT / page).parent / target).exists()]
