"""`vote` and `best`: one answer from several samples."""

from math import exp

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promptkit.align import Answer, Ballot, Best, Chain, Expression, NoAnswer, Number, Strip, Vote
from promptkit.align.deciding import grouped
from promptkit.errors import RunError
from promptkit.score import ExactMatch, is_same
from promptkit.text import Span

SPAN = Span(start=0, end=1)


def said(sample, value, log_likelihood=None, num_tokens=1):
    """A ballot; a text that begins with `!` is a status."""
    is_status = isinstance(value, str) and value.startswith("!")
    outcome = (
        NoAnswer(status=value[1:], step="align[0].number", reason="no number")
        if is_status
        else Answer(value=value, span=SPAN, step="align[0].number")
    )
    return Ballot(sample=sample, outcome=outcome, log_likelihood=log_likelihood, num_tokens=num_tokens)


def ballots(*values):
    return [said(sample, value) for sample, value in enumerate(values)]


def decided(step, given, same=is_same):
    """The answer, or the status and the reason."""
    outcome = step.decide(given, same).outcome
    return outcome.value if isinstance(outcome, Answer) else (outcome.status, outcome.reason)


def test_the_majority_decides():
    """And the verdict says by how much, and whose answer it is."""
    verdict = Vote().decide(ballots(4, 5, "!unparsed", 5), is_same)
    assert isinstance(verdict.outcome, Answer)
    assert (verdict.outcome.value, verdict.outcome.step, verdict.sample) == (5, "vote", 1)
    assert [(each.value, each.samples, each.weight) for each in verdict.shares] == [(5, (1, 3), 2), (4, (0,), 1)]


def test_equal_answers_vote_together():
    """0.5 and 1/2 are one answer where the score takes them for one, and only there."""
    given = ballots(Expression("0.5"), Expression("3"), Expression(r"\frac12"), Expression("3"), Expression("1/2"))
    assert decided(Vote(), given) == "0.5"
    names = ballots("Paris", "Rome", "paris", "Rome", " PARIS")
    assert decided(Vote(), names) == "Rome"
    assert decided(Vote(), names, ExactMatch(ignore_case=True, ignore_white_space=True).is_same) == "Paris"


def test_no_answer_never_votes():
    """A majority of samples that say nothing is no majority for nothing."""
    assert decided(Vote(), ballots("!unparsed", "!unparsed", 7, "!truncated")) == 7


def test_a_tie_is_said():
    """To take one of them would be a guess, and which of them an accident."""
    assert decided(Vote(), ballots(5, 4, 4, 5, 6)) == ("ambiguous", "2 answers have 2 votes each: 5, 4")
    assert decided(Vote(), ballots(5, 4)) == ("ambiguous", "2 answers have 1 vote each: 5, 4")
    assert decided(Vote(tie="first"), ballots(6, 5, 4, 4, 5)) == 5


def test_votes_may_weigh_what_their_completions_are_worth():
    """exp of the mean log-likelihood of a token, or of the total, by hand."""
    given = [said(0, "a", -2.0, 4), said(1, "b", -6.0, 3), said(2, "b", -8.0, 4), said(3, "!empty", -0.1, 1)]
    mean = Vote(weight="likelihood").decide(given, is_same)
    assert exp(-0.5) > 2 * exp(-2.0)
    assert isinstance(mean.outcome, Answer)
    assert mean.outcome.value == "a"
    assert [each.weight for each in mean.shares] == pytest.approx([1.0, 2 * exp(-2.0) / exp(-0.5)])
    total = Vote(weight="likelihood", normalize="total")
    long = [said(0, "a", -900.0, 1000), said(1, "b", -901.0, 10), said(2, "b", -900.5, 10)]
    assert exp(-901) + exp(-900.5) == 0.0 or exp(-1.0) + exp(-0.5) < 1
    assert decided(total, long) == "a"
    assert decided(Vote(weight="likelihood"), long) == "a"
    assert decided(Vote(), long) == "b"


def test_weights_that_are_equal_are_a_tie():
    """Sums of floats are equal to a billionth."""
    given = [said(0, "a", -1.0, 1), said(1, "b", -1.0, 1)]
    assert decided(Vote(weight="likelihood"), given) == ("ambiguous", "2 answers weigh the same: 'a', 'b'")


def test_a_vote_without_likelihoods_says_how_to_get_them():
    """A run keeps them only where its own chain asks."""
    with pytest.raises(RunError) as caught:
        Vote(weight="likelihood").decide(ballots(1, 2), is_same)
    assert str(caught.value) == (
        "the samples have no log-likelihoods, which a vote weighted by likelihood and `best` need\n"
        "    run the pipeline with this step in its `align`: then they are kept"
    )


def test_too_few_votes_are_no_answer():
    """By number and by share; where the silence of others is why, the status is theirs."""
    scattered = ballots(1, 2, 2, 3, 4)
    assert decided(Vote(min_votes=3), scattered) == ("ambiguous", "2 has 2 of the 3 votes that it needs")
    assert decided(Vote(min_share=0.5), scattered) == ("ambiguous", "2 has 0.4 of the weight, and needs 0.5")
    silent = ballots(1, "!truncated", "!truncated", "!unparsed")
    assert decided(Vote(min_votes=2), silent) == ("truncated", "1 has 1 of the 2 votes that it needs")
    assert decided(Vote(min_share=1.0), silent) == 1


@pytest.mark.parametrize("step", [Vote(), Best()], ids=repr)
def test_where_nobody_answers_the_commonest_status_stands(step):
    """It says what to mend."""
    given = ballots("!unparsed", "!truncated", "!truncated")
    assert decided(step, given) == ("truncated", "no sample has an answer: 2 truncated, 1 unparsed")
    assert decided(step, ballots("!empty", "!unparsed")) == ("empty", "no sample has an answer: 1 empty, 1 unparsed")


def test_the_likeliest_sample_decides():
    """Of those that have an answer, by the mean over tokens or the total."""
    given = [said(0, "!unparsed", -0.1, 1), said(1, "a", -4.0, 2), said(2, "b", -5.0, 5)]
    assert decided(Best(), given) == "b"
    assert decided(Best(normalize="total"), given) == "a"
    tied = [said(0, "a", -1.0, 1), said(1, "b", -2.0, 2)]
    assert decided(Best(), tied) == ("ambiguous", "2 answers are equally likely: 'a', 'b'")
    assert decided(Best(), [said(0, "a", -1.0, 1), said(1, "a", -2.0, 2)]) == "a"


@pytest.mark.parametrize("step", [Vote(), Best()], ids=repr)
def test_one_completion_passes(step):
    """`check` and `extract` read one at a time, and what is settled stays so."""
    chain = Chain((Number(), step))
    outcome = chain.align("It is 7.")
    assert isinstance(outcome, Answer)
    assert outcome.value == 7
    assert chain.unsettled() == ""
    assert chain.is_settled("It is 7. So", fields={})
    assert chain.align_target("7", {}) == 7
    assert Chain((Strip(), step)).unsettled() == ": no step says where an answer ends"


VALUES = st.one_of(
    st.sampled_from(["1", 1, 1.0, "1.0", 2, "2", "x", True, "true", "!unparsed", "!empty", None, [1, 2], ["1", "2"]]),
    st.sampled_from(["1/3", "0.333333", "0.3333333", "1", "50%", "0.5", "50"]).map(Expression),
)


@given(values=st.lists(VALUES, min_size=1, max_size=8), shuffled=st.randoms(use_true_random=False))
@settings(max_examples=300, deadline=None)
@pytest.mark.parametrize(
    "step", [Vote(), Vote(tie="first"), Vote(min_votes=2), Vote(weight="likelihood"), Best()], ids=repr
)
def test_the_order_of_the_samples_changes_nothing(step, values, shuffled):
    """They finish as they will."""
    given = [said(sample, value, -float(sample % 3), 1) for sample, value in enumerate(values)]
    other = list(given)
    shuffled.shuffle(other)
    one, two = step.decide(given, is_same), step.decide(other, is_same)
    assert one.outcome == two.outcome
    assert sorted(share.samples for share in one.shares) == sorted(share.samples for share in two.shares)


@given(values=st.lists(VALUES, max_size=8))
@settings(max_examples=300, deadline=None)
def test_groups_are_an_equivalence(values):
    """Everybody is in one group, what is the same is together, and a group hangs together by what is the same."""
    given = [each for each in ballots(*values) if isinstance(each.outcome, Answer)]
    groups = grouped(given, is_same)
    place = {each.sample: number for number, group in enumerate(groups) for each in group}
    assert sorted(place) == [each.sample for each in given]
    for one in given:
        for other in given:
            assert is_same(one.value, other.value) == is_same(other.value, one.value)
            if is_same(one.value, other.value):
                assert place[one.sample] == place[other.sample]
    for group in groups:
        reached, waiting = [group[0]], list(group[1:])
        while near := [each for each in waiting if any(is_same(each.value, other.value) for other in reached)]:
            reached += near
            waiting = [each for each in waiting if each not in near]
        assert not waiting
