"""Measures of one ranking against graded judgements, computed with numpy.

All of them take a ranking as product ids, best first, without repeats, and the judgements of its
query as ratings by product id. A product without a judgement counts as rated 0.

Sources: Järvelin and Kekäläinen, "Cumulated gain-based evaluation of IR techniques", TOIS 20(4),
2002, for (n)DCG; Burges et al., "Learning to rank using gradient descent", ICML 2005, for the gain
2^rating - 1 and the discount 1 / log2(1 + rank).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

RELEVANT_RATING = 1
"""Least rating that counts as relevant in the measures that know only relevant or not."""


def gains(ratings: Sequence[int]) -> NDArray[np.float64]:
    """Gain of each rating, 2^rating - 1."""
    return np.exp2(np.asarray(ratings, dtype=np.float64)) - 1.0


def dcg(ratings: Sequence[int]) -> float:
    """Discounted cumulated gain of ratings in the order of the ranking."""
    if not ratings:
        return 0.0
    ranks = np.arange(1, len(ratings) + 1, dtype=np.float64)
    return float(np.sum(gains(ratings) / np.log2(1.0 + ranks)))


def ndcg(ranking: Sequence[str], ratings: Mapping[str, int], k: int = 10) -> float | None:
    """Normalised DCG of the first `k`, 0 to 1.

    The ideal is the best order of all judged products of the query, returned or not.

    Returns:
        None when no product of the query is rated above 0: there is no ideal to divide by.
    """
    _check_distinct(ranking)
    ideal = dcg(sorted(ratings.values(), reverse=True)[:k])
    if ideal == 0.0:
        return None
    # The two sums may differ in the last bit for a perfect order of equal ratings.
    return min(1.0, dcg([ratings.get(product_id, 0) for product_id in ranking[:k]]) / ideal)


def reciprocal_rank(
    ranking: Sequence[str],
    ratings: Mapping[str, int],
    k: int = 10,
    relevant_rating: int = RELEVANT_RATING,
) -> float | None:
    """One over the rank of the first relevant product among the first `k`; 0 when there is none.

    Returns:
        None when no product of the query is relevant.
    """
    _check_distinct(ranking)
    if not any(rating >= relevant_rating for rating in ratings.values()):
        return None
    for rank, product_id in enumerate(ranking[:k], start=1):
        if ratings.get(product_id, 0) >= relevant_rating:
            return 1.0 / rank
    return 0.0


def recall(
    ranking: Sequence[str],
    ratings: Mapping[str, int],
    k: int = 100,
    relevant_rating: int = RELEVANT_RATING,
) -> float | None:
    """Share of the query's relevant products among the first `k`, 0 to 1.

    Returns:
        None when no product of the query is relevant.
    """
    _check_distinct(ranking)
    relevant = {product_id for product_id, rating in ratings.items() if rating >= relevant_rating}
    if not relevant:
        return None
    return len(relevant.intersection(ranking[:k])) / len(relevant)


def judged(ranking: Sequence[str], ratings: Mapping[str, int], k: int = 10) -> float:
    """Share of the first `k` results that were judged, 0 to 1; 0 when nothing was returned.

    A low share means that nDCG over the full catalogue understates the ranking.
    """
    _check_distinct(ranking)
    head = ranking[:k]
    return sum(product_id in ratings for product_id in head) / len(head) if head else 0.0


def condensed(ranking: Sequence[str], ratings: Mapping[str, int]) -> list[str]:
    """The ranking without its unjudged products (Sakai, SIGIR 2007)."""
    return [product_id for product_id in ranking if product_id in ratings]


def _check_distinct(ranking: Sequence[str]) -> None:
    """Refuse a ranking that repeats a product: its gain would be counted twice."""
    if len(set(ranking)) != len(ranking):
        raise ValueError("a ranking must not name a product twice")
