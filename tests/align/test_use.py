"""`use`: a chain written once, in a file of its own."""

import pytest

from promptkit.errors import DeclarationError

MINE = """align:
  - regex: 'I say (.*)'
  - choice: {give: text}
"""


@pytest.fixture
def folder(tmp_path):
    """A folder with a chain of one's own."""
    (tmp_path / "templates" / "align").mkdir(parents=True)
    (tmp_path / "templates" / "align" / "mine.yaml").write_text(MINE, encoding="utf-8")
    return tmp_path


def test_a_chain_is_found_beside_the_file_by_its_name(declare, folder):
    """As templates are; the answer says the step inside it."""
    chain = declare("align: [{use: mine}, lower]", folder=folder)
    outcome = chain.align("I say B", fields={"options": ["CAT", "DOG"]})
    assert outcome.value == "dog"
    inner = declare("align: {use: mine}", folder=folder).align("I say B", fields={"options": ["CAT", "DOG"]})
    assert inner.step == "align[0].use[1].choice"
    assert chain.align_target("b", {"options": ["CAT", "DOG"]}) == "dog"


def test_a_path_names_any_file_with_an_align_section(declare, folder):
    """Another pipeline's chain, for instance."""
    (folder / "other.yaml").write_text("name: other\nalign: [{number: last}]\n", encoding="utf-8")
    assert declare("align: {use: other.yaml}", folder=folder).align("3 and 4").value == 4


def test_fields_may_be_given_under_the_names_that_the_chain_knows(declare, folder):
    """The shipped `choice` reads `options`; a data set may call them otherwise."""
    chain = declare("align: {use: {chain: mine, with: {options: '{{ choices }}'}}}", folder=folder)
    assert chain.align("I say B", fields={"choices": ["CAT", "DOG"]}).value == "DOG"


def test_a_name_that_is_not_there_is_told_with_those_that_are(declare, folder):
    """At its place in the file."""
    with pytest.raises(DeclarationError) as caught:
        declare("align:\n  - use: nubmer", folder=folder)
    assert str(caught.value).startswith("pipe.yaml:2:10: align[0].use: there is no chain 'nubmer'\n")


def test_a_mistake_inside_is_told_at_its_place_there(declare, folder):
    """The file that must be mended is the other one."""
    path = folder / "templates" / "align" / "mine.yaml"
    path.write_text("align:\n  - nubmer\n", encoding="utf-8")
    with pytest.raises(DeclarationError) as caught:
        declare("align: {use: mine}", folder=folder)
    assert f"{path}:2:5: " in str(caught.value)
    assert "no step is called 'nubmer'" in str(caught.value)


def test_a_chain_cannot_use_itself(declare, folder):
    """It would never end."""
    path = folder / "templates" / "align" / "mine.yaml"
    path.write_text("align: [{use: mine}]\n", encoding="utf-8")
    with pytest.raises(DeclarationError, match="the chain 'mine' uses itself"):
        declare("align: {use: mine}", folder=folder)


def test_a_file_without_the_section_is_refused(declare, folder):
    """There would be nothing to run."""
    (folder / "other.yaml").write_text("name: other\n", encoding="utf-8")
    with pytest.raises(DeclarationError, match="'align' is missing"):
        declare("align: {use: other.yaml}", folder=folder)
