"""The uplift of a property: how much likelier a click or a purchase is because of it.

Products that have a property differ from those that have none in much else: what is in stock also
stands higher and sells better, so the difference of their rates is no effect. Double machine
learning (Chernozhukov et al., "Double/debiased machine learning for treatment and structural
parameters", 2018) with the doubly robust score of Robins and Rotnitzky (1995), by the library
DoubleML: one regression foretells the outcome, another the property, both by other queries than
those they are asked about, and the estimate is right if either is. Intervals hold for rows that
depend on one another within a query.

It is an effect only if the log knows everything that moves both the property and the outcome. Rows
whose property the rest of the log foretells (Crump et al., "Dealing with limited overlap in
estimation of average treatment effects", 2009) have nothing to be compared with and are left out;
a log without comparison, or too small, is refused.
"""

from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from services.ranking.uplift.rows import Rows, UpliftRefusedError
from shared.evaluation.significance import Interval

FOLDS: Final = 5
FEWEST_QUERIES: Final = 50
FEWEST_ROWS: Final = 200
"""With the property, and as many without it."""
FEWEST_OUTCOMES: Final = 20
"""Clicks, or purchases, among either."""
OVERLAP: Final = 0.05
"""A row is compared when its property had at least this probability, and its absence too."""
MOST_LEFT_OUT: Final = 0.5
_Z: Final = 1.959963984540054  # of a 95 % interval


@dataclass(frozen=True, slots=True)
class Uplift:
    """What a log says of a property."""

    effect: Interval
    """Probability of the outcome with the property less that without it, all else as it is."""
    p: float
    """Two-sided, of no effect."""
    naive: Interval
    """Difference of the rates as they are, over the same rows."""
    rate: float
    """Of the outcome among rows without the property."""
    rows: int
    """Compared."""
    treated: int
    """Of these, with the property."""
    queries: int
    left_out: float
    """Share of the log's rows that have nothing to be compared with."""
    foretold: float
    """Area under the ROC curve of the property, foretold by the confounders: 0.5 as in a lottery,
    1 where nothing can be compared."""
    imbalance: tuple[float, float]
    """Largest difference of a confounder's means between rows with and without the property, in
    standard deviations, before and after weighting."""
    robustness: float
    """Share of what is left unexplained, of outcome and property both, that something which the log
    does not know would have to explain to bring the estimate to 0 (Chernozhukov et al., "Long story
    short: omitted variable bias in causal machine learning", 2022)."""
    propensities: NDArray[np.float64]
    """(rows,) probability of the property."""
    has: NDArray[np.bool_]
    """(rows,) whether it was there."""


def estimate_uplift(rows: Rows, *, seed: int = 0) -> Uplift:
    """Estimates the effect; needs the library DoubleML.

    Args:
        rows: The log.
        seed: The same seed gives the same folds and models.

    Raises:
        UpliftRefusedError: The log does not allow an estimate; the message says why.
    """
    _check(rows)
    propensities = _foretell(rows, seed)
    overlap = (propensities >= OVERLAP) & (propensities <= 1.0 - OVERLAP)
    left_out = 1.0 - float(overlap.mean())
    # The extra's libraries are loaded here: they need not be there for anything else.
    metrics: Any = import_module("sklearn.metrics")
    foretold = float(metrics.roc_auc_score(rows.treated, propensities))
    if left_out > MOST_LEFT_OUT:
        raise UpliftRefusedError(
            f"for {left_out:.0%} of what was shown the rest of the log foretells whether it has "
            "the property, so there is nothing to compare it with: log pages of a ranker that "
            "explores, or leave out columns that follow from the property"
        )
    compared = rows.of(overlap)
    _check(compared)
    fitted = _fit(compared, seed)
    found = np.asarray(fitted.predictions["ml_m"], dtype=np.float64)[:, 0, 0]
    value, error = float(fitted.coef[0]), float(fitted.se[0])
    return Uplift(
        effect=Interval(value, value - _Z * error, value + _Z * error),
        p=float(fitted.pval[0]),
        naive=_naive(compared),
        rate=float(compared.outcome[~compared.treated].mean()),
        rows=len(compared.treated),
        treated=int(compared.treated.sum()),
        queries=len(np.unique(compared.query)),
        left_out=left_out,
        foretold=foretold,
        imbalance=_imbalance(compared, found),
        robustness=_robustness(fitted),
        propensities=found,
        has=compared.treated,
    )


def _check(rows: Rows) -> None:
    """Refuses what is too little to say anything."""
    queries = len(np.unique(rows.query))
    if queries < FEWEST_QUERIES:
        raise UpliftRefusedError(f"{queries} queries are too few: {FEWEST_QUERIES} are needed")
    for has, words in ((True, "with"), (False, "without")):
        group = rows.treated == has
        count, happened = int(group.sum()), int(rows.outcome[group].sum())
        if count < FEWEST_ROWS:
            raise UpliftRefusedError(
                f"{count} results {words} the property are too few: {FEWEST_ROWS} are needed"
            )
        if min(happened, count - happened) < FEWEST_OUTCOMES:
            raise UpliftRefusedError(
                f"{happened} outcomes among {count:,} results {words} the property: at least "
                f"{FEWEST_OUTCOMES} that happened and as many that did not are needed"
            )


def _learner(seed: int) -> Any:
    """Boosted trees, small and slow: what is foretold must be a probability, not a guess."""
    ensemble: Any = import_module("sklearn.ensemble")
    return ensemble.HistGradientBoostingClassifier(
        learning_rate=0.06,
        max_iter=80,
        max_leaf_nodes=8,
        min_samples_leaf=40,
        l2_regularization=1.0,
        random_state=seed,
    )


def _foretell(rows: Rows, seed: int) -> NDArray[np.float64]:
    """(rows,) the probability of the property, by models of other queries."""
    selection: Any = import_module("sklearn.model_selection")
    predicted: Any = selection.cross_val_predict(
        _learner(seed),
        rows.confounders,
        rows.treated,
        groups=rows.query,
        cv=selection.GroupKFold(FOLDS),
        method="predict_proba",
    )
    return np.asarray(predicted, dtype=np.float64)[:, 1]


def _fit(rows: Rows, seed: int) -> Any:
    """The library's model, fitted. It draws its folds, whole queries, by NumPy's global state."""
    library: Any = import_module("doubleml")
    state = np.random.get_state()
    np.random.seed(seed)
    try:
        data = library.DoubleMLData.from_arrays(
            rows.confounders,
            rows.outcome.astype(np.float64),
            rows.treated.astype(np.float64),
            cluster_vars=rows.query,
        )
        model = library.DoubleMLIRM(
            data,
            _learner(seed),
            _learner(seed),
            n_folds=FOLDS,
            ps_processor_config=library.utils.PSProcessorConfig(clipping_threshold=OVERLAP / 2),
        )
        return model.fit()
    finally:
        np.random.set_state(state)


def _naive(rows: Rows) -> Interval:
    """The difference of the two rates, its error summed by query."""
    outcome, has = rows.outcome.astype(np.float64), rows.treated
    share = float(has.mean())
    rates = [float(outcome[has].mean()), float(outcome[~has].mean())]
    influence = np.where(has, (outcome - rates[0]) / share, -(outcome - rates[1]) / (1.0 - share))
    by_query = np.bincount(rows.query, weights=influence)
    error = float(np.sqrt((by_query**2).sum())) / len(outcome)
    difference = rates[0] - rates[1]
    return Interval(difference, difference - _Z * error, difference + _Z * error)


def _imbalance(rows: Rows, propensities: NDArray[np.float64]) -> tuple[float, float]:
    has = rows.treated
    deviation = rows.confounders.std(axis=0)
    varies = deviation > 0
    weights = np.where(has, 1.0 / propensities, 1.0 / (1.0 - propensities))

    def largest(of: NDArray[np.float64]) -> float:
        means = [of[g] @ rows.confounders[g] / of[g].sum() for g in (has, ~has)]
        apart = np.abs(means[0] - means[1])[varies] / deviation[varies]
        return float(apart.max(initial=0.0))

    return largest(np.ones(len(has))), largest(weights)


def _robustness(fitted: Any) -> float:
    fitted.sensitivity_analysis()
    return float(np.ravel(fitted.sensitivity_params["rv"])[0])
