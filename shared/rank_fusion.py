"""Weighted reciprocal rank fusion: several rankings become one, by ranks alone.

Cormack, Clarke and Büttcher, "Reciprocal rank fusion outperforms Condorcet and individual rank
learning methods", SIGIR 2009:

    score(id) = sum over rankings of  weight / (k + rank in the ranking, from 1)

Scores of the rankings need not be comparable, so nothing has to be calibrated.
"""

from collections.abc import Iterable
from typing import Final

K: Final = 60.0
"""The paper's; the larger, the less the first ranks differ."""


def fused_scores(rankings: Iterable[tuple[float, Iterable[str]]], k: float = K) -> dict[str, float]:
    """Returns the score of every id that any ranking names, in the order they were first seen in.

    Args:
        rankings: Weight and ids, best first, of each; no ranking names an id twice.
        k: Smooths the difference between first ranks; above 0.
    """
    scores: dict[str, float] = {}
    for weight, ids in rankings:
        for rank, item in enumerate(ids, start=1):
            scores[item] = scores.get(item, 0.0) + weight / (k + rank)
    return scores
