"""What a model of scores is, and the linear one: a score is the weighted sum of the features.

The linear model needs no training data and says exactly why, so it stays as the fallback behind
learnt ones.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from services.ranking.features import FEATURES


class ScoringModel(Protocol):
    """Scores candidates by their features, and says exactly what each feature added."""

    @property
    def version(self) -> str:
        """Name and version, as responses say it."""
        ...

    def score(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Scores candidates: (candidates, features) -> (candidates,), higher is better."""
        ...

    def base_value(self, values: NDArray[np.float64]) -> float:
        """Returns the score from which contributions count."""
        ...

    def contributions(self, values: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        """Returns the base value and (candidates, features); it plus a row's sum is the score."""
        ...


@dataclass(frozen=True, slots=True)
class LinearModel:
    """Weights over `features.FEATURES`."""

    version: str
    weights: NDArray[np.float64]
    """(len(FEATURES),) in the order of the features."""

    @classmethod
    def of(cls, version: str, weights: Mapping[str, float]) -> Self:
        """Makes a model of named weights; features not named weigh 0."""
        return cls(version, np.array([weights.get(name, 0.0) for name in FEATURES]))

    def with_times(self, feature: str, factor: float) -> Self:
        """Returns the model with one weight multiplied."""
        weights = self.weights.copy()
        weights[FEATURES.index(feature)] *= factor
        return replace(self, weights=weights)

    def score(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Scores candidates: (candidates, features) -> (candidates,), higher is better."""
        return values @ self.weights

    def base_value(self, values: NDArray[np.float64]) -> float:
        """Returns the score of the mean candidate, from which contributions count."""
        return float(values.mean(axis=0) @ self.weights)

    def contributions(self, values: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        """Splits every score into what each feature added against the mean candidate.

        For a linear model the Shapley value of feature i is exactly w_i (x_i - mean x_i) (Lundberg
        and Lee, "A unified approach to interpreting model predictions", 2017, corollary 1).

        Returns:
            The score of the mean candidate, and contributions of shape (candidates, features); the
            former plus a row's sum is that candidate's score.
        """
        mean = values.mean(axis=0)
        return self.base_value(values), (values - mean) * self.weights
