"""Files are read whole: every mistake at once, each at its place, also across files that extend each other."""

from typing import Annotated, ClassVar

import pytest

from promptkit.errors import DeclarationError
from promptkit.spec import Declaration, Seam, StepDeclaration, Template, compose, read


class Take(StepDeclaration):
    """A step with parameters."""

    kind = "take"
    main: ClassVar[str | None] = "count"
    count: int = 1


class Plain(StepDeclaration):
    """A step without."""

    kind = "plain"


class Swap(StepDeclaration):
    """A step whose short form is a map."""

    kind = "swap"
    main: ClassVar[str | None] = "table"
    main_takes_a_map: ClassVar[bool] = True
    table: dict[str, str]
    otherwise: str = "keep"


STEPS = Seam("steps", "step", lambda: {"take": Take, "plain": Plain, "swap": Swap})


class Inner(Declaration):
    """A section."""

    size: int = 1
    text: str = ""


class File(Declaration):
    """A small language."""

    name: str
    inner: Inner = Inner()
    query: Template | None = None
    steps: tuple[Annotated[StepDeclaration, STEPS], ...] = ()


@pytest.fixture
def write(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def writer(**files):
        for name, text in files.items():
            (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")

    return writer


def load(name, *overrides):
    tree, problems = compose(name, overrides)
    return read(File, tree, problems)


def message(name, *overrides):
    with pytest.raises(DeclarationError) as caught:
        load(name, *overrides)
    return str(caught.value)


def test_steps_are_read_in_their_short_and_long_forms(write):
    """A bare name, a main value, a map of parameters, a map that is the main value."""
    write(a="name: x\nsteps: [plain, take: 3, take: {count: 4}, swap: {a: b}, swap: {table: {a: b}, otherwise: c}]")
    steps = load("a.yaml").steps
    assert steps == (
        Plain(),
        Take(count=3),
        Take(count=4),
        Swap(table={"a": "b"}),
        Swap(table={"a": "b"}, otherwise="c"),
    )


def test_every_mistake_is_reported_in_the_order_of_the_file(write):
    """One error at a time makes a person run the check ten times."""
    write(a="inner: {size: big, txt: a}\nname: x\nname: y\nsteps:\n  - tak: 1\n  - take: {cont: 1}\nquery: '{{ a'\n")
    assert message("a.yaml") == (
        "a.yaml:1:15: inner.size: must be a whole number, not 'big'\n"
        "    1 | inner: {size: big, txt: a}\n"
        "                      ^\n"
        "a.yaml:1:20: inner.txt: unknown key 'txt'\n"
        "    1 | inner: {size: big, txt: a}\n"
        "                           ^\n"
        "    known: size, text   did you mean 'text'?\n"
        "a.yaml:3:1: the key 'name' stands here twice\n"
        "    3 | name: y\n"
        "        ^\n"
        "    first at line 2\n"
        "a.yaml:5:5: steps[0]: no step is called 'tak'\n"
        "    5 |   - tak: 1\n"
        "            ^\n"
        "    known: plain, swap, take   did you mean 'take'?\n"
        "a.yaml:6:12: steps[1].take.cont: unknown key 'cont'\n"
        "    6 |   - take: {cont: 1}\n"
        "                   ^\n"
        "    known: count   did you mean 'count'?\n"
        "a.yaml:7:8: query: template: unexpected end of template, expected 'end of print statement'\n"
        "    7 | query: '{{ a'\n"
        "               ^"
    )


def test_maps_are_merged_key_by_key_and_all_else_replaces(write):
    """`extends` changes one value of a section and keeps the others."""
    write(
        base="name: base\ninner: {size: 3, text: a}\nsteps: [plain]\n",
        a="extends: base.yaml\nname: a\ninner: {size: 5}\nsteps: [take]\n",
    )
    assert load("a.yaml") == File(name="a", inner=Inner(size=5, text="a"), steps=(Take(),))


def test_a_chain_of_bases_and_several_bases(write):
    """The file itself is uppermost, the base named last undermost."""
    write(
        low="name: low\ninner: {size: 1, text: low}\n",
        mid="extends: low.yaml\ninner: {size: 2}\n",
        side="name: side\ninner: {text: side}\n",
        a="extends: [side.yaml, mid.yaml]\n",
    )
    assert load("a.yaml") == File(name="side", inner=Inner(size=2, text="side"))


def test_a_section_that_is_null_takes_back_what_other_files_say(write):
    """What is left is what nobody says."""
    write(
        base="name: base\ninner: {size: 3}\nsteps: [plain]\n",
        mid="extends: base.yaml\nsteps: null\n",
        a="extends: mid.yaml\nname: a\ninner:\n",
    )
    assert load("mid.yaml") == File(name="base", inner=Inner(size=3))
    assert load("a.yaml") == File(name="a")


def test_a_mistake_in_a_base_points_into_the_base(write):
    """The line of the file that extends would be useless."""
    write(base="name: base\ninner:\n  sise: 3\n", a="extends: base.yaml\nname: a\n")
    assert message("a.yaml").startswith("base.yaml:3:3: inner.sise: unknown key 'sise'\n    3 |   sise: 3\n")


def test_a_file_cannot_extend_itself(write):
    """Not by itself, and not by way of another."""
    write(a="extends: b.yaml\nname: a\n", b="extends: a.yaml\n")
    assert message("a.yaml").startswith("b.yaml:1:10: extends: 'a.yaml' extends itself")


def test_a_missing_base_is_named_where_it_is_named(write):
    """With the path that was looked for."""
    write(a="extends: c.yaml\nname: a\n")
    assert message("a.yaml").startswith("a.yaml:1:10: extends: there is no file 'c.yaml'")


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("inner.size=7", File(name="x", inner=Inner(size=7), steps=(Plain(), Take(count=2)))),
        ("steps[1].take.count=9", File(name="x", steps=(Plain(), Take(count=9)))),
        ("steps.take.count=9", File(name="x", steps=(Plain(), Take(count=9)))),
        ("steps.0=take", File(name="x", steps=(Take(), Take(count=2)))),
        ("name='5'", File(name="5", steps=(Plain(), Take(count=2)))),
        ("steps=[plain]", File(name="x", steps=(Plain(),))),
        ("inner.text=", None),
    ],
)
def test_overrides_change_one_value(write, override, expected):
    """By keys and numbers, or by a step's name where one step has it."""
    write(a="name: x\nsteps:\n  - plain\n  - take: {count: 2}\n")
    if expected is None:
        assert "inner.text: must be text, not None" in message("a.yaml", override)
    else:
        assert load("a.yaml", override) == expected


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("steps", "--set wants path=value, not 'steps'"),
        ("steps[7].count=1", "--set steps[7].count: there is no item 7\n    the list has 2, counted from 0"),
        ("steps.tak.count=1", "nothing in this list is called 'tak'\n    known: plain, take   did you mean 'take'?"),
        ("name.x=1", "--set name.x: cannot go into 'x': there is no map"),
        ("inner.sise=1", "--set inner.sise=1:1:1: inner.sise: unknown key 'sise'"),
        ("inner.size=[", "not YAML"),
    ],
)
def test_overrides_that_lead_nowhere_say_so(write, override, expected):
    """A silent miss would run the wrong variant."""
    write(a="name: x\nsteps:\n  - plain\n  - take: {count: 2}\n")
    assert expected in message("a.yaml", override)


@pytest.mark.parametrize(
    ("steps", "hint"),
    [
        ("plain", "a list of one item is [plain]"),
        ("{take: 3}", "each item of a list stands behind a dash: - take: ..."),
    ],
)
def test_one_item_in_the_place_of_a_list_is_told_how_lists_are_written(write, steps, hint):
    """`score: exact_match`, and a prompt of one step without its dash."""
    write(a=f"name: a\nsteps: {steps}\n")
    assert message("a.yaml").splitlines()[-1] == f"    {hint}"
