"""YAML with positions."""

import pytest

from promptkit.errors import DeclarationError
from promptkit.spec.document import parse
from promptkit.text import Source


def tree(text: str):
    return parse(Source(name="a.yaml", text=text))


def plain(text: str):
    return tree(text)[0].plain()


@pytest.mark.parametrize("word", ["no", "yes", "on", "off", "12:30", "2024-01-31", "0o9", "1_000"])
def test_words_that_yaml_1_1_would_change_stay_text(word):
    """Answers of data sets are such words: StrategyQA's `no` must not become False."""
    assert plain(f"answer: {word}") == {"answer": word}
    assert isinstance(plain(f"answer: {word}")["answer"], str)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("12", 12),
        ("-7", -7),
        ("0x1F", 31),
        ("0o17", 15),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("-.inf", float("-inf")),
        ("'12'", "12"),
    ],
)
def test_scalars_are_those_of_yaml_1_2(text, value):
    """The core schema, section 10.3."""
    found = plain(f"k: {text}")["k"]
    assert found == value
    assert type(found) is type(value) or isinstance(found, str)


def test_every_string_knows_its_place():
    """Errors inside a string, in a template for instance, must point at the string."""
    found = plain("a:\n  - x\n  - b: y\n")
    place = found["a"][1]["b"].position
    assert (place.line, place.column) == (3, 8)


def test_duplicate_keys_are_all_found_and_the_first_value_stays():
    """lm-evaluation-harness shipped 14 files with duplicate keys; YAML's last-wins hid them."""
    node, problems = tree("a: 1\nb: 2\na: 3\nb: 4\n")
    assert node.plain() == {"a": 1, "b": 2}
    assert [str(problem) for problem in problems] == [
        "a.yaml:3:1: the key 'a' stands here twice\n    3 | a: 3\n        ^\n    first at line 1",
        "a.yaml:4:1: the key 'b' stands here twice\n    4 | b: 4\n        ^\n    first at line 2",
    ]


def test_a_tab_is_named_as_such():
    """The commonest way to break YAML, and the least visible."""
    with pytest.raises(DeclarationError) as caught:
        tree("name: x\n\tabout: y\n")
    assert str(caught.value) == (
        "a.yaml:2:1: not YAML: a tab where YAML wants spaces\n    2 |  about: y\n        ^\n    indent with spaces only"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: b: c\n", "a.yaml:1:5: not YAML: a second ': ' on one line"),
        ("a: [1, 2\n", "a.yaml:2:1: not YAML: expected ',' or ']', but got '<stream end>'"),
        ("a: *b\n", "a.yaml:1:4: not YAML: found undefined alias 'b'"),
        ("", "a.yaml:1:1: the file is empty"),
        ("# only a comment\n", "a.yaml:1:1: the file is empty"),
        ("a: \x00\n", "a.yaml: is not text: it holds the character '\\x00'"),
    ],
)
def test_what_is_not_yaml_is_one_message_with_its_place(text, message):
    """No traceback, and no fifteen lines of a parser's insides."""
    with pytest.raises(DeclarationError) as caught:
        tree(text)
    assert str(caught.value).splitlines()[0] == message


def test_an_alias_bomb_is_refused():
    """Ten aliases of ten aliases, eight deep, would be a hundred million values."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 9)]
    with pytest.raises(DeclarationError, match="an alias that contains itself, or too many"):
        tree("\n".join(lines))


def test_an_alias_of_itself_is_refused():
    """A tree that contains itself would never be walked to its end."""
    with pytest.raises(DeclarationError, match="an alias that contains itself"):
        tree("a: &a [*a]")


def test_unknown_tags_are_problems_not_python_objects():
    """`!!python/object` runs code in careless loaders."""
    _, problems = tree("a: !!python/object/apply:os.system ['true']\nb: !x y\n")
    assert [problem.message for problem in problems] == ["the tag '!x' means nothing here"]


def test_deep_nesting_is_a_message():
    """Python's recursion limit is no error message."""
    with pytest.raises(DeclarationError, match="is nested too deeply"):
        tree("[" * 5000 + "]" * 5000)


def test_a_template_without_quotes_is_a_map_of_maps():
    """The braces of Jinja are those of YAML: the commonest slip of the first hour."""
    (problem,) = tree("query: {{ q }}\n")[1]
    assert (problem.message, problem.hint) == ("a key must be text", 'a template stands in quotes: "{{ name }}"')
    assert (problem.position.line, problem.position.column) == (1, 9)


def test_a_pattern_in_double_quotes_is_told_where_patterns_stand():
    """The second commonest."""
    with pytest.raises(DeclarationError) as caught:
        tree('regex: "(\\d+)"\n')
    (problem,) = caught.value.problems
    assert problem.message == "not YAML: found unknown escape character 'd'"
    assert problem.hint == (
        "in double quotes a backslash begins an escape; in single quotes, as patterns stand, it is one"
    )
