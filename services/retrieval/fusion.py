"""Joins the rankings of several legs into one, by weighted reciprocal ranks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from services.retrieval.store.port import Hit
from shared.rank_fusion import fused_scores


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
    rankings = ((weights.get(leg, 1.0), [hit.point for hit in hits]) for leg, hits in legs.items())
    fused = {point: Fused(point, score) for point, score in fused_scores(rankings, k).items()}
    for leg, hits in legs.items():
        for rank, hit in enumerate(hits, start=1):
            fused[hit.point].legs[leg] = Placement(rank, hit.score)
    return sorted(fused.values(), key=lambda entry: (-entry.score, entry.point))[:limit]
