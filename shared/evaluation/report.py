"""Averages of the measures over the queries of a judgements file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from shared.evaluation import metrics
from shared.evaluation.judgments import Judgments

RELEVANT_RATING = metrics.RELEVANT_RATING
NDCG = "ndcg@10"
NDCG_JUDGED_ONLY = "ndcg@10_judged_only"
JUDGED = "judged@10"
MRR = "mrr@10"
RECALL = "recall@100"

CONVENTIONS = {
    NDCG: "gain 2^rating - 1, discount 1/log2(1 + rank); ranks the full catalogue, an unjudged "
    "product counts as rated 0, the ideal is made of all judged products of the query",
    NDCG_JUDGED_ONLY: "the same over a ranking of the query's judged products alone; a judged "
    "product that the system does not return has no place in it",
    JUDGED: "share of the first 10 results that were judged",
    MRR: f"relevant means rated {RELEVANT_RATING} or more",
    RECALL: f"relevant means rated {RELEVANT_RATING} or more",
    "queries": "a query without any relevant product has no ideal order: it is left out of nDCG, "
    "MRR and recall, and counted in queries_without_relevant",
}
"""What each figure means, for the reader of a report."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """What one system returned for one query."""

    full: Sequence[str]
    """Product ids over the full catalogue, best first; 100 are enough for all measures."""
    judged_only: Sequence[str]
    """The judged products alone in the system's order, best first."""


_MEASURES: dict[str, Callable[[Ranking, Mapping[str, int]], float | None]] = {
    NDCG: lambda ranking, ratings: metrics.ndcg(ranking.full, ratings, 10),
    NDCG_JUDGED_ONLY: lambda ranking, ratings: metrics.ndcg(
        metrics.condensed(ranking.judged_only, ratings), ratings, 10
    ),
    JUDGED: lambda ranking, ratings: metrics.judged(ranking.full, ratings, 10),
    MRR: lambda ranking, ratings: metrics.reciprocal_rank(ranking.full, ratings, 10),
    RECALL: lambda ranking, ratings: metrics.recall(ranking.full, ratings, 100),
}


@dataclass(frozen=True, slots=True)
class SystemReport:
    """The measures of one system, by query and on average."""

    by_query: Mapping[str, Mapping[str, float]]
    """Value by query, by measure; queries for which a measure is undefined are absent."""

    def means(self) -> dict[str, float | None]:
        """Average of each measure over the queries that define it; None where none does."""
        return {
            measure: float(np.mean(list(values.values()))) if values else None
            for measure, values in self.by_query.items()
        }


def score(rankings: Mapping[str, Ranking], judgments: Judgments) -> SystemReport:
    """Score one system.

    Args:
        rankings: What it returned, by query; a query that is judged but absent scores as if nothing
            had been returned.
        judgments: Ratings by product, by query.
    """
    nothing = Ranking((), ())
    by_query: dict[str, dict[str, float]] = {measure: {} for measure in _MEASURES}
    for query, ratings in judgments.items():
        for measure, compute in _MEASURES.items():
            value = compute(rankings.get(query, nothing), ratings)
            if value is not None:
                by_query[measure][query] = value
    return SystemReport(by_query)


def queries_without_relevant(judgments: Judgments) -> list[str]:
    """Queries of which no product is rated relevant."""
    return [
        query
        for query, ratings in judgments.items()
        if not any(rating >= RELEVANT_RATING for rating in ratings.values())
    ]
