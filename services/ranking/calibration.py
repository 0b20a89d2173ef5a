"""Confidence: the calibrated probability that a person calls a candidate relevant.

Platt scaling (Platt, "Probabilistic outputs for support vector machines", 1999) of features that
mean the same on every page: a score says which candidate is better, not whether any is good. How
the constants were fitted is said beside them in weights.toml.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.ranking.features import FeatureTable
from services.ranking.weights import CalibrationConfig, LogisticConfig

ABSOLUTE: Final = (
    "cosine",
    "title_coverage",
    "title_head",
    "accessory_mention",
)
"""What a curve may use; "cosine" is the raw cosine, the rest are features."""
LEXICAL: Final = ABSOLUTE[1:]


def absolute_matrix(table: FeatureTable, names: tuple[str, ...]) -> NDArray[np.float64]:
    """Returns (candidates, names); an unknown cosine stays NaN."""
    columns = [table.cosine if name == "cosine" else table.column(name) for name in names]
    return np.stack(columns, axis=1)


def confidence(table: FeatureTable, config: CalibrationConfig) -> NDArray[np.float64]:
    """Returns probabilities, shape (candidates,), 0 to 1.

    A candidate that the dense leg left out is judged by its words alone.
    """
    full = _curve(absolute_matrix(table, ABSOLUTE), ABSOLUTE, config.full)
    lexical = _curve(absolute_matrix(table, LEXICAL), LEXICAL, config.lexical)
    return np.where(np.isnan(table.cosine), lexical, full)


def _curve(
    matrix: NDArray[np.float64], names: tuple[str, ...], config: LogisticConfig
) -> NDArray[np.float64]:
    weights = np.array([config.coefficients.get(name, 0.0) for name in names])
    return 1.0 / (1.0 + np.exp(-(np.nan_to_num(matrix) @ weights + config.intercept)))
