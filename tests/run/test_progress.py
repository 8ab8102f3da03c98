"""How far a run is, asked while it is under way."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from promptkit.generate import Completion, Work
from promptkit.run import Progress, Selection, Settings, load, make_plan, run_pipeline
from promptkit.run.execute import execute
from promptkit.run.store import Store
from tests.run.stages.test_stages import TWO
from tests.run.sums import SUMS


class Slow:
    """A generator that counts its tokens as they come; `during` is called before each completion."""

    name = "slow"
    identity: Mapping[str, Any] = {"kind": "slow"}
    tokenizer = None
    context_length = None

    def __init__(self, during, *, is_counting=True):
        self.work = Work(num_new_tokens=1_000 * is_counting)  # of another run before
        self.during = during
        self.is_counting = is_counting

    def generate(self, requests):
        for index, _ in enumerate(requests):
            if self.is_counting:
                self.work = Work(num_new_tokens=self.work.num_new_tokens + 10, num_live=len(requests) - index)
            self.during()
            yield index, Completion(text="2", num_new_tokens=3)
        self.work = Work(num_new_tokens=self.work.num_new_tokens)


@pytest.fixture
def states(write, tmp_path):
    """Executes four rows; what was read before each completion, and at the end."""

    def run(**options):
        readers: list[Callable[[], Progress]] = []
        seen: list[Progress] = []
        generator = Slow(lambda: seen.append(readers[-1]()), **options)
        plan = make_plan(load(write(SUMS)), Selection(), generator)
        with Store(tmp_path / "store.sqlite") as store:
            execute(plan.jobs, generator, store, readers.append)
        return [*seen, readers[-1](), readers[-1]()]

    return run


def test_tokens_and_rows_in_progress_are_told_before_any_row_is_finished(states):
    """A long completion takes minutes, and a line that stands still looks like a fault."""
    assert [(each.num_done, each.num_new_tokens, each.num_live) for each in states()[:-1]] == [
        (0, 10, 4),
        (1, 20, 3),
        (2, 30, 2),
        (3, 40, 1),
        (4, 40, 0),
    ]


def test_finished_rows_tell_the_tokens_of_a_generator_that_counts_none(states):
    """A server gives a completion at once."""
    assert [(each.num_done, each.num_new_tokens) for each in states(is_counting=False)[:-1]] == [
        (0, 0),
        (1, 3),
        (2, 6),
        (3, 9),
        (4, 12),
    ]


def test_the_last_state_stays(states):
    """The rates are the run's own, however long its audit and its files take."""
    *_, last, later = states()
    assert last is later


def test_each_call_of_a_stage_says_which_it_is(write, places):
    """A run of stages counts anew with each, and would seem to have begun again."""
    text = TWO.replace("    continue: reason\n", "    continue: reason\n    repeat: {max: 2}\n")
    readers: list[Callable[[], Progress]] = []
    run_pipeline(load(write(text)), Settings(**places), readers.append)
    assert [read().parts for read in readers[1::2]] == [
        ("stage reason (1 of 2)",),
        ("stage conclude (2 of 2), round 0",),
        ("stage conclude (2 of 2), round 1",),
    ]
