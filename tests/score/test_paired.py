"""Which of many runs are clearly worse, over the same examples."""

import random

import pytest
from scipy.stats import binomtest

from promptkit.score import clearly_worse, sign_test


@pytest.mark.parametrize(("better", "worse"), [(0, 0), (0, 1), (3, 9), (9, 3), (40, 61), (5, 5), (0, 1000)])
def test_the_sign_test_is_the_binomial_test(better, worse):
    """On one side, and exact, also where there are few, and where floats end."""
    expected = binomtest(better, better + worse, alternative="less").pvalue if better + worse else 1.0
    assert sign_test(better, worse) == pytest.approx(expected)


def test_the_same_scores_are_never_worse():
    """Two cells that say the same differ nowhere."""
    assert clearly_worse([[1.0, 0.0, 1.0] * 30] * 4, 0.05, 3) == []


def test_a_run_that_is_clearly_worse_is_found():
    """The clearest first, with the best, and how sure it is."""
    right, half, wrong = [1.0] * 40, [1.0] * 20 + [0.0] * 20, [0.0] * 40
    found = clearly_worse([half, right, wrong], 0.05, 2)
    assert [(each.number, each.best) for each in found] == [(2, 1), (0, 1)]
    assert found[1].p_value == 2 * sign_test(0, 20)
    assert clearly_worse([right[:5], wrong[:5]], 0.05, 2) == [], "five examples are too few: p is 0.0625"


def test_scores_between_0_and_1_count_by_their_sign():
    """A little worse on every example is worse."""
    high = [0.5 + number / 100 for number in range(20)]
    assert [each.number for each in clearly_worse([[each - 0.01 for each in high], high], 0.05, 1)] == [0]


@pytest.mark.parametrize("num_runs", [2, 6])
def test_a_run_as_good_as_any_is_found_worse_no_more_often_than_alpha_allows(num_runs):
    """Though the best is chosen by the same scores, and looked for three times: each run's rate is at most alpha.

    500 seeded draws of runs that are right with the same chance, example by example; alpha 0.2 allows 100 of each.
    """
    drawn, counts = random.Random(5), [0] * num_runs
    for _ in range(500):
        hard = [drawn.random() for _ in range(60)]
        scores = [[float(drawn.random() < chance) for chance in hard] for _ in range(num_runs)]
        found = set()
        for seen in (20, 40, 60):
            worse = clearly_worse([each[:seen] for each in scores], 0.2, 3 * (num_runs - 1))
            found |= {each.number for each in worse}
        for number in found:
            counts[number] += 1
    assert max(counts) <= 0.2 * 500
