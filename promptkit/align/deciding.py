"""A step that decides: one answer of an example, from the answers that the chain read in its samples."""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import exp, fsum, isfinite
from typing import Any, ClassVar, Literal

from promptkit.align.outcome import Answer, Found, Missing, NoAnswer, Outcome, Status
from promptkit.align.step import AlignStep
from promptkit.errors import RunError
from promptkit.spec import Coordinates

__all__ = ["Ballot", "DecidingStep", "Normalize", "Same", "Share", "Verdict"]

Same = Callable[[Any, Any], bool]  # whether two answers are one; a metric's notion
Normalize = Literal["mean", "total"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ballot:
    """What one sample said, and how likely its completion was: `log_likelihood` is None where nobody asked for it."""

    sample: int
    outcome: Outcome
    log_likelihood: float | None = None
    num_tokens: int = 0

    @property
    def value(self) -> Any:
        """The answer; None where there is none."""
        return self.outcome.value if isinstance(self.outcome, Answer) else None

    def score(self, normalize: Normalize) -> float:
        """Its log-likelihood, of all tokens or a token. Raises `RunError` where it is not known."""
        if self.log_likelihood is None:
            raise RunError(
                "the samples have no log-likelihoods, which a vote weighted by likelihood and `best` need\n"
                "    run the pipeline with this step in its `align`: then they are kept"
            )
        return self.log_likelihood / max(1, self.num_tokens) if normalize == "mean" else self.log_likelihood


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """Samples that gave one and the same answer: the answer as the first of them wrote it, and their weight together."""

    value: Any
    samples: tuple[int, ...]
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What was decided: the outcome, the sample whose answer it is, and all answers, the heaviest first.

    `outcome.step` is the deciding step's kind alone, until the chain says where it stands.
    """

    outcome: Outcome
    sample: int | None = None
    shares: tuple[Share, ...] = ()


class DecidingStep(AlignStep):
    """The last step of a chain: the steps before it read each sample, it decides. A single answer it lets pass."""

    coordinates: ClassVar[Coordinates] = Coordinates(alignment="statistical")
    stays_open: ClassVar[bool] = True

    @property
    def needs_likelihood(self) -> bool:
        """Whether it asks how likely each completion was."""
        return False

    @abstractmethod
    def decide(self, ballots: Sequence[Ballot], same: Same) -> Verdict:
        """What is decided. Samples without an answer have no say in it. The order of `ballots` changes nothing."""

    def __call__(self, found: Found) -> Found | Missing:
        """The one answer that there is."""
        return found

    def settle(self, found: Found) -> Found | Missing:
        """What was found, for good where it was."""
        return found

    def unsettled(self) -> str:
        """Nothing: the step before it says."""
        return ""


def answered(ballots: Iterable[Ballot]) -> list[Ballot]:
    """Those that have an answer, by the numbers of their samples."""
    return sorted((each for each in ballots if isinstance(each.outcome, Answer)), key=lambda each: each.sample)


def grouped(ballots: Sequence[Ballot], same: Same) -> list[list[Ballot]]:
    """The ballots in groups of one answer, in the order of their first.

    What is the same as one of a group is of that group: where a notion of equal is not transitive (0.333333 is 1/3, and
    so is 0.33333333), groups that it joins are one, so that the order of the ballots does not matter.
    """
    written: dict[tuple[type, str], list[Ballot]] = {}  # most answers are written alike, and need no comparing
    for ballot in ballots:
        written.setdefault((type(ballot.value), repr(ballot.value)), []).append(ballot)
    groups: list[list[list[Ballot]]] = []
    for alike in written.values():
        mine = [group for group in groups if any(same(alike[0].value, each[0].value) for each in group)]
        joined = [alike, *(each for group in mine for each in group)]
        groups = [*(group for group in groups if group not in mine), joined]
    flat = [[ballot for alike in group for ballot in alike] for group in groups]
    return sorted(flat, key=lambda group: min(each.sample for each in group))


def weights(ballots: Sequence[Ballot], normalize: Normalize) -> dict[int, float]:
    """The likelihood of each sample, over that of the likeliest; of all tokens together that alone can be written."""
    scores = {each.sample: each.score(normalize) for each in ballots}
    top = max(scores.values(), default=0.0)
    return {sample: exp(score - top) if isfinite(top) else 1.0 for sample, score in scores.items()}


def share_of(group: Sequence[Ballot], weight: Iterable[float]) -> Share:
    """A group of ballots as a share."""
    first = min(group, key=lambda each: each.sample)
    return Share(value=first.value, samples=tuple(sorted(each.sample for each in group)), weight=fsum(weight))


def verdict_for(ballot: Ballot, kind: str, shares: Sequence[Share]) -> Verdict:
    """The verdict for the answer of a ballot."""
    outcome = ballot.outcome
    assert isinstance(outcome, Answer)
    answer = Answer(value=outcome.value, span=outcome.span, step=kind, captures=outcome.captures)
    return Verdict(outcome=answer, sample=ballot.sample, shares=tuple(shares))


def no_verdict(kind: str, status: Status, reason: str, shares: Sequence[Share] = ()) -> Verdict:
    """The verdict that there is no answer."""
    return Verdict(outcome=NoAnswer(status=status, step=kind, reason=reason), shares=tuple(shares))


def nobody_answered(ballots: Sequence[Ballot], kind: str) -> Verdict:
    """The verdict where no sample has an answer: the commonest status, and of equally common ones the first."""
    statuses = Counter(each.outcome.status for each in sorted(ballots, key=lambda each: each.sample))
    counted = ", ".join(f"{count} {status}" for status, count in statuses.most_common())
    status = statuses.most_common(1)[0][0] if statuses else "empty"
    return no_verdict(kind, status, f"no sample has an answer: {counted}")
