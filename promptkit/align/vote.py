"""`vote`: the answer that most samples give."""

from __future__ import annotations

from collections.abc import Sequence
from math import isclose
from typing import ClassVar, Literal

from pydantic import Field

from promptkit.align.deciding import (
    Ballot,
    DecidingStep,
    Normalize,
    Same,
    Share,
    Verdict,
    answered,
    grouped,
    no_verdict,
    nobody_answered,
    share_of,
    verdict_for,
    weights,
)
from promptkit.align.outcome import Status
from promptkit.spec import Count
from promptkit.spec.declaration import shorten

__all__ = ["Vote"]

CLOSE = 1e-9  # weights that differ by less are equal: sums of floats


class Vote(DecidingStep):
    """Decides by majority over `generate: {samples: N}` (self-consistency: Wang et al. 2023).

    Answers that the score takes for the same are one, so 0.5 and 1/2 vote together. Samples without an answer do not
    vote. A tie is said, and is no answer, unless `tie` says otherwise.
    """

    kind = "vote"
    main: ClassVar[str | None] = "weight"

    weight: Literal["count", "likelihood"] = Field(
        default="count",
        description="what a sample's vote weighs: 1 (count), or the likelihood of its completion, exp of `normalize`",
    )
    normalize: Normalize = Field(
        default="mean",
        description="with `weight: likelihood`: the log-likelihood's mean over the tokens, or the total",
    )
    tie: Literal["ambiguous", "first"] = Field(
        default="ambiguous", description="of equally heavy answers: ambiguous, or the one that an earlier sample gave"
    )
    min_votes: Count = Field(default=1, description="samples that must give the answer; else there is none")
    min_share: float = Field(
        default=0.0, ge=0, le=1, description="share of the weight of all answers that the answer must have"
    )

    @property
    def needs_likelihood(self) -> bool:
        """Where votes are weighed."""
        return self.weight == "likelihood"

    def decide(self, ballots: Sequence[Ballot], same: Same) -> Verdict:
        """The heaviest answer, where it is heavy enough and the only one so heavy."""
        voting = answered(ballots)
        if not voting:
            return nobody_answered(ballots, self.kind)
        weighed = weights(voting, self.normalize) if self.needs_likelihood else {each.sample: 1.0 for each in voting}
        shares = [share_of(group, [weighed[each.sample] for each in group]) for group in grouped(voting, same)]
        shares.sort(key=lambda share: -share.weight)  # of equals, the earlier stays first
        tied = [share for share in shares if isclose(share.weight, shares[0].weight, rel_tol=CLOSE)]
        tied.sort(key=lambda share: share.samples)
        if len(tied) > 1 and self.tie == "ambiguous":
            return no_verdict(self.kind, "ambiguous", self.said_of(tied), shares)
        if lacking := self.lacking(tied[0], shares):
            return no_verdict(self.kind, self.status_of(shares, ballots), lacking, shares)
        first = next(each for each in voting if each.sample == tied[0].samples[0])
        return verdict_for(first, self.kind, shares)

    def said_of(self, tied: Sequence[Share]) -> str:
        """Why equally heavy answers are no answer."""
        names = ", ".join(shorten(share.value) for share in tied)
        if self.needs_likelihood:
            return f"{len(tied)} answers weigh the same: {names}"
        num = len(tied[0].samples)
        return f"{len(tied)} answers have {num} vote{'s' if num > 1 else ''} each: {names}"

    def lacking(self, best: Share, shares: Sequence[Share]) -> str:
        """What the heaviest answer lacks to be the answer; empty where it lacks nothing."""
        share = best.weight / sum(each.weight for each in shares)
        if len(best.samples) < self.min_votes:
            return f"{shorten(best.value)} has {len(best.samples)} of the {self.min_votes} votes that it needs"
        if share < self.min_share:
            return f"{shorten(best.value)} has {share:.3g} of the weight, and needs {self.min_share:g}"
        return ""

    def status_of(self, shares: Sequence[Share], ballots: Sequence[Ballot]) -> Status:
        """The status where too few agree: ambiguous, unless samples without an answer are what keeps them few."""
        is_alone = len(shares) == 1 and len(answered(ballots)) < len(ballots)
        silent = [each for each in ballots if each.value is None]
        return nobody_answered(silent, self.kind).outcome.status if is_alone else "ambiguous"
