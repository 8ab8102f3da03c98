"""A matrix becomes cells, each a whole pipeline; what is wrong in any is told at the value that made it, at once."""

import pytest

from promptkit.errors import DeclarationError, RunError
from promptkit.run import load, load_cell, load_sweep
from tests.run.sums import SUMS

SHOTS = SUMS.replace(
    "prompt:\n",
    "  train:\n    rows: [{id: x, question: 5 + 5, answer: '10'}, {id: y, question: 6 + 6, answer: '12'}]\n"
    "prompt:\n"
    '  - demonstrations: {from: train, take: 1, select: random, template: "Q: {{ question }}? {{ answer }}\\n"}\n',
)


@pytest.fixture
def sweep(write):
    """A function that reads a file with this matrix."""

    def sweep(matrix, *overrides, text=SHOTS):
        found = load_sweep(write(f"{text}matrix:\n{matrix}", "p.yaml"), overrides=overrides)
        assert found is not None
        return found

    return sweep


@pytest.fixture
def message(sweep, tmp_path, monkeypatch):
    """A function that gives what is said of a wrong matrix."""
    monkeypatch.chdir(tmp_path)

    def message(matrix, *overrides, text=SHOTS):
        with pytest.raises(DeclarationError) as caught:
            sweep(matrix, *overrides, text=text)
        return str(caught.value).replace(str(tmp_path / "p.yaml"), "p.yaml")

    return message


def settings(found):
    return [tuple(cell.settings.values()) for cell in found.cells]


def test_each_choice_of_values_is_a_cell(sweep):
    """In the order of the file, the last path changing fastest; a cell is what --set makes."""
    found = sweep("  prompt.demonstrations.take: [0, 2]\n  prompt.demonstrations.seed: [0, 1]\n")
    assert settings(found) == [(0, 0), (0, 1), (2, 0), (2, 1)]
    assert [cell.number for cell in found.cells] == [0, 1, 2, 3]
    assert [cell.pipeline.declaration.prompt[0].take for cell in found.cells] == [0, 0, 2, 2]


def test_a_cell_is_the_pipeline_that_set_makes(sweep, write):
    """So its completions are those of a run by hand, and kept under the same keys."""
    found = sweep("  prompt.demonstrations.take: [0, 2]\n")
    by_hand = load(write(SHOTS, "q.yaml"), overrides=["prompt.demonstrations.take=2"])
    assert found.cells[1].pipeline.plain == by_hand.plain
    assert found.cells[1].pipeline.declaration == by_hand.declaration


def test_whole_parts_of_the_file_are_values(sweep):
    """Templates, models, maps and lists; what is whole is laid before what goes into it, however they are written."""
    found = sweep(
        "  prompt.demonstrations.seed: [0, 7]\n"
        "  prompt.demonstrations: [{from: train, take: 1, template: 'A {{ answer }}'}, "
        "{from: train, take: 2, template: 'B {{ answer }}'}]\n"
    )
    steps = [cell.pipeline.declaration.prompt[0] for cell in found.cells]
    assert [(step.seed, step.take, step.template.text[0]) for step in steps] == [
        (0, 1, "A"), (0, 2, "B"), (7, 1, "A"), (7, 2, "B"),
    ]  # fmt: skip


def test_excluded_cells_are_left_out(sweep):
    """Those that have all the values of an item."""
    found = sweep(
        "  prompt.demonstrations.take: [0, 1, 2]\n  prompt.demonstrations.seed: [0, 1]\n"
        "  exclude: [{prompt.demonstrations.take: 0, prompt.demonstrations.seed: 1}, {prompt.demonstrations.take: 2}]\n"
    )
    assert settings(found) == [(0, 0), (1, 0), (1, 1)]


def test_equal_cells_are_one(sweep):
    """Written twice, or the same once they are put together."""
    assert settings(sweep("  prompt.demonstrations.take: [1, 2, 1]\n")) == [(1,), (2,)]


def test_a_sample_is_drawn_by_the_seed_alone(sweep):
    """The same cells on any machine, in the order of the matrix; another seed draws others."""
    axes = "  prompt.demonstrations.take: [0, 1, 2]\n  prompt.demonstrations.seed: [0, 1, 2, 3]\n"
    drawn = settings(sweep(f"{axes}  sample: 5\n"))
    assert drawn == [(0, 2), (1, 0), (1, 3), (2, 0), (2, 2)]
    assert settings(sweep(f"{axes}  sample: 5\n  seed: 1\n")) != drawn
    assert len(sweep(f"{axes}  sample: 50\n").cells) == 12
    more = settings(sweep(f"{axes}  sample: 6\n"))
    assert set(drawn) < set(more), "a larger sample holds the smaller one"


def test_set_goes_below_the_matrix_and_into_it(sweep):
    """A value that the matrix varies is the matrix's; the matrix itself may be changed, too."""
    axes = "  prompt.demonstrations.take: [0, 2]\n"
    below = sweep(axes, "prompt.demonstrations.take=1", "prompt.demonstrations.seed=9")
    assert [(cell.pipeline.declaration.prompt[0].take, cell.pipeline.declaration.prompt[0].seed) for cell in below.cells] == [
        (0, 9), (2, 9),
    ]  # fmt: skip
    assert settings(sweep(axes, "matrix.prompt.demonstrations.take=[1]")) == [(1,)]
    assert settings(sweep(axes, "matrix.prompt.demonstrations.seed=[4, 5]", "matrix.sample=1")) in (
        [(0, 4)],
        [(0, 5)],
        [(2, 4)],
        [(2, 5)],
    )
    assert load_sweep("sentiment-shots", overrides=["matrix="]) is None


def test_a_base_may_have_the_matrix(write):
    """A file that extends a sweep changes one list of it."""
    write(f"{SHOTS}matrix: {{prompt.demonstrations.take: [0, 1], prompt.demonstrations.seed: [0, 1]}}\n", "base.yaml")
    found = load_sweep(write("extends: base.yaml\nmatrix: {prompt.demonstrations.take: [2]}\n", "p.yaml"))
    assert found is not None
    assert settings(found) == [(2, 0), (2, 1)]


def test_load_leaves_the_matrix_aside_and_says_so(write, caplog):
    """`show` and `extract` want one pipeline."""
    path = write(f"{SHOTS}matrix: {{prompt.demonstrations.take: [0, 2]}}\n", "p.yaml")
    with caplog.at_level("INFO", logger="promptkit"):
        assert load(path).plain["prompt"][0]["demonstrations"]["take"] == 1
    assert caplog.messages == [f"{path}: its matrix is left aside: this is the file without it"]
    assert load_cell(path, 1).plain["prompt"][0]["demonstrations"]["take"] == 2


def test_a_cell_that_is_not_there_is_one_error(write):
    """With how many there are."""
    path = write(f"{SHOTS}matrix: {{prompt.demonstrations.take: [0, 2]}}\n", "p.yaml")
    with pytest.raises(RunError, match=r"p\.yaml: there is no cell 2: it has 2, counted from 0$"):
        load_cell(path, 2)
    with pytest.raises(RunError, match=r"there is no cell 0: the file has no `matrix`$"):
        load_cell(write(), 0)


def test_every_cells_mistakes_are_told_at_their_values_each_once(message):
    """A key that leads nowhere stands at its path, a wrong value at itself; four cells are no four errors."""
    assert message("  prompt.demonstrations.take: [0, many, -1]\n  prompt.demonstrations.sed: [0, 1]\n") == (
        "p.yaml:26:35: prompt[0].demonstrations.take: must be a whole number, not 'many'\n"
        "    26 |   prompt.demonstrations.take: [0, many, -1]\n"
        "                                           ^\n"
        "p.yaml:26:41: prompt[0].demonstrations.take: must be at least 0, not -1\n"
        "    26 |   prompt.demonstrations.take: [0, many, -1]\n"
        "                                                 ^\n"
        "p.yaml:27:3: prompt[0].demonstrations.sed: unknown key 'sed'\n"
        "    27 |   prompt.demonstrations.sed: [0, 1]\n"
        "           ^\n"
        "    known: fit, from, labels, leaks, order, per, seed, select, take, template, turns   did you mean 'seed'?"
    )


@pytest.mark.parametrize(
    ("matrix", "said"),
    [
        (
            "  exlude: [1]\n",
            (
                "p.yaml:26:3: matrix.exlude: 'exlude' is no path of the file\n"
                "    26 |   exlude: [1]\n"
                "           ^\n"
                "    known: about, align, chat, choose, data, examples, exclude, generate, model, name, prompt, race, sample, "
                "score, seed, stages   did you mean 'exclude'?"
            ),
        ),
        (
            "  prompt.demonstration.take: [1]\n",
            (
                "p.yaml:26:3: matrix.prompt.demonstration.take: nothing in this list is called 'demonstration'\n"
                "    26 |   prompt.demonstration.take: [1]\n"
                "           ^\n"
                "    known: demonstrations, query   did you mean 'demonstrations'?"
            ),
        ),
        (
            "  prompt.demonstrations.take: [1]\n  prompt[0].demonstrations.take: [2]\n",
            (
                "p.yaml:27:3: matrix.prompt[0].demonstrations.take: leads to the same place as 'prompt.demonstrations.take'\n"
                "    27 |   prompt[0].demonstrations.take: [2]\n"
                "           ^"
            ),
        ),
        (
            "  prompt.demonstrations.take: 4\n",
            (
                "p.yaml:26:31: matrix.prompt.demonstrations.take: a path of a matrix has a list of values\n"
                "    26 |   prompt.demonstrations.take: 4\n"
                "                                       ^"
            ),
        ),
        (
            "  prompt.demonstrations.take: [4]\n  exclude: [{prompt.demonstrations.tak: 4}]\n",
            (
                "p.yaml:27:14: matrix.exclude[0].prompt.demonstrations.tak: 'prompt.demonstrations.tak' is no path of this "
                "matrix\n    27 |   exclude: [{prompt.demonstrations.tak: 4}]\n"
                "                      ^\n"
                "    known: prompt.demonstrations.take   did you mean 'prompt.demonstrations.take'?"
            ),
        ),
        (
            "  prompt.demonstrations.take: [4]\n  exclude: [{prompt.demonstrations.take: 5}]\n",
            (
                "p.yaml:27:42: matrix.exclude[0].prompt.demonstrations.take: 5 is no value of prompt.demonstrations.take in this "
                "matrix\n    27 |   exclude: [{prompt.demonstrations.take: 5}]\n"
                "                                                  ^"
            ),
        ),
        (
            "  prompt.demonstrations.take: [4]\n  exclude: [{prompt.demonstrations.take: 4}]\n",
            "p.yaml:25:1: matrix: `exclude` leaves no cell\n    25 | matrix:\n         ^",
        ),
        (
            "  sample: 4\n",
            (
                "p.yaml:26:3: matrix: names no path with a list of values\n    26 |   sample: 4\n           ^\n"
                "    such as `prompt.demonstrations.take: [0, 4, 8]`"
            ),
        ),
        (
            "  prompt.demonstrations.take: [4]\n  race: {keep: 2, every: 0}\n",
            (
                "p.yaml:27:16: matrix.race.keep: must be less than 1.0, not 2\n"
                "    27 |   race: {keep: 2, every: 0}\n"
                "                        ^\n"
                "p.yaml:27:26: matrix.race.every: must be at least 1, not 0\n"
                "    27 |   race: {keep: 2, every: 0}\n"
                "                                  ^"
            ),
        ),
    ],
    ids=["no section", "nowhere", "twice", "no list", "excluded path", "excluded value", "no cell", "no path", "race"],
)
def test_a_wrong_matrix_is_told_with_its_place(message, matrix, said):
    """What is wrong, where, and what is near."""
    assert message(matrix) == said


def test_too_many_cells_want_a_sample(message, sweep):
    """Reading a million pipelines is nobody's wish."""
    axes = f"  prompt.demonstrations.take: {list(range(150))}\n  prompt.demonstrations.seed: {list(range(150))}\n"
    assert "22,500 cells are more than the 10,000 that can be read" in message(axes)
    assert len(sweep(f"{axes}  sample: 3\n").cells) == 3
