"""A mixture of Gaussians with full covariances, fitted by expectation and maximisation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Array", "Mixture", "fit_mixture", "start_at"]

Array = npt.NDArray[np.float64]

RIDGE = 1e-6  # on the diagonal of each covariance: points may lie on a line
TOLERANCE = 1e-6  # of the mean log-likelihood, between two rounds
MAX_ROUNDS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Mixture:
    """C Gaussians in D dimensions: weights (C,), means (C, D), covariances (C, D, D); all float64."""

    weights: Array
    means: Array
    covariances: Array

    def log_joint(self, points: Array) -> Array:
        """Log of weight times density, (N, C), for points (N, D)."""
        columns = [
            np.log(weight) + log_density(points, mean, covariance)
            for weight, mean, covariance in zip(self.weights, self.means, self.covariances, strict=True)
        ]
        return np.stack(columns, axis=1)

    def posteriors(self, points: Array) -> Array:
        """The probability of each Gaussian (N, C) given each point."""
        joint = self.log_joint(points)
        return np.asarray(np.exp(joint - log_sum(joint)[:, None]))


def log_density(points: Array, mean: Array, covariance: Array) -> Array:
    """The log-density of one Gaussian (N,) at points (N, D)."""
    lower = np.linalg.cholesky(covariance)
    scaled = np.linalg.solve(lower, (points - mean).T)  # (D, N)
    log_volume = 2 * np.log(np.diag(lower)).sum()
    return np.asarray(-0.5 * (len(mean) * np.log(2 * np.pi) + log_volume + (scaled**2).sum(axis=0)))


def log_sum(values: Array) -> Array:
    """Log of the sum of exponentials of each row (N,), for (N, C)."""
    top = values.max(axis=1)
    return np.asarray(top + np.log(np.exp(values - top[:, None]).sum(axis=1)))


def fit_mixture(points: Array, num: int, seed: int) -> Mixture:
    """`num` Gaussians fitted to points (N, D), from a start that the seed decides."""
    mixture = start_at(points, far_apart(points, num, seed))
    before = -np.inf
    for _ in range(MAX_ROUNDS):
        now = float(log_sum(mixture.log_joint(points)).mean())
        mixture = maximised(points, mixture.posteriors(points))
        if abs(now - before) < TOLERANCE:
            break
        before = now
    return mixture


def start_at(points: Array, means: Array) -> Mixture:
    """Gaussians at `means` (C, D), equally heavy, each as wide as all points (N, D) together."""
    num, size = means.shape
    spread = np.cov(points, rowvar=False, bias=True).reshape(size, size) + RIDGE * np.eye(size)
    return Mixture(weights=np.full(num, 1 / num), means=means, covariances=np.stack([spread] * num))


def far_apart(points: Array, num: int, seed: int) -> Array:
    """`num` of the points (C, D), each drawn by its squared distance from those before it (Arthur and Vassilvitskii 2007)."""
    random = np.random.default_rng(seed)
    chosen = [points[int(random.integers(len(points)))]]
    while len(chosen) < num:
        distances = np.min([((points - each) ** 2).sum(axis=1) for each in chosen], axis=0)
        shares = distances.cumsum()
        place = int(np.searchsorted(shares, random.random() * shares[-1], side="right"))
        chosen.append(points[min(place, len(points) - 1)])
    return np.stack(chosen)


def maximised(points: Array, posteriors: Array) -> Mixture:
    """The mixture of the highest likelihood where each point (N, D) belongs to the Gaussians as `posteriors` (N, C) say."""
    counts = posteriors.sum(axis=0) + 10 * np.finfo(np.float64).eps  # (C,); nothing is divided by 0
    means = (posteriors.T @ points) / counts[:, None]
    covariances = []
    for number, mean in enumerate(means):
        away = points - mean  # (N, D)
        covariances.append((posteriors[:, number, None] * away).T @ away / counts[number] + RIDGE * np.eye(len(mean)))
    return Mixture(weights=counts / counts.sum(), means=means, covariances=np.stack(covariances))
