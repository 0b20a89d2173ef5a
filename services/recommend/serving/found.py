"""A product found, with what speaks for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from shared.rank_fusion import fused_scores


class Tie(StrEnum):
    """What ties a product to another one or to the user; see RelationKind of the contract."""

    BOUGHT_TOGETHER = "bought_together"
    VIEWED_TOGETHER = "viewed_together"
    FITS = "fits"
    FITTED_BY = "fitted_by"
    GOES_WITH = "goes_with"
    STEP_UP = "step_up"
    BOUGHT_BEFORE = "bought_before"
    DUE_AGAIN = "due_again"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One tie."""

    tie: Tie
    product_id: str = ""
    """The other product."""
    customers: int = 0
    age_seconds: float = 0.0
    purchases: int = 0
    words: str = ""
    interval_days: int = 0
    """Usually between two orders."""


@dataclass(frozen=True, slots=True)
class Found:
    """One product that a leg found."""

    product_id: str
    score: float
    """Higher is better; comparable within the leg."""
    evidence: tuple[Evidence, ...] = ()
    """The strongest first."""


@dataclass(frozen=True, slots=True)
class Merged:
    """One product that any leg found."""

    product_id: str
    score: float
    places: Mapping[str, tuple[int, float]]
    """Rank, from 1, and score by leg."""
    evidence: tuple[Evidence, ...]


def add_up(found: Iterable[Found]) -> list[Found]:
    """Returns each product once, best first: scores of several seeds add up.

    Evidence of the strongest find comes first; ids break ties.
    """
    by_id: dict[str, list[Found]] = {}
    for each in found:
        by_id.setdefault(each.product_id, []).append(each)
    summed: list[Found] = []
    for product_id, finds in by_id.items():
        finds.sort(key=lambda each: -each.score)
        evidence = tuple(dict.fromkeys(e for each in finds for e in each.evidence))
        summed.append(Found(product_id, sum(each.score for each in finds), evidence))
    return sorted(summed, key=lambda each: (-each.score, each.product_id))


def merge(legs: Mapping[str, Sequence[Found]], weights: Mapping[str, float]) -> list[Merged]:
    """Merges legs: by its own score where there is one, by weighted reciprocal ranks else."""
    places: dict[str, dict[str, tuple[int, float]]] = {}
    evidence: dict[str, list[Evidence]] = {}
    for leg in sorted(legs, key=lambda leg: -weights[leg]):
        for rank, each in enumerate(legs[leg], start=1):
            places.setdefault(each.product_id, {})[leg] = (rank, each.score)
            evidence.setdefault(each.product_id, []).extend(each.evidence)
    if len(legs) == 1:
        scores = {each.product_id: each.score for found in legs.values() for each in found}
    else:
        scores = fused_scores(
            (weights[leg], [each.product_id for each in found]) for leg, found in legs.items()
        )
    merged = [
        Merged(product_id, scores[product_id], there, tuple(dict.fromkeys(evidence[product_id])))
        for product_id, there in places.items()
    ]
    return sorted(merged, key=lambda each: (-each.score, each.product_id))
