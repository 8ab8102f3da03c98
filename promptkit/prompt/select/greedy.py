"""Sets that are built one row after the other, each the best beside those that are taken."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["likeliest_set", "most_marginal", "most_votes"]

Numbers = npt.NDArray[Any]
DECIMALS = 5  # of what is compared: the last bits differ between machines
LEAST_GAIN = 1e-6  # of a determinant's factor that is not zero but for rounding


def most_marginal(near: Numbers, among: Numbers, num: int, weight: float) -> list[int]:
    """The places of `num` of the rows, each with the highest `weight * near - (1 - weight) * (nearest one taken)`.

    `near` (n,) is how near each is to the example, `among` (n, n) how near they are to each other. The first of equals.
    """
    taken: list[int] = []
    nearest = np.zeros(len(near))  # where none is taken, nothing is near: the first is the nearest to the example
    for _ in range(min(num, len(near))):
        marginal = (weight * near - (1 - weight) * nearest).round(DECIMALS)
        marginal[taken] = -np.inf
        place = int(marginal.argmax())
        nearest = np.maximum(nearest, among[place]) if taken else among[place].astype(np.float64)
        taken.append(place)
    return taken


def likeliest_set(near: Numbers, among: Numbers, num: int, weight: float) -> list[int]:
    """The places of `num` of the rows, built greedily for the highest determinant of the kernel of `Dpp`.

    The factor that a row adds to the determinant is what is left of its own length beside the rows taken: `left`. Where
    nothing is left of any, the nearest of the others follow.
    """
    relevance = (near.astype(np.float64) + 1) / 2
    log_quality = relevance / (2 * weight)
    similarity = (among.astype(np.float64) + 1) / 2
    left = np.ones(len(near))  # of each row, less those taken
    parts = np.zeros((0, len(near)))  # of each row along those taken
    taken: list[int] = []
    for _ in range(min(num, len(near))):
        gains = log_quality * 2 + np.log(np.maximum(left, LEAST_GAIN))
        gains[taken] = -np.inf
        gains[left <= LEAST_GAIN] = -np.inf
        place = int(gains.round(DECIMALS).argmax())
        if gains[place] == -np.inf:
            break
        along = (similarity[place] - parts.T @ parts[:, place]) / np.sqrt(left[place])
        parts, left = np.vstack([parts, along]), left - along**2
        taken.append(place)
    others = [place for place in np.argsort(-near, kind="stable").tolist() if place not in taken]
    return (taken + others)[:num]


def most_votes(neighbours: npt.NDArray[np.int64], allowed: npt.NDArray[np.int64], num: int) -> list[int]:
    """The numbers of `num` allowed rows, each with the most votes when it is taken; the first of equals.

    Every allowed row that is not taken votes for its `neighbours` (N, k). A vote counts 10 to the power of minus how many
    of the voter's neighbours are taken already.
    """
    votes_left = np.zeros(len(neighbours), bool)
    votes_left[allowed] = True
    num_taken = np.zeros(len(neighbours), np.int64)  # of each row's neighbours
    taken: list[int] = []
    for _ in range(min(num, len(allowed))):
        counts = np.where(votes_left, 10.0**-num_taken, 0.0)
        votes = np.bincount(neighbours.ravel(), np.repeat(counts, neighbours.shape[1]), minlength=len(neighbours))
        votes = np.where(votes_left, votes.round(DECIMALS + 4), -np.inf)
        place = int(votes.argmax())
        taken.append(place)
        votes_left[place] = False
        num_taken += (neighbours == place).sum(axis=1)
    return taken
