"""`best`: the answer of the likeliest sample."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from pydantic import Field

from promptkit.align.deciding import (
    Ballot,
    DecidingStep,
    Normalize,
    Same,
    Verdict,
    answered,
    grouped,
    no_verdict,
    nobody_answered,
    share_of,
    verdict_for,
    weights,
)
from promptkit.spec.declaration import shorten

__all__ = ["Best"]


class Best(DecidingStep):
    """Decides for the answer of the sample whose completion is the likeliest, of those that have an answer.

    Equally likely samples with different answers are ambiguous.
    """

    kind = "best"
    main: ClassVar[str | None] = "normalize"

    normalize: Normalize = Field(
        default="mean",
        description="how likely a completion is: its log-likelihood's mean over the tokens, or the total",
    )

    @property
    def needs_likelihood(self) -> bool:
        """Always."""
        return True

    def decide(self, ballots: Sequence[Ballot], same: Same) -> Verdict:
        """The likeliest sample's answer."""
        able = answered(ballots)
        if not able:
            return nobody_answered(ballots, self.kind)
        weighed = weights(able, self.normalize)
        shares = [share_of(group, [max(weighed[each.sample] for each in group)]) for group in grouped(able, same)]
        shares.sort(key=lambda share: -share.weight)
        tied = [share for share in shares if share.weight == shares[0].weight]
        if len(tied) > 1:
            names = ", ".join(shorten(share.value) for share in tied)
            return no_verdict(self.kind, "ambiguous", f"{len(tied)} answers are equally likely: {names}", shares)
        first = next(each for each in able if each.sample in tied[0].samples and weighed[each.sample] == tied[0].weight)
        return verdict_for(first, self.kind, shares)
