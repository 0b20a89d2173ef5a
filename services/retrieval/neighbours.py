"""Neighbours of products: near the weighted mean of their vectors, or by their words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.retrieval.store.conditions import Condition
from services.retrieval.store.port import Hit, Record, SparseVector, VectorIndex, point_id
from shared.errors import NotFoundError


@dataclass(frozen=True, slots=True)
class SimilarQuery:
    """What neighbours are looked for; one weight for each product."""

    product_ids: Sequence[str]
    weights: Sequence[float]
    filter: str = ""
    excluded_ids: Sequence[str] = ()
    limit: int = 100
    mask: Sequence[str] = ()


def nearest(index: VectorIndex, query: SimilarQuery, where: Condition | None) -> list[Hit]:
    """Finds neighbours of products, best first; blocks.

    Products without a vector, where none of them has one, are compared by their words instead.

    Args:
        index: Where to look.
        query: Of which products, and how many.
        where: What neighbours must meet.

    Raises:
        NotFoundError: When none of the products is there.
    """
    weight_of: dict[str, float] = {}
    for product_id, weight in zip(query.product_ids, query.weights, strict=True):
        weight_of[product_id] = weight_of.get(product_id, 0.0) + weight
    records = index.fetch([point_id(each) for each in weight_of], (), vectors=True)
    if not records:
        raise NotFoundError("none of the products is in the catalogue")
    mean = _mean_vector(records, weight_of)
    if mean is not None:
        return index.search_dense(mean, query.limit, where)
    words = _sum_of_words(records, weight_of)
    return index.search_sparse(words, query.limit, where) if words.indices else []


def _mean_vector(
    records: Sequence[Record], weight_of: Mapping[str, float]
) -> NDArray[np.float32] | None:
    """Returns the weighted mean of the vectors at unit length; None when there is no direction."""
    vectors = [(weight_of[r.product_id], r.dense) for r in records if r.dense is not None]
    if not vectors:
        return None
    weights = np.array([weight for weight, _ in vectors], dtype=np.float32)
    mean: NDArray[np.float32] = weights @ np.stack([vector for _, vector in vectors])
    length = np.linalg.norm(mean)
    return (mean / length).astype(np.float32) if length > 0 else None


def _sum_of_words(records: Sequence[Record], weight_of: Mapping[str, float]) -> SparseVector:
    weights: dict[int, float] = {}
    for record in records:
        if record.sparse is not None:
            factor = weight_of[record.product_id]
            for index, value in zip(record.sparse.indices, record.sparse.values, strict=True):
                weights[index] = weights.get(index, 0.0) + factor * value
    return SparseVector(tuple(weights), tuple(weights.values()))
