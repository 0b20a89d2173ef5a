"""Whether a trained model beats the linear one: folds of whole queries, paired bootstrap.

Efron and Tibshirani, "An Introduction to the Bootstrap", 1993: queries are drawn again with
replacement; the p-value is twice the share of draws in which the other model is as good.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.ranking.model import ScoringModel
from services.ranking.train.dataset import RankingData
from shared.evaluation.metrics import dcg
from shared.evaluation.significance import percentile_interval, resampled_means

DEPTH: Final = 10
FOLDS: Final = 5
RESAMPLES: Final = 10_000
SIGNIFICANT: Final = 0.05

Fit = Callable[[RankingData], ScoringModel]


@dataclass(frozen=True, slots=True)
class Measured:
    """nDCG@10 of one model, query by query."""

    full: NDArray[np.float64]
    """(queries,) over all candidates, an unjudged one counting as 0."""
    judged_only: NDArray[np.float64]
    """(queries,) over the judged candidates alone."""


@dataclass(frozen=True, slots=True)
class Difference:
    """How much one model is above another."""

    mean: float
    low: float
    high: float
    """The middle 95 % of draws."""
    p: float
    """Two-sided, above 0."""

    @property
    def better(self) -> bool:
        """Whether it is above the other, and that is no accident."""
        return self.mean > 0 and self.p < SIGNIFICANT


def measure(model: ScoringModel, data: RankingData) -> Measured:
    """Ranks the candidates of every query by a model."""
    full: list[float] = []
    judged_only: list[float] = []
    scores = model.score(data.features)
    for number, ideal in enumerate(data.ideals):
        rows = data.rows(number)
        order = np.argsort(-scores[rows], kind="stable")
        ratings, judged = data.ratings[rows][order], data.judged[rows][order]
        best = dcg(ideal[:DEPTH])
        full.append(dcg(ratings[:DEPTH].tolist()) / best)
        judged_only.append(dcg(ratings[judged][:DEPTH].tolist()) / best)
    return Measured(np.array(full), np.array(judged_only))


def cross_validate(
    data: RankingData,
    fits: Sequence[Fit],
    seed: int = 0,
    on_fold: Callable[[], object] = lambda: None,
) -> list[Measured]:
    """Measures every query by models that never saw it.

    Args:
        data: At least FOLDS queries.
        fits: How each model is made of the other folds' queries.
        seed: Of the folds, which are the same for all.
        on_fold: Called after each fold, for progress.

    Raises:
        ValueError: Fewer queries than folds.
    """
    count = len(data.texts)
    if count < FOLDS:
        raise ValueError(f"{FOLDS} folds need as many queries with relevant products, not {count}")
    order = np.random.default_rng(seed).permutation(count)
    found = [Measured(np.zeros(count), np.zeros(count)) for _ in fits]
    for fold in range(FOLDS):
        held = np.sort(order[fold::FOLDS])
        kept = np.setdiff1d(order, held)
        training, test = data.of_queries(kept.tolist()), data.of_queries(held.tolist())
        for fit, measured in zip(fits, found, strict=True):
            each = measure(fit(training), test)
            measured.full[held] = each.full
            measured.judged_only[held] = each.judged_only
        on_fold()
    return found


def paired_bootstrap(
    first: NDArray[np.float64], second: NDArray[np.float64], seed: int = 1
) -> Difference:
    """Compares two models on the same queries.

    Args:
        first: (queries,) of the one.
        second: (queries,) of the other.
        seed: The same seed gives the same answer.

    Raises:
        ValueError: No queries, or not as many of one as of the other.
    """
    if not len(first) or first.shape != second.shape:
        raise ValueError("the paired bootstrap needs the same queries of both")
    differences = first - second
    means = resampled_means(differences, resamples=RESAMPLES, seed=seed)
    found = percentile_interval(float(differences.mean()), means)
    tail = min(int((means <= 0).sum()), int((means >= 0).sum()))
    p = min(1.0, 2 * (tail + 1) / (RESAMPLES + 1))
    return Difference(found.mean, found.low, found.high, p)
