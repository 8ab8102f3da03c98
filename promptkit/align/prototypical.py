"""`prototypical`: options by clusters of the rows' log-probabilities."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from promptkit.align.weighing import ScoreRow, Weighed, Weighing, WeighingStep, check_same_number, log_softmax
from promptkit.errors import RunError
from promptkit.spec import Coordinates, Count, Seed

if TYPE_CHECKING:
    from promptkit.align.mixture import Array, Mixture

__all__ = ["Prototypical", "assign"]

LEAST = -700.0  # a log-probability below it is taken for it: exp of less is 0


class Prototypical(WeighingStep):
    """Prototypical calibration (Han et al. 2023, section 3): a Gaussian for each option, fitted to the log-probabilities of
    all rows of the run; a row's answer is the option of the Gaussian that it most probably belongs to.

    Gaussians and options are matched so that the sum of the means' log-probabilities is the highest, and of several
    starts the one with the highest sum counts. Targets are not looked at. Options are compared by position. `--limit`
    changes the rows, and with them the numbers.
    """

    kind = "prototypical"
    main: ClassVar[str | None] = "starts"
    coordinates: ClassVar[Coordinates] = Coordinates(alignment="statistical", configuration="learnable")

    starts: Count = Field(default=10, description="how often it is fitted from other first places")
    seed: Seed = Field(default=0, description="decides the first places")

    def weigh(self, rows: Sequence[ScoreRow], fitting: Sequence[ScoreRow] = ()) -> Weighing:
        """All rows, by the best fit. Raises `RunError` where there are too few."""
        import numpy as np  # noqa: PLC0415 - checking a file needs no numbers

        check_same_number(self.kind, rows)
        num = len(rows[0].options)
        if len(rows) <= num:
            raise RunError(f"prototypical: {num} clusters need more than {num} rows, and the run has {len(rows)}")
        points = np.array([[max(each, LEAST) for each in log_softmax(row.scores)] for row in rows])
        mixture, order = self.best_fit(points[np.lexsort(points.T)])  # the order of the rows changes nothing
        posteriors = mixture.posteriors(points)[:, order]
        return Weighing(
            rows=tuple(
                Weighed(values=row.options, probabilities=tuple(map(float, each)))
                for row, each in zip(rows, posteriors, strict=True)
            ),
            num_fitted=len(rows),
            num_parameters=self.num_parameters(num),
            parameters=parameters_of(mixture, order),
        )

    def best_fit(self, points: Array) -> tuple[Mixture, list[int]]:
        """The mixture whose Gaussians match the options best, and which of them belongs to each option."""
        from promptkit.align.mixture import fit_mixture  # noqa: PLC0415 - it imports numpy

        fits = []
        for start in range(self.starts):
            digest = hashlib.sha256(f"{self.seed}\0{self.kind}\0{start}".encode()).digest()
            mixture = fit_mixture(points, points.shape[1], int.from_bytes(digest[:8], "big"))
            order = assign(mixture.means)
            total = sum(float(mixture.means[cluster, option]) for option, cluster in enumerate(order))
            fits.append((total, mixture, order))
        _, mixture, order = max(fits, key=lambda fit: fit[0])  # of equals, the first
        return mixture, order

    def num_parameters(self, num_options: int) -> int:
        """Weights that sum to 1, means, and symmetric covariances."""
        return num_options - 1 + num_options**2 + num_options * num_options * (num_options + 1) // 2


def assign(means: Array) -> list[int]:
    """The Gaussian of each option (K,), each its own, with the highest sum of means (K, K) (Kuhn 1955)."""
    from scipy.optimize import linear_sum_assignment  # noqa: PLC0415 - only where something is fitted

    options, clusters = linear_sum_assignment(means.T, maximize=True)
    return [int(cluster) for _, cluster in sorted(zip(options, clusters, strict=True))]


def parameters_of(mixture: Mixture, order: Sequence[int]) -> dict[str, Any]:
    """The Gaussians in the order of the options, as JSON values."""
    names = ("weights", "means", "covariances")
    return {name: getattr(mixture, name)[list(order)].tolist() for name in names}
