"""LambdaMART from clicks, with clicks weighted by the inverse of their propensity.

A click in a place that one in four looks at stands for four (Joachims, Swaminathan and Schnabel,
"Unbiased learning-to-rank with biased feedback", WSDM 2017). What a product is divided by is how
often it was looked at, in all the places in which it stood (Oosterhuis and de Rijke, "Policy-aware
unbiased learning to rank for top-k rankings", SIGIR 2020).
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from services.ranking.boosting import boost
from services.ranking.clicks.log import ClickLog

if TYPE_CHECKING:
    import lightgbm

LEVELS: Final = 256
"""LightGBM takes whole numbers as labels: rates are cut into so many, each with its gain."""
PRIOR_VIEWS: Final = 1.0
"""Views at the mean rate that every product is given, so that few do not mean 0 or 1."""


def relevance(log: ClickLog, propensities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Estimates how likely each product is clicked once it is looked at.

    Args:
        log: What was shown and clicked.
        propensities: (places,) probability that each place is looked at; ones take every click as
            it is, which is the naive estimate.

    Returns:
        (rows,) 0 to 1; NaN for what was never shown.
    """
    views, clicks = log.counts()
    looked = views @ propensities
    total = float(clicks.sum()) / max(float(looked.sum()), 1e-12)
    rate = (clicks.sum(axis=1) + PRIOR_VIEWS * total) / (looked + PRIOR_VIEWS)
    return np.where(views.sum(axis=1) > 0, np.clip(rate, 0.0, 1.0), np.nan)


def fit_clicks(
    features: NDArray[np.float64],
    estimated: NDArray[np.float64],
    query: NDArray[np.int64],
    *,
    start: NDArray[np.float64] | None = None,
    rounds: int = 100,
    leaves: int = 8,
    learning_rate: float = 0.05,
    seed: int = 0,
    on_round: Callable[[], object] = lambda: None,
) -> "lightgbm.Booster":
    """Trains LambdaMART on estimated relevance; needs the library lightgbm.

    Args:
        features: (rows, features).
        estimated: (rows,) as `relevance` gives it; rows without are left out.
        query: (rows,) number of each row's query, ascending.
        start: (rows,) scores that boosting begins at; 0 when None.
        rounds: Trees.
        leaves: Of a tree.
        learning_rate: Share of each tree.
        seed: The same seed gives the same model.
        on_round: Called after each tree, for progress.
    """
    import lightgbm

    known = ~np.isnan(estimated)
    rates = estimated[known]
    highest = float(rates.max(initial=0.0)) or 1.0
    labels = np.rint(rates / highest * (LEVELS - 1)).astype(np.int64)
    sizes = np.bincount(query[known])
    trained = lightgbm.Dataset(
        features[known],
        label=labels,
        group=sizes[sizes > 0],
        init_score=None if start is None else start[known],
    )
    return boost(
        trained,
        # A rate is a gain as it stands; with 2^label - 1 only the highest would count.
        label_gain=[7.0 * level / (LEVELS - 1) for level in range(LEVELS)],
        rounds=rounds,
        leaves=leaves,
        learning_rate=learning_rate,
        least_rows=20,
        seed=seed,
        on_round=on_round,
    )
