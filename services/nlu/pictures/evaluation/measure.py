"""Figures of rankings, with intervals that draw whole products again.

Variants and views of a product share its looks, so drawing single queries would make the intervals
too narrow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from shared.evaluation.significance import RESAMPLES, Interval, percentile_interval

CUTS: Final = (1, 5, 10)
"""Places at which recall is taken."""


@dataclass(frozen=True, slots=True)
class Ranks:
    """The place of the first right answer of each query, from 1.

    Attributes:
        places: (queries,).
        products: Whose query it is.
        candidates: How many were ranked.
    """

    places: NDArray[np.int64]
    products: Sequence[str]
    candidates: int

    def recall(self, cut: int) -> Interval:
        """Share of the queries with a right answer among the first `cut`."""
        return by_product((self.places <= cut).astype(np.float64), self.products)

    def as_json(self) -> dict[str, object]:
        """Returns recall at each cut with its interval."""
        return {
            "queries": len(self.places),
            "candidates": self.candidates,
            "recall": {str(cut): interval_json(self.recall(cut)) for cut in CUTS},
        }


def first_right(
    scores: NDArray[np.float64],
    right: NDArray[np.bool_],
    products: Sequence[str],
    left_out: Sequence[int] | None = None,
) -> Ranks:
    """Returns the place of the first right candidate of each query.

    A candidate with the same score as a right one counts as before it.

    Args:
        scores: (queries, candidates).
        right: Likewise; each query has a right candidate.
        products: Of the queries.
        left_out: For each query one candidate that is not ranked, such as its own picture.
    """  # fmt: skip
    scores = scores.copy()
    rows = np.arange(len(scores))
    if left_out is not None:
        scores[rows, list(left_out)] = -np.inf
        right = right.copy()
        right[rows, list(left_out)] = False
    best = np.where(right, scores, -np.inf).max(axis=1)
    before = ((scores >= best[:, None]) & ~right).sum(axis=1)
    return Ranks(before + 1, products, scores.shape[1] - (left_out is not None))


def by_product(values: NDArray[np.float64], products: Sequence[str], seed: int = 1) -> Interval:
    """Mean of values, (queries,), with an interval from products drawn again."""
    names = sorted(set(products))
    place = {name: at for at, name in enumerate(names)}
    at = [place[product] for product in products]
    sums, counts = np.zeros(len(names)), np.zeros(len(names))
    np.add.at(sums, at, values)
    np.add.at(counts, at, 1)
    drawn = _drawn(len(names), seed)
    means = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    return percentile_interval(float(values.mean()), means)


def area_by_product(
    scores: NDArray[np.float64], positive: NDArray[np.bool_], products: Sequence[str]
) -> Interval:
    """Area under the ROC curve, with an interval from products drawn again.

    Args:
        scores: (pictures,).
        positive: Likewise; neither all nor none.
        products: Of the pictures.
    """
    names = sorted(set(products))
    members = {name: [at for at, each in enumerate(products) if each == name] for name in names}
    found: list[float] = []
    for row in _drawn(len(names), 1, 2_000):
        places = [at for index in row for at in members[names[index]]]
        drawn = positive[places]
        if drawn.any() and not drawn.all():
            found.append(_area(scores[places], drawn))
    return percentile_interval(_area(scores, positive), np.array(found))


def interval_json(interval: Interval) -> dict[str, float]:
    """Returns a value with the ends of its interval."""
    return {"value": interval.mean, "low": interval.low, "high": interval.high}


def recalls(found: Mapping[str, Ranks]) -> dict[str, object]:
    """Returns the figures of several systems."""
    return {name: ranks.as_json() for name, ranks in found.items()}


def _area(scores: NDArray[np.float64], positive: NDArray[np.bool_]) -> float:
    above = scores[positive][:, None] - scores[~positive][None, :]
    return float(((above > 0) + 0.5 * (above == 0)).mean())


def _drawn(count: int, seed: int, resamples: int = RESAMPLES) -> NDArray[np.int64]:
    return np.random.default_rng(seed).integers(0, count, size=(resamples, count))
