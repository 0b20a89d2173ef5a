"""Orders the products to offer with a seed: a logistic model of pairs, one a kind of link.

A linear model was taken over boosted trees: some hundred seeds teach no more, and the sum of its
terms says what each feature added, as for search. Trained on all pairs of training seeds and
candidates, linked or not (pointwise learning to rank; Liu, "Learning to rank for information
retrieval", 2009, chapter 2).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.recommend.graph.pair_features import Features


@dataclass(frozen=True, slots=True)
class CrossRanker:
    """Weights of features."""

    names: tuple[str, ...]
    weights: tuple[float, ...]
    """Per unit of each feature."""
    intercept: float

    def scores(self, features: Features) -> NDArray[np.float64]:
        """Return the logit of being linked for each row, (candidates,).

        Raises:
            ValueError: The rows have another number of features.
        """
        if features.ndim != 2 or features.shape[1] != len(self.names):  # noqa: PLR2004
            raise ValueError(f"expected rows of {len(self.names)} features")
        return features @ np.array(self.weights) + self.intercept

    def terms(self, row: NDArray[np.float64]) -> Mapping[str, float]:
        """Return what each feature of one pair, (features,), adds to its score."""
        return dict(zip(self.names, (row * np.array(self.weights)).tolist(), strict=True))


def fit(
    names: Sequence[str], features: Features, linked: NDArray[np.bool_], *, strength: float = 1.0
) -> CrossRanker:
    """Train on pairs; needs scikit-learn, of the extra `train`.

    Args:
        names: Names of the features.
        features: (pairs, features).
        linked: Whether each pair is linked, (pairs,).
        strength: Inverse of the L2 penalty on standardised features, above 0.

    Raises:
        ValueError: All pairs are linked, or none is.
    """
    if linked.all() or not linked.any():
        raise ValueError("training needs pairs that are linked and pairs that are not")
    from sklearn.linear_model import LogisticRegression

    mean, deviation = features.mean(axis=0), features.std(axis=0)
    deviation[deviation == 0.0] = 1.0
    model: Any = LogisticRegression(C=strength, max_iter=1000)  # sklearn leaves types open
    model.fit((features - mean) / deviation, linked)
    weights: NDArray[np.float64] = model.coef_[0] / deviation
    intercept = float(model.intercept_[0] - weights @ mean)
    return CrossRanker(tuple(names), tuple(weights.tolist()), intercept)
