"""PK1xx: how a text is written in the file."""

import pytest

QUERY = '"Film: {{ film }}\\nVerdict:"'


def test_an_escape_in_single_quotes_is_told_with_all_that_helps(lint):
    """The place, what would be right, why, and how to keep it."""
    (finding,) = lint((QUERY, "'Film: {{ film }}\\nVerdict:'")).findings
    assert str(finding) == (
        "films.yaml:14:29: PK101 prompt[1].query: \\n is a backslash and an n in single quotes, not a line's end\n"
        "    14 |   - query: 'Film: {{ film }}\\nVerdict:'\n"
        "                                     ^\n"
        '    in double quotes "\\n" is a line\'s end\n'
        "    why: only double quotes make a line's end of \\n; the model reads the two characters, and a stop never comes\n"
        "    to keep it: # lint: allow PK101"
    )


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            '["\\n"]',
            "['\\n']",
            "15:39 PK101 generate.stop[0]: \\n is a backslash and an n in single quotes, not a line's end",
        ),
        ('["\\n"]', "\\n", "15:37 PK101 generate.stop: \\n is a backslash and an n without quotes, not a line's end"),
        ('" ."', "' .\\t'", "16:20 PK101 align[0].strip: \\t is a backslash and a t in single quotes, not a tab"),
        (
            f"query: {QUERY}",
            "query: |-\n      Film: {{ film }}\n      Verdict:\n  - cue: |-\n      \\nSo",
            "18:7 PK101 prompt[2].cue: \\n is a backslash and an n in a block, not a line's end",
        ),
    ],
)
def test_escapes_of_all_kinds_are_seen(says, old, new, said):
    """In stops, in what a step takes off, without quotes and in blocks."""
    assert said in says((old, new))


def test_an_escape_in_a_template_file_is_told_at_its_line(lint, tmp_path):
    """It is written there, and may be allowed there."""
    (tmp_path / "q.jinja").write_text("Film: {{ film }}\nVerdict:\\n", encoding="utf-8")
    found = [each for each in lint((QUERY, "q.jinja")).findings if each.code == "PK101"]
    assert [str(each.problem.position) for each in found] == ["q.jinja:2:9"]
    assert found[0].silence == "{# lint: allow PK101 -#}"


@pytest.mark.parametrize(
    "query",
    [
        "'Use \\nabla, \\times and \\text{it}. Film: {{ film }}'",  # LaTeX
        '\'{{ film | replace("\\n", " ") }}\'',  # Jinja reads it as a line's end
        '"Film \\\\n: {{ film }}"',  # escaped by hand, so it is meant
    ],
)
def test_what_is_meant_is_not_told(lint, query):
    """A false alarm costs more than a miss."""
    assert "PK101" not in [each.code for each in lint((QUERY, query)).findings]


def test_patterns_are_let_alone(says):
    """There, the two characters are a line's end."""
    assert says(('{strip: " ."}', "{regex: '^ ?(\\w+)[.\\n]?'}")) == []
