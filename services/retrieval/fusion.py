"""Joins the rankings of several legs into one.

Weighted reciprocal rank fusion (Cormack, Clarke and Büttcher, "Reciprocal rank fusion outperforms
Condorcet and individual rank learning methods", SIGIR 2009):

    score(product) = sum over legs of  weight_leg / (k + rank_leg(product))

It needs ranks only, so legs whose scores mean different things can be joined without calibration.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from services.retrieval.store.port import Hit


@dataclass(frozen=True, slots=True)
class Placement:
    """Where one leg placed a product: its rank from 1, and the leg's own score."""

    rank: int
    score: float


@dataclass(slots=True)
class Fused:
    """A product after fusion."""

    point: str
    score: float = 0.0
    legs: dict[str, Placement] = field(default_factory=dict[str, Placement])


def fuse(
    legs: Mapping[str, Sequence[Hit]], weights: Mapping[str, float], k: float, limit: int
) -> list[Fused]:
    """Returns the best products over all legs, best first; ties in order of point.

    Args:
        legs: Results by the name of the leg, best first.
        weights: Weight by the name of the leg; 1 where it is not named.
        k: Smooths the difference between first ranks; the larger, the flatter.
        limit: Products to return.
    """
    fused: dict[str, Fused] = {}
    for leg, hits in legs.items():
        weight = weights.get(leg, 1.0)
        for rank, hit in enumerate(hits, start=1):
            entry = fused.setdefault(hit.point, Fused(hit.point))
            entry.legs[leg] = Placement(rank, hit.score)
            entry.score += weight / (k + rank)
    return sorted(fused.values(), key=lambda entry: (-entry.score, entry.point))[:limit]
