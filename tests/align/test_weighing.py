"""Calibrations and label maps against the papers' formulas, worked by hand on small tables."""

from math import log

import pytest

from promptkit.align import (
    Batch,
    Chain,
    Context,
    Contextual,
    DomainContext,
    LabelMap,
    NoAnswer,
    Pmi,
    Prototypical,
    ScoreRow,
    Weighed,
    softmax,
)
from promptkit.align.label_map import bayesian, greedy
from promptkit.align.mixture import Mixture, fit_mixture, start_at
from promptkit.align.prototypical import assign
from promptkit.errors import DataError, RunError


def row(*probabilities, asked=(), target=None, options=("x", "y", "z"), label="a row"):
    """A row whose options have these probabilities; scores need not be normalised, so they are 5 lower."""
    logs = tuple(log(each) - 5 for each in probabilities)
    return ScoreRow(
        label=label,
        options=options[: len(logs)],
        scores=logs,
        asked=tuple(tuple(map(log, each)) for each in asked),
        target=target,
    )


def weighed(step, *rows, fitting=()):
    """The probabilities of each row's answers."""
    return [each.probabilities for each in step.weigh(rows, fitting).rows]


def about(*values):
    return pytest.approx(values, abs=1e-12)


def test_contextual_calibration_is_the_papers():
    """p = (0.7, 0.3); content-free (0.9, 0.1) and (0.7, 0.3), so p_cf = (0.8, 0.2) and W p = (0.875, 1.5): y.

    Over their sum: 0.875 / 2.375 = 7/19 and 12/19. An input that says as little twice counts twice.
    """
    step = Contextual()
    assert weighed(step, row(0.7, 0.3, asked=[(0.9, 0.1), (0.7, 0.3)])) == [about(7 / 19, 12 / 19)]
    assert weighed(step, row(0.7, 0.3, asked=[(0.5, 0.5)])) == [about(0.7, 0.3)]


def test_contextual_calibration_of_three_classes():
    """p = (0.5, 0.3, 0.2) over p_cf = (0.6, 0.3, 0.1): (5/6, 1, 2), sum 23/6: (5, 6, 12) / 23."""
    assert weighed(Contextual(), row(0.5, 0.3, 0.2, asked=[(0.6, 0.3, 0.1)])) == [about(5 / 23, 6 / 23, 12 / 23)]


def test_the_papers_softmax_gives_the_same_answer():
    """softmax(W p) with W p = (0.875, 1.5): 1 / (1 + e^-0.625) for y."""
    step = Contextual(probabilities="softmax")
    found = step.weigh([row(0.7, 0.3, asked=[(0.8, 0.2)])]).rows[0]
    assert found.probabilities == about(*softmax([0.875, 1.5]))
    assert found.best == ["y"]


def test_what_contextual_calibration_asks():
    """Every input in each field that is replaced, each once."""
    asks = Contextual(inputs=("N/A", "", "N/A")).asks([], ("a", "b"))
    assert [dict(each.fields) for each in asks({})] == [{"a": "N/A", "b": "N/A"}, {"a": "", "b": ""}]


def test_domain_context_calibration_divides_by_the_mean_over_random_texts():
    """The formula of Fei et al. is the same quotient: (0.7, 0.3) over (0.8, 0.2)."""
    weighing = DomainContext(num=2).weigh([row(0.7, 0.3, asked=[(0.9, 0.1), (0.7, 0.3)])] * 3)
    assert weighing.rows[0].probabilities == about(7 / 19, 12 / 19)
    assert (weighing.num_fitted, weighing.num_parameters) == (3, 2)


def test_random_texts_are_of_the_rows_words_and_length():
    """Five words in two texts, 2.5 on average: two; the same whatever the order of the rows, others by another seed."""
    rows = [{"text": "one two three"}, {"text": "four five"}]
    texts = [each.fields["text"] for each in DomainContext(num=50).asks(rows, ("text",))({})]
    assert {len(text.split()) for text in texts} == {2}
    assert {word for text in texts for word in text.split()} == {"one", "two", "three", "four", "five"}
    again = [each.fields["text"] for each in DomainContext(num=50).asks(rows[::-1], ("text",))({})]
    other = [each.fields["text"] for each in DomainContext(num=50, seed=1).asks(rows, ("text",))({})]
    assert texts == again
    assert texts != other
    (single,) = DomainContext(num=1, length=7).asks(rows, ("text",))({})
    assert len(single.fields["text"].split()) == 7


def test_batch_calibration_is_the_papers():
    """Rows (0.9, 0.1) and (0.7, 0.3): mean (0.8, 0.2). (0.9/0.8, 0.1/0.2) = (9/8, 4/8); (7/8, 12/8)."""
    rows = [row(0.9, 0.1), row(0.7, 0.3)]
    weighing = Batch().weigh(rows)
    assert [each.probabilities for each in weighing.rows] == [about(9 / 13, 4 / 13), about(7 / 19, 12 / 19)]
    assert weighing.parameters["mean_probabilities"] == pytest.approx([0.8, 0.2])
    assert weighed(Batch(strength=0), *rows) == [about(0.9, 0.1), about(0.7, 0.3)]
    assert weighed(Batch(strength=0.5), row(0.8, 0.2)) == [about(2 / 3, 1 / 3)]  # sqrt(0.8) to sqrt(0.2) is 2 to 1


def test_pmi_is_the_papers():
    """log p - log p of the domain: p = (0.02, 0.03), alone (0.01, 0.06): quotients 2 and 1/2."""
    found = Pmi.model_validate("Answer:").weigh([row(0.02, 0.03, asked=[(0.01, 0.06)])]).rows[0]
    assert (found.values, found.probabilities) == (("x", "y"), about(4 / 5, 1 / 5))


def test_rows_with_other_numbers_of_options_have_no_mean():
    """A position that some rows do not have has no mean; the error names both rows."""
    rows = [row(0.5, 0.5, label="example 'a'"), row(0.2, 0.3, 0.5, label="example 'b'")]
    for step in (Batch(), Prototypical()):
        with pytest.raises(RunError) as caught:
            step.weigh(rows)
        assert str(caught.value) == (
            f"{step.kind}: options are compared by their position, and example 'a' has 2 options, example 'b' 3\n"
            "    `contextual` and `pmi` take each row by itself"
        )


def test_equally_probable_answers_are_ambiguous():
    """And say which they are."""
    tied = Weighed(values=("x", "y", "z"), probabilities=(0.4, 0.4, 0.2))
    outcome = Chain((Batch(),)).align("x", Context(weighed=tied))
    assert outcome == NoAnswer(
        status="ambiguous", step="align[0].batch", reason="2 answers are equally probable: 'x', 'y'"
    )


def test_one_round_of_expectation_and_maximisation_by_hand():
    """Points 0, 1, 9, 10 and means 0 and 10: the first belongs to each by its density, the middle means stay apart.

    From equal weights and one covariance s, the posterior of the left one at x is 1 / (1 + e^((20 x - 100) / (2 s))).
    """
    import numpy as np

    points = np.array([[0.0], [1.0], [9.0], [10.0]])
    mixture = start_at(points, np.array([[0.0], [10.0]]))
    spread = 20.5 + 1e-6  # the variance: (25 + 16 + 16 + 25) / 4
    assert mixture.covariances.ravel() == pytest.approx([spread, spread])
    left = mixture.posteriors(points)[:, 0]
    assert left == pytest.approx([1 / (1 + np.exp((20 * x - 100) / (2 * spread))) for x in (0, 1, 9, 10)])
    fitted = fit_mixture(points, 2, seed=0)
    assert sorted(fitted.means.ravel()) == pytest.approx([0.5, 9.5], abs=1e-3)
    assert fitted.weights == pytest.approx([0.5, 0.5], abs=1e-3)
    assert fitted.covariances.ravel() == pytest.approx([0.25, 0.25], abs=1e-2)


def test_a_density_is_scipys():
    """With a full covariance."""
    import numpy as np
    from scipy.stats import multivariate_normal

    mean, spread = np.array([1.0, -2.0]), np.array([[2.0, 0.6], [0.6, 1.0]])
    mixture = Mixture(weights=np.array([1.0]), means=mean[None], covariances=spread[None])
    points = np.array([[0.0, 0.0], [1.5, -1.0]])
    assert mixture.log_joint(points)[:, 0] == pytest.approx(multivariate_normal(mean, spread).logpdf(points))


def test_gaussians_are_matched_to_options_by_the_highest_sum():
    """Both lean to x: the greedy pick for the first, -0.1 - 3 = -3.1, is worse than the crossed -0.2 - 1.2 = -1.4."""
    import numpy as np

    assert assign(np.array([[-0.1, -1.2], [-0.2, -3.0]])) == [1, 0]


def test_prototypical_calibration_finds_clusters_that_a_bias_hides():
    """All rows lean to x, in two clusters around (0.97, 0.03) and (0.6, 0.4): the second is y's."""
    sure = [row(p, 1 - p) for p in (0.95, 0.96, 0.97, 0.975, 0.98, 0.965)]
    unsure = [row(p, 1 - p) for p in (0.55, 0.58, 0.6, 0.62, 0.64, 0.66)]
    weighing = Prototypical().weigh([*sure, *unsure])
    assert [each.best for each in weighing.rows] == [["x"]] * 6 + [["y"]] * 6
    assert weighing.num_fitted == 12
    assert weighing.num_parameters == 1 + 4 + 6  # a weight, two means of two, two symmetric covariances of three
    again = Prototypical().weigh([*unsure, *sure])
    assert [each.best for each in again.rows] == [["y"]] * 6 + [["x"]] * 6


def test_too_few_rows_make_no_clusters():
    """A Gaussian on one point says nothing."""
    with pytest.raises(RunError, match="prototypical: 2 clusters need more than 2 rows, and the run has 2"):
        Prototypical().weigh([row(0.5, 0.5)] * 2)


COUNTS = [[5.0, 4.0], [3.0, 0.0], [0.0, 1.0]]  # words great, fine, awful; targets positive, negative


def test_frequency_mapping_takes_the_commonest_pair_first():
    """Great is said most for both: (great, positive) with 5 goes first, and negative takes the 1 of awful, not the 4."""
    assert greedy(COUNTS) == [[1, 0], [0, 0], [0, 1]]


def test_bayesian_mapping_is_the_papers():
    """With lambda 1: rows over 10, 4 and 2 give (0.5, 0.4), (0.75, 0), (0, 0.5); columns over 1.25 and 0.9."""
    assert bayesian(COUNTS, 1) == [about(0.4, 4 / 9), about(0.6, 0), about(0, 5 / 9)]


def solved(*rows):
    """Rows of words great, fine, awful with their targets."""
    return [row(*each[:-1], target=each[-1], options=("great", "fine", "awful")) for each in rows]


SOLVED = solved((0.7, 0.2, 0.1, "good"), (0.3, 0.6, 0.1, "good"), (0.5, 0.1, 0.4, "bad"), (0.2, 0.1, 0.7, "bad"))


def test_a_label_map_answers_with_a_target():
    """Counts (1, 1), (1, 0), (0, 1) for good and bad; frequency gives good great, the first of equals, and bad awful."""
    asked = row(0.3, 0.5, 0.2, options=("great", "fine", "awful"))
    by_word = LabelMap(method="frequency").weigh([asked], SOLVED)
    assert by_word.rows[0] == Weighed(values=("good", "bad"), probabilities=about(0.3 / 0.5, 0.2 / 0.5))
    assert by_word.parameters["weights"] == [[1, 0], [0, 0], [0, 1]]
    assert (by_word.num_fitted, by_word.num_parameters) == (4, 2)
    # bayesian: shares (1/3, 1/3), (1/2, 0), (0, 1/2); columns over 5/6: (2/5, 2/5), (3/5, 0), (0, 3/5)
    by_weight = LabelMap(method="bayesian").weigh([asked], SOLVED)
    good, bad = 0.3 * 0.4 + 0.5 * 0.6, 0.3 * 0.4 + 0.2 * 0.6
    assert by_weight.rows[0].probabilities == about(good / (good + bad), bad / (good + bad))
    assert by_weight.num_parameters == 6


def test_the_share_of_words_is_that_which_is_written():
    """0.29 * 100 is less than 29 in binary numbers."""
    step = LabelMap(method="bayesian_top", top=0.29, smoothing=0)
    weights = step.fitted([[0.01] * 100], [0], num_targets=1)
    assert sum(weight > 0 for (weight,) in weights) == 29


def test_the_top_words_are_counted_by_their_probabilities():
    """Two of three words: great 0.7 + 0.3 and 0.5 + 0.2, fine 0.2 + 0.6 and 0, awful 0 and 0.4 + 0.7, without smoothing."""
    found = LabelMap(method="bayesian_top", top=0.7, smoothing=0).weigh(SOLVED, SOLVED)
    expected = bayesian([[1.0, 0.7], [0.8, 0.0], [0.0, 1.1]], 0)
    assert [about(*each) for each in found.parameters["weights"]] == expected
    assert [each.best for each in found.rows] == [["good"], ["good"], ["bad"], ["bad"]]


def test_rows_are_drawn_by_their_ids_and_once_for_all():
    """Those drawn from the drawn are the same, so that a run keeps no more than it needs."""
    step = LabelMap(take=3)
    ids = [f"train-{number}" for number in range(10)]
    kept = [ids[number] for number in step.drawn(ids)]
    assert len(kept) == 3
    assert [kept[number] for number in step.drawn(kept)] == kept
    assert [ids[::-1][number] for number in step.drawn(ids[::-1])] == kept[::-1]
    assert step.drawn(ids) != LabelMap(take=3, seed=1).drawn(ids)


def test_a_map_needs_targets_and_a_word_for_each():
    """Both are said with what is there."""
    lacking = solved((0.7, 0.2, 0.1, None))
    with pytest.raises(DataError, match="label_map: a row has no target, and the map is fitted on solved rows"):
        LabelMap().weigh(SOLVED, lacking)
    many = solved(*((0.7, 0.2, 0.1, each) for each in "abcd"))
    with pytest.raises(DataError, match="label_map: 4 targets need a word each, and `choose` has 3 options"):
        LabelMap(method="frequency").weigh(SOLVED, many)


def test_text_that_nobody_scored_passes_a_calibration_and_no_map():
    """`extract` reads what others wrote: an option is an answer there, and a source label is none."""
    assert Chain((Contextual(),)).align("x").status == "answered"
    assert Chain((LabelMap(),)).align("great") == NoAnswer(
        status="unparsed",
        step="align[0].label_map",
        reason="there are no scores of options, as `choose` gives them",
    )
