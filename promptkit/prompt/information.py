"""How sure a model is of an answer."""

from __future__ import annotations

import math
from collections.abc import Sequence

__all__ = ["entropy", "shares"]


def shares(log_likelihoods: Sequence[float]) -> list[float]:
    """The options' probabilities, which sum to 1, from the log-likelihood of each.

    >>> shares([-3.0, -3.0])
    [0.5, 0.5]
    """
    top = max(log_likelihoods)
    weights = [math.exp(each - top) for each in log_likelihoods]
    return [each / math.fsum(weights) for each in weights]


def entropy(probabilities: Sequence[float]) -> float:
    """The entropy, in nats, of probabilities that sum to 1.

    >>> entropy([1.0, 0.0]), round(entropy([0.5, 0.5]), 4)
    (0.0, 0.6931)
    """
    return -math.fsum(each * math.log(each) for each in probabilities if each > 0) + 0.0
