"""Variety: maximal marginal relevance (Carbonell and Goldstein, 1998).

Each place goes to the candidate with the best (1 - strength) * relevance - strength * similarity,
where the similarity is that to the most alike of those already placed.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.ranking.weights import Kind
from shared.category_path import category_text
from wherefore.common.v1.product_pb2 import Product


@dataclass(frozen=True, slots=True)
class Likeness:
    """What two products may share, as small integers; -1 where a product has none."""

    codes: dict[Kind, NDArray[np.int64]]
    """(candidates,) by kind; only kinds that two of them share."""
    weights: dict[Kind, float]
    """Similarity of two products that share only this kind, 0 to 1."""

    @classmethod
    def of(
        cls, products: Sequence[Product], kinds: Collection[Kind], weights: Mapping[Kind, float]
    ) -> "Likeness":
        """Reads the kinds that count from the products."""
        codes: dict[Kind, NDArray[np.int64]] = {
            kind: _codes([_KEYS[kind](product) for product in products]) for kind in kinds
        }
        return cls(
            # What no two products share makes none of them alike.
            {kind: found for kind, found in codes.items() if _shared(found)},
            {kind: weights.get(kind, 0.0) for kind in kinds},
        )

    def to(self, index: int) -> NDArray[np.float64]:
        """Similarity of every candidate to one of them: (candidates,), 0 to 1.

        Kinds add up to at most 1: one brand in one category is more alike than either alone.
        """
        total = np.zeros(len(next(iter(self.codes.values()))) if self.codes else 0)
        for kind, codes in self.codes.items():
            if codes[index] >= 0:
                total += self.weights[kind] * (codes == codes[index])
        return np.minimum(total, 1.0)


_KEYS: Final[Mapping[Kind, Callable[[Product], str]]] = {
    "variant_group": lambda product: product.variant_group_id,
    "brand": lambda product: product.brand.casefold(),
    "category": lambda product: category_text(product.category_path),
}


def _shared(codes: NDArray[np.int64]) -> bool:
    given = codes[codes >= 0]
    return len(np.unique(given)) < len(given)


def _codes(keys: Sequence[str]) -> NDArray[np.int64]:
    known: dict[str, int] = {}
    return np.array([known.setdefault(key, len(known)) if key else -1 for key in keys])


def diversify(
    scores: NDArray[np.float64], likeness: Likeness, strength: float, limit: int
) -> list[int]:
    """Orders candidates by score and variety.

    Args:
        scores: (candidates,), any scale; they are stretched to 0..1 as relevance.
        likeness: What candidates share.
        strength: 0 is the order of the scores, 1 variety only.
        limit: Places to fill.

    Returns:
        Indices of candidates, best first; ties keep the order that they came in.
    """
    by_score = np.argsort(-scores, kind="stable")
    if strength <= 0.0 or not likeness.codes or len(scores) < 2:  # noqa: PLR2004
        return [int(index) for index in by_score[:limit]]
    spread = float(np.ptp(scores))
    relevance = (scores - scores.min()) / spread if spread > 0 else np.zeros_like(scores)
    most_alike = np.zeros_like(relevance)
    open_places = np.ones(len(scores), dtype=bool)
    order: list[int] = []
    # Walking in the order of scores makes argmax break ties by score, then by arrival.
    for _ in range(min(limit, len(scores))):
        value = (1.0 - strength) * relevance - strength * most_alike
        value[~open_places] = -np.inf
        chosen = int(by_score[int(np.argmax(value[by_score]))])
        order.append(chosen)
        open_places[chosen] = False
        most_alike = np.maximum(most_alike, likeness.to(chosen))
    return order


def diversify_many(
    scores: NDArray[np.float64], likeness: Likeness, strength: float, limit: int
) -> NDArray[np.int64]:
    """Orders the same candidates by many scores at once, each as `diversify` does.

    Args:
        scores: (draws, candidates).
        likeness: What candidates share.
        strength: As for `diversify`.
        limit: Places to fill.

    Returns:
        (draws, places) indices of candidates.
    """
    draws, count = scores.shape
    by_score = np.argsort(-scores, axis=1, kind="stable")
    alike = np.zeros((count, count))
    if strength > 0.0 and likeness.codes:
        alike = np.array([likeness.to(index) for index in range(count)])
        np.fill_diagonal(alike, 0.0)  # what is placed is out of the way already
    if not alike.any():
        return by_score[:, :limit]
    spread = np.ptp(scores, axis=1, keepdims=True)
    lowest = scores.min(axis=1, keepdims=True)
    relevance = np.divide(scores - lowest, spread, out=np.zeros_like(scores), where=spread > 0)
    # Columns in the order of scores make argmax break ties by score, then by arrival.
    value = (1.0 - strength) * np.take_along_axis(relevance, by_score, axis=1)
    most_alike = np.zeros_like(value)
    closed = np.zeros_like(value)
    rows = np.arange(draws, dtype=np.int64)
    order = np.empty((draws, min(limit, count)), dtype=np.int64)
    for place in range(order.shape[1]):
        column = np.argmax(value - strength * most_alike - closed, axis=1)
        order[:, place] = by_score[rows, column]
        closed[rows, column] = np.inf
        nearness = np.take_along_axis(alike[order[:, place]], by_score, axis=1)
        np.maximum(most_alike, nearness, out=most_alike)
    return order
