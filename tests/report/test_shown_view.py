"""What was shown, in a few lines below the prompt."""

from promptkit.prompt import LeftOut, Relabelled, Shown
from promptkit.report.shown_view import shown_view


def test_nothing_is_said_where_there_is_nothing_to_say():
    """Most prompts hold what was chosen: the headings name it."""
    assert shown_view(Shown(ids=("a", "b"))).plain == ""


def test_a_line_each():
    """Ids are data: what would move the cursor is made visible."""
    shown = Shown(
        ids=tuple("abcdefgh"),
        left_out=(LeftOut(id="x\r", why="overlap 0.83"), LeftOut(id="y", why="itself")),
        dropped=("z",),
        relabelled=(Relabelled(id="a", label="yes", shown="no"),),
    )
    assert shown_view(shown, with_ids=True).plain == (
        "demonstrations 8  a, b, c, d, e, f, and 2 more\n"
        "left out  x␍ (overlap 0.83), y (itself)\n"
        "dropped 1, to fit  z\n"
        "relabelled 1  a ('yes' as 'no')\n"
    )
