"""Leaks in real data: what is near is found, and a pool of one template's questions is not near itself."""

import json
from types import MappingProxyType

import pytest

from promptkit.data import Example
from promptkit.prompt import Leaks, Pool
from promptkit.prompt.leaks import Lookout

BBH = (
    "boolean_expressions date_understanding dyck_languages multistep_arithmetic_two object_counting word_sorting "
    "tracking_shuffled_objects_three_objects causal_judgement sports_understanding"
)


@pytest.fixture
def rows(tasks):
    """Reads the rows of a task's file."""

    def read(name):
        lines = (tasks / name).read_text(encoding="utf-8").split("\n")[:-1]  # other line ends stand inside texts
        read = map(json.loads, lines)
        return [Example(id=row["id"], fields=MappingProxyType(row), origin=f"{name}:{n}") for n, row in enumerate(read)]

    return read


def question(row):
    """What a prompt asks about a row."""
    options = row.fields.get("options", ())
    return "\n".join([f"Q: {row.fields['question']}", *options, "A:"])


def near(pool, queries):
    """Pairs of other rows that would leak, with the reason."""
    lookout = Lookout(Leaks(), Pool(rows=pool, text_of=question))
    found = [(row.id, why) for row in queries for why in lookout.among(row, range(len(pool))).values()]
    return [(name, why) for name, why in found if why != "itself"]


@pytest.mark.parametrize("name", BBH.split()[:6])
def test_a_template_makes_no_duplicates(rows, name):
    """Another formula, date or list is another question, though most of the words are the same."""
    pool = rows(f"bbh/{name}/test.jsonl")
    assert near(pool, pool) == []


@pytest.mark.parametrize(("name", "num"), [(BBH.split()[6], 194), (BBH.split()[7], 250), (BBH.split()[8], 4)])
def test_the_same_story_is_near(rows, name, num):
    """These tasks ask several questions of one story, or repeat rows; less than two rows an example are left out."""
    pool = rows(f"bbh/{name}/test.jsonl")
    assert len(near(pool, pool)) == num


def test_the_authors_exemplars_stand_in_the_test(rows):
    """Three demonstrations of causal judgement: six test rows ask about their stories."""
    found = near(rows("bbh/causal_judgement/train.jsonl"), rows("bbh/causal_judgement/test.jsonl"))
    assert len(found) == 6
    assert all(why.startswith("overlap") for _, why in found)


@pytest.mark.parametrize(("name", "num"), [("svamp", 0), ("multiarith", 0), ("aqua", 0), ("mmlu", 14)])
def test_a_training_split_is_not_near_its_test(rows, name, num):
    """Templated arithmetic differs in its numbers; MMLU asks about the same passages."""
    assert len(near(rows(f"{name}/train.jsonl"), rows(f"{name}/test.jsonl"))) == num
