"""How strong the best reason is that may be given for a candidate, from what ranking knows of it.

The reason service finds and verifies evidence for a page; for every candidate that would cost more
than the ranking. Most of its evidence rests on what features say already, so the strength of the
strongest piece is told here from them and the product's own fields. What needs more than that is
left out: ties to other products, comparisons with the page, exclusions.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.ranking.quality_features import FRESH_DAYS
from wherefore.retrieval.v1.candidate_pb2 import Candidate

STRENGTHS: Final = {
    "price_fit": 0.95,
    "attribute_match": 0.9,
    "brand_match": 0.85,
    "product_type_match": 0.8,
    "title_match": 0.6,
    "chosen_before": 0.55,
    "praised": 0.5,
    "seen_before": 0.5,
    "popular": 0.45,
    "discount": 0.45,
    "well_reviewed": 0.4,
    "brand_affinity": 0.35,
    "category_affinity": 0.3,
    "new_arrival": 0.3,
}
"""Strength of evidence by its code, as docs/reasons.md has it; the least where it varies."""
_MIN_TITLE_SHARE: Final = 0.5
_MIN_AFFINITY: Final = 0.2
_BY_SHARE: Final = 0.2
"""What a whole share of a user's interest, or many ratings, add to the strength."""
_MIN_STARS, _MIN_RATINGS, _MANY_RATINGS = 4.0, 5, 200
_MIN_PRAISE, _PRAISE_RATIO = 3, 3
_MIN_SALES: Final = 10
_MIN_DISCOUNT: Final = 0.05
_NEW_DAYS: Final = 60
_NEW: Final = math.exp(-_NEW_DAYS / FRESH_DAYS)
"""Least `freshness` of what is called new."""


def best_reason(
    columns: Mapping[str, NDArray[np.float64]], candidates: Sequence[Candidate]
) -> NDArray[np.float64]:
    """Returns the strength of each candidate's strongest evidence, (candidates,), 0 to 1.

    Args:
        columns: The other features by name, (candidates,) each.
        candidates: In the same order.
    """
    title, brand, category = (
        columns[name] for name in ("title_coverage", "brand_affinity", "category_affinity")
    )
    strengths = [
        STRENGTHS["price_fit"] * (columns["price_fit"] >= 1.0),
        STRENGTHS["attribute_match"] * (columns["entity_agreement"] > 0.0),
        STRENGTHS["brand_match"] * (columns["brand_match"] >= 1.0),
        STRENGTHS["product_type_match"] * (columns["type_match"] >= 1.0),
        STRENGTHS["title_match"] * title * (title >= _MIN_TITLE_SHARE),
        STRENGTHS["seen_before"] * (columns["user_recency"] > 0.0),
        STRENGTHS["new_arrival"] * (columns["freshness"] >= _NEW),
        (STRENGTHS["brand_affinity"] + _BY_SHARE * brand) * (brand >= _MIN_AFFINITY),
        (STRENGTHS["category_affinity"] + _BY_SHARE * category) * (category >= _MIN_AFFINITY),
        np.array([_of_product(candidate) for candidate in candidates], dtype=np.float64),
    ]
    return np.clip(np.max(strengths, axis=0), 0.0, 1.0)


def _of_product(candidate: Candidate) -> float:
    """Strength of what others say and pay: reviews, sales, list price, choices."""
    product = candidate.product
    best = 0.0
    summary = product.review_summary
    count = summary.rating_count
    if count >= _MIN_RATINGS and summary.average_rating >= _MIN_STARS:
        best = STRENGTHS["well_reviewed"] + _BY_SHARE * min(count / _MANY_RATINGS, 1.0)
    for opinion in summary.opinions:
        praise, fault = opinion.positive_count, opinion.negative_count
        if praise >= max(_MIN_PRAISE, _PRAISE_RATIO * fault):
            best = max(best, STRENGTHS["praised"])
    if product.statistics.purchase_count >= _MIN_SALES:
        best = max(best, STRENGTHS["popular"])
    price = product.price
    if price.list_amount * (1.0 - _MIN_DISCOUNT) >= price.amount > 0.0:
        best = max(best, STRENGTHS["discount"])
    if any(leg.leg == "chosen" for leg in candidate.legs):
        best = max(best, STRENGTHS["chosen_before"])
    return best
