"""Features: from candidates to the matrix that models read.

Every feature lies between 0 and 1 by its own formula (docs/ranking.md has the table), so a weight
says how much the score changes between the worst and the best value. Standard scores are not used:
over a page of few candidates they blow small differences up.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.ranking import constraint_features as constraint
from services.ranking import quality_features as quality
from services.ranking.product_text import ProductTextCache
from services.ranking.query import QueryView
from services.ranking.reason_strength import best_reason
from services.ranking.text_features import text_features
from services.ranking.type_features import type_modifier
from wherefore.common.v1.user_profile_pb2 import UserProfile
from wherefore.retrieval.v1.candidate_pb2 import Candidate

PICTURE: Final = "picture_cosine"
RETRIEVAL: Final = (
    "fused_score",
    "dense_similarity",
    "dense_cosine",
    "dense_rank",
    "sparse_score",
    "sparse_rank",
    "similar_cosine",
    "popular_rank",
    "cross_score",
    PICTURE,
)
TEXT: Final = (
    "title_coverage",
    "title_phrase",
    "title_head",
    "title_focus",
    "accessory_mention",
    "type_match",
    "brand_match",
    "model_match",
    "entity_agreement",
)
TYPE: Final = ("type_modifier",)
CONSTRAINT: Final = ("price_fit", "soft_match", "unwanted")
QUALITY: Final = ("rating", "popularity", "stock", "freshness")
USER: Final = (
    "brand_affinity",
    "category_affinity",
    "price_affinity",
    "user_recency",
    "already_bought",
)
_LEGS: Final = ("dense", "sparse", "similar", "popular", "cross", "picture")
REASON: Final = ("best_reason",)
_OTHERS: Final = (*RETRIEVAL, *TYPE, *TEXT, *CONSTRAINT, *QUALITY, *USER)
FEATURES: Final = (*_OTHERS, *REASON)
"""Names in the order of the matrix's columns."""
FEATURE_SET: Final = hashlib.blake2b(" ".join(FEATURES).encode(), digest_size=6).hexdigest()
"""Id of this list: rows of numbers that were kept under another one are of other features."""

RANK_SMOOTHING: Final = 10
"""Rank r counts as k / (k + r - 1): 1 for the first, 1/2 for the eleventh with k = 10."""

MOST_LOG_ODDS: Final = 8.0
"""Log-odds of the cross-encoder that count as certain."""


@dataclass(frozen=True, slots=True)
class FeatureTable:
    """Features of one request's candidates."""

    values: NDArray[np.float64]
    """(candidates, len(FEATURES)), each 0 to 1."""
    cosine: NDArray[np.float64]
    """(candidates,) raw cosine with the query, -1 to 1; NaN where the dense leg did not say."""

    def column(self, name: str) -> NDArray[np.float64]:
        """Returns one feature of all candidates, shape (candidates,)."""
        return self.values[:, FEATURES.index(name)]


def compute_features(
    query: QueryView,
    candidates: Sequence[Candidate],
    user: UserProfile | None,
    texts: ProductTextCache,
    now: float,
) -> FeatureTable:
    """Computes all features of all candidates.

    Args:
        query: The query; an empty view for recommendations.
        candidates: At least one.
        user: What is known of the user, or None.
        texts: Analysed titles.
        now: Seconds since the epoch, for freshness.
    """
    retrieval, cosine = _retrieval_columns(candidates)
    person = quality.view_user(user) if user is not None else None
    analysed = [texts.get(candidate.product) for candidate in candidates]
    types = type_modifier(query, analysed)
    rows: list[tuple[float, ...]] = []
    for candidate, text in zip(candidates, analysed, strict=True):
        product = candidate.product
        from_user = (
            (
                quality.brand_affinity(person, product),
                quality.category_affinity(person, product),
                quality.price_affinity(person, product),
                quality.user_recency(person, product),
                quality.already_bought(person, product),
            )
            if person is not None
            else (0.0,) * len(USER)
        )
        rows.append(
            (
                *text_features(query, product, text),
                constraint.price_fit(query, product),
                constraint.soft_match(query, product, text),
                constraint.unwanted(query, product, text),
                quality.rating(product),
                quality.popularity(product),
                quality.stock(product),
                quality.freshness(product, now),
                *from_user,
            )
        )
    others = np.hstack([retrieval, types[:, np.newaxis], np.array(rows, dtype=np.float64)])
    reason = best_reason(dict(zip(_OTHERS, others.T, strict=True)), candidates)
    return FeatureTable(np.column_stack([others, reason]), cosine)


def _retrieval_columns(
    candidates: Sequence[Candidate],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    legs = _legs(candidates)
    columns = (
        _over_max(np.array([c.fused_score for c in candidates], dtype=np.float64)),
        np.clip(_lowest_for_unknown(legs["dense"][0]), 0.0, 1.0),
        _min_max(legs["dense"][0]),
        _reciprocal(legs["dense"][1]),
        _over_max(np.nan_to_num(legs["sparse"][0])),
        _reciprocal(legs["sparse"][1]),
        np.clip(np.nan_to_num(legs["similar"][0]), 0.0, 1.0),
        _reciprocal(legs["popular"][1]),
        _log_odds(legs["cross"][0]),
        _min_max(legs["picture"][0]),
    )
    return np.stack(columns, axis=1), legs["dense"][0]


def _legs(candidates: Sequence[Candidate]) -> dict[str, NDArray[np.float64]]:
    """Returns scores and ranks by leg, (2, candidates); NaN where it left the candidate out."""
    legs = {leg: np.full((2, len(candidates)), np.nan) for leg in _LEGS}
    for row, candidate in enumerate(candidates):
        for leg in candidate.legs:
            if (found := legs.get(leg.leg)) is not None:
                found[0, row], found[1, row] = leg.score, leg.rank
    return legs


def _over_max(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    top = float(scores.max(initial=0.0))
    return np.clip(scores / top, 0.0, 1.0) if top > 0 else np.zeros_like(scores)


def _min_max(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Stretches scores to 0..1; what the leg left out is no nearer than the leg's last."""
    known = scores[~np.isnan(scores)]
    if known.size == 0:
        return np.zeros_like(scores)
    low, high = float(known.min()), float(known.max())
    if high <= low:
        return np.where(np.isnan(scores), 0.0, 1.0)
    return np.nan_to_num((scores - low) / (high - low), nan=0.0)


def _lowest_for_unknown(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Gives what a leg left out the leg's lowest score; 0 where it left out all."""
    known = scores[~np.isnan(scores)]
    return np.nan_to_num(scores, nan=float(known.min()) if known.size else 0.0)


def _log_odds(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probabilities of a leg by their log-odds, -MOST_LOG_ODDS..MOST_LOG_ODDS to 0..1.

    Probabilities crowd at both ends; the model that gave them added up log-odds.
    """
    if np.isnan(probabilities).all():
        return np.zeros_like(probabilities)
    least = 1.0 / (1.0 + np.exp(MOST_LOG_ODDS))
    known = np.clip(_lowest_for_unknown(probabilities), least, 1.0 - least)
    return 0.5 + np.log(known / (1.0 - known)) / (2.0 * MOST_LOG_ODDS)


def _reciprocal(ranks: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.nan_to_num(RANK_SMOOTHING / (RANK_SMOOTHING + np.maximum(ranks, 1.0) - 1.0), nan=0.0)
