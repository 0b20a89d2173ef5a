"""Variety: maximal marginal relevance (Carbonell and Goldstein, 1998).

Each place goes to the candidate with the best (1 - strength) * relevance - strength * similarity,
where the similarity is that to the most alike of those already placed.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.ranking.weights import Kind
from wherefore.common.v1.product_pb2 import Product


@dataclass(frozen=True, slots=True)
class Likeness:
    """What two products may share, as small integers; -1 where a product has none."""

    codes: dict[Kind, NDArray[np.int64]]
    """(candidates,) by kind."""
    weights: dict[Kind, float]
    """Similarity of two products that share only this kind, 0 to 1."""

    @classmethod
    def of(
        cls, products: Sequence[Product], kinds: Collection[Kind], weights: Mapping[Kind, float]
    ) -> "Likeness":
        """Reads the kinds that count from the products."""
        keys: dict[Kind, list[str]] = {
            "variant_group": [p.variant_group_id for p in products],
            "brand": [p.brand.casefold() for p in products],
            "category": [" > ".join(p.category_path) for p in products],
        }
        return cls(
            {kind: _codes(keys[kind]) for kind in kinds},
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
