"""Expected clicks by product and place: the regression inside the doubly robust estimate."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

_RIDGE = 1.0


@dataclass(frozen=True, slots=True)
class RewardModel:
    """A ridge regression on features and the inverse place, and on their products.

    It need not be right: with true propensities the doubly robust estimate is unbiased whatever
    it says, and the better it is, the narrower.
    """

    weights: NDArray[np.float64]

    @classmethod
    def fit(
        cls,
        features: NDArray[np.float64],
        places: NDArray[np.int64],
        clicked: NDArray[np.bool_],
    ) -> Self:
        """Fits what was shown.

        Args:
            features: (results, features).
            places: (results,) from 1.
            clicked: (results,).
        """
        x = _design(features, places)
        penalty = np.eye(x.shape[1]) * _RIDGE
        penalty[0, 0] = 1e-9  # the mean is not shrunk
        found = np.linalg.solve(x.T @ x + penalty, x.T @ clicked.astype(np.float64))
        return cls(found.astype(np.float64))

    def predict(
        self, features: NDArray[np.float64], places: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Returns (results,) the expected clicks, 0 to 1."""
        return np.clip(_design(features, places) @ self.weights, 0.0, 1.0)


def _design(features: NDArray[np.float64], places: NDArray[np.int64]) -> NDArray[np.float64]:
    inverse = 1.0 / places.astype(np.float64)[:, None]
    return np.hstack([np.ones_like(inverse), inverse, features, features * inverse])
