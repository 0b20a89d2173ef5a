"""Exploration: each ranking draws its weights anew, so that what is uncertain is tried.

Thompson sampling (Thompson, 1933; Chapelle and Li, "An empirical evaluation of Thompson sampling",
NIPS 2011) with a Gaussian belief about each weight: the mean is the weight itself, the standard
deviation a share of it. Products that are close change places, products that are far apart do not.

A log of such rankings tells what another ranker would have earned (`services.ranking.clicks`), if
the probability of each product in its place was logged: it is estimated from further draws.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.ranking.diversity import Likeness, diversify_many
from services.ranking.features import FEATURES

DRAWS: Final = 200
"""Further draws; the least propensity is 1 / 201."""


@dataclass(frozen=True, slots=True)
class Explored:
    """An order that was drawn."""

    order: list[int]
    """Candidates, the first place first."""
    propensities: NDArray[np.float64]
    """(places,) probability, above 0, of that candidate in that place."""


class Explorer:
    """Draws orders. Not thread-safe.

    Args:
        deviation: Standard deviation of a weight, as a share of its magnitude; where a belief was
            learnt, how many of its standard deviations. Above 0.
        random: Where chance comes from; anew each time when absent.
    """

    def __init__(self, deviation: float, random: np.random.Generator | None = None) -> None:
        self._deviation = deviation
        self._random = random or np.random.default_rng()

    def order(
        self,
        scores: NDArray[np.float64],
        values: NDArray[np.float64],
        weights: Mapping[str, float],
        *,
        likeness: Likeness,
        strength: float,
        limit: int,
        root: NDArray[np.float64] | None = None,
    ) -> Explored:
        """Draws an order, and estimates how likely each of its places was.

        Args:
            scores: (candidates,) of the model as it is.
            values: (candidates, len(FEATURES)).
            weights: By feature: about which the belief is.
            likeness: What candidates share, for variety.
            strength: Of the variety.
            limit: Places to fill.
            root: (len(FEATURES), len(FEATURES)) root of the belief's covariance, where one was
                learnt: the deviation then counts in standard deviations of it.
        """
        off = self._random.normal(size=(1 + DRAWS, len(FEATURES))) * self._deviation
        if root is None:
            off *= np.array([abs(weights.get(name, 0.0)) for name in FEATURES])
        else:
            off = off @ root.T
        orders = diversify_many(scores + off @ values.T, likeness, strength, limit)
        served, others = orders[0], orders[1:]
        # The served draw counts as one of them: what has happened is not impossible.
        counts = 1 + (others == served).sum(axis=0)
        return Explored(
            [int(candidate) for candidate in served],
            counts.astype(np.float64) / (1 + DRAWS),
        )
