"""Whether a trained model beats the linear one: both measured by folds of whole queries."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.ranking.model import ScoringModel
from services.ranking.train.dataset import RankingData
from shared.evaluation.metrics import dcg

DEPTH: Final = 10
FOLDS: Final = 5

Fit = Callable[[RankingData], ScoringModel]


@dataclass(frozen=True, slots=True)
class Measured:
    """nDCG@10 of one model, query by query."""

    full: NDArray[np.float64]
    """(queries,) over all candidates, an unjudged one counting as 0."""
    judged_only: NDArray[np.float64]
    """(queries,) over the judged candidates alone."""


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
