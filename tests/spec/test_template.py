"""Templates: exact, strict, and unable to reach out."""

import pytest

from promptkit.errors import TemplateError
from promptkit.spec import Template
from promptkit.spec.document import parse
from promptkit.text import Source


@pytest.mark.parametrize("text", ["  a \n", "a\n\n", "\n", "\ta\t", "{% if true %}\n x{% endif %}\n", "a{{ '' }}\n"])
def test_white_space_is_kept_to_the_byte(text):
    """Some tools strip a template's last newline, others collapse its indent; scores move with it."""
    expected = text.replace("{% if true %}", "").replace("{% endif %}", "").replace("{{ '' }}", "")
    assert Template(text).render({}) == expected


def test_braces_in_the_data_are_data():
    """promptfoo#92: a row that holds `{{ }}` broke the template."""
    assert Template("{{ q }}").render({"q": "{{ 7 * 7 }} {% raw %}"}) == "{{ 7 * 7 }} {% raw %}"


def test_a_single_expression_keeps_its_value():
    """`options: "{{ options }}"` must give a list, not the text of one."""
    assert Template("{{ options }}").value({"options": [1, "b"]}) == [1, "b"]
    assert Template(" {{ options }}").value({"options": [1, "b"]}) == " [1, 'b']"
    assert Template("{{ a }}{{ b }}").value({"a": 1, "b": 2}) == "12"
    assert Template("{{- n + 1 -}}").value({"n": 1}) == 2


def test_an_undefined_name_is_an_error_with_the_nearest_known():
    """An empty string in its place would be a wrong prompt that nobody sees."""
    with pytest.raises(TemplateError) as caught:
        Template("{{ qestion }}").render({"question": "?", "answer": 1})
    assert str(caught.value) == (
        "template: undefined name 'qestion'\n    known: answer, question   did you mean 'question'?"
    )


def test_an_undefined_value_of_one_expression_is_an_error_too():
    """A native value must not be Jinja's own undefined object."""
    with pytest.raises(TemplateError, match="undefined name 'x'"):
        Template("{{ x }}").value({})


@pytest.mark.parametrize(
    "text",
    [
        "{{ ''.__class__ }}",
        "{{ ''['__class__'] }}",
        "{{ x.__init__.__globals__ }}",
        "{{ ''|attr('__class__') }}",
        "{{ [].append(1) }}",
        "{{ x.update({'a': 1}) }}",
        "{{ 'a'.format.__self__ }}",
        "{% include '/etc/hostname' %}",
        "{% include '../secret.jinja' %}",
    ],
)
def test_the_sandbox_holds(text):
    """litellm#2949: code ran through a template that no sandbox held."""
    with pytest.raises(TemplateError):
        Template(text).render({"x": {}})


def test_a_mistake_in_a_block_points_at_its_own_line():
    """A prompt of thirty lines with an error "at line 3 of <template>" sends people counting."""
    node, _ = parse(Source(name="a.yaml", text="q: |\n  one\n  {{ two }\n"))
    with pytest.raises(TemplateError) as caught:
        Template(node.plain()["q"])
    assert str(caught.value) == "a.yaml:3:1: template: unexpected '}'\n    3 |   {{ two }\n        ^"


def test_an_undefined_name_in_a_block_points_at_its_own_line():
    """The same, for what is only found while rendering."""
    node, _ = parse(Source(name="a.yaml", text="q: |\n  one\n  two\n  {{ three }}\n"))
    with pytest.raises(TemplateError, match=r"^a\.yaml:4:1: template: undefined name 'three'"):
        Template(node.plain()["q"]).render({})


def test_template_files_are_found_beside_above_and_shipped_in_that_order(tmp_path):
    """`pipelines/` and `templates/` are neighbours; a user's template comes before a shipped one of its name."""
    folder = tmp_path / "pipelines"
    (tmp_path / "templates").mkdir()
    folder.mkdir()
    (tmp_path / "templates" / "qa.jinja").write_text("above {{ q }}\n")
    assert Template("templates/qa.jinja", folder=folder).render({"q": 1}) == "above 1\n"
    (folder / "templates").mkdir()
    (folder / "templates" / "qa.jinja").write_text("beside {{ q }}\n")
    assert Template("templates/qa.jinja", folder=folder).render({"q": 1}) == "beside 1\n"
    (folder / "a.jinja").write_text("[{% include 'templates/qa.jinja' %}]")
    assert Template("a.jinja", folder=folder).render({"q": 1}) == "[beside 1\n]"


def test_the_same_text_gives_the_same_prompt_from_a_file_and_from_a_string(tmp_path):
    """outlines trims the one and not the other."""
    text = "\n Q: {{ q }}\n\n"
    (tmp_path / "t.jinja").write_text(text)
    assert Template("t.jinja", folder=tmp_path).render({"q": 1}) == Template(text).render({"q": 1}) == "\n Q: 1\n\n"


def test_a_missing_template_file_says_where_it_was_looked_for(tmp_path):
    """A name alone leaves people guessing at search paths."""
    with pytest.raises(TemplateError) as caught:
        Template("nowhere.jinja", folder=tmp_path)
    assert str(caught.value).startswith(
        f"there is no template 'nowhere.jinja'\n    looked in: {tmp_path}, {tmp_path.parent}, "
    )


def test_a_mistake_in_a_template_file_points_into_that_file(tmp_path):
    """The YAML line only names the file."""
    (tmp_path / "t.jinja").write_text("fine\n{% if %}\n")
    with pytest.raises(TemplateError, match=r"^t\.jinja:2:1: template: "):
        Template("t.jinja", folder=tmp_path)


def test_the_end_of_file_comment_eats_the_last_newline():
    """Editors end files with a newline; a prompt often must not."""
    assert Template("A:{# -#}\n").render({}) == "A:"


def test_json_is_not_escaped_for_html():
    """Jinja's own tojson turns < into \\u003c, which no data set writes."""
    assert Template("{{ x | tojson }}").render({"x": {"a": "<é>"}}) == '{"a": "<é>"}'


def test_json_in_a_cell_is_a_value():
    """A CSV file holds texts alone: the options of a question are a list there all the same."""
    assert Template("{{ options | fromjson }}").value({"options": '["a", "b"]'}) == ["a", "b"]
    with pytest.raises(TemplateError) as caught:
        Template("{{ options | fromjson }}").value({"options": "a, b"})
    assert str(caught.value) == "template: fromjson: 'a, b' is not JSON"


@pytest.mark.parametrize(
    ("text", "opening"),
    [
        ("Q: {{ question }}", "Q:"),
        ("\n\nPassage:\n{{ text }}", "Passage:"),
        ("{{ question }}", ""),
        ("Say yes.", "Say yes."),
    ],
)
def test_the_opening_is_what_stands_before_any_field(text, opening):
    """A model that writes it begins the prompt's own format again."""
    assert Template(text).opening == opening
