"""How far confidence is from being right: the expected calibration error."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, fsum
from typing import Literal

__all__ = ["NUM_BINS", "calibration_error"]

NUM_BINS = 15

Binning = Literal["width", "mass"]


def calibration_error(
    confidences: Sequence[float], rights: Sequence[float], num_bins: int = NUM_BINS, binning: Binning = "width"
) -> float | None:
    """The expected calibration error (Guo et al. 2017, section 2), in [0, 1]; None over nothing.

    Of each bin the distance between the mean confidence and the mean of `rights`, averaged by the bins' sizes. Bins are of
    equal width, ((m - 1) / M, m / M], or hold equally many answers (Nixon et al. 2019, section 3.2).

    >>> calibration_error([0.9, 0.9, 0.6], [1, 0, 1], num_bins=2)
    0.13333333333333333
    """
    pairs = sorted(zip(confidences, rights, strict=True))
    if not pairs:
        return None
    bins = by_width(pairs, num_bins) if binning == "width" else by_mass(pairs, num_bins)
    return fsum(abs(fsum(sure - right for sure, right in each)) for each in bins) / len(pairs)


def by_width(pairs: Sequence[tuple[float, float]], num_bins: int) -> list[list[tuple[float, float]]]:
    """The pairs in bins of equal width, those that are empty included."""
    bins: list[list[tuple[float, float]]] = [[] for _ in range(num_bins)]
    for pair in pairs:
        bins[min(max(ceil(pair[0] * num_bins), 1), num_bins) - 1].append(pair)
    return bins


def by_mass(pairs: Sequence[tuple[float, float]], num_bins: int) -> list[Sequence[tuple[float, float]]]:
    """The sorted pairs in bins that hold equally many, or one more; equal confidences may be parted."""
    num, num_bins = len(pairs), min(num_bins, len(pairs))
    return [pairs[num * place // num_bins : num * (place + 1) // num_bins] for place in range(num_bins)]
