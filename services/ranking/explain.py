"""Contributions in words: what each feature added, and how to say it."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.ranking.features import FEATURES

LABELS: Final = {
    "fused_score": "found high by all searches together",
    "dense_similarity": "means much the same as the query",
    "dense_cosine": "closer to the query in meaning than others",
    "dense_rank": "among the first in meaning",
    "sparse_score": "shares the query's rare words",
    "sparse_rank": "among the first by words",
    "similar_cosine": "similar to products of interest",
    "popular_rank": "among the most popular",
    "cross_score": "answers the query, read together with it",
    "picture_cosine": "its pictures come closer to what is sought in them than others",
    "type_modifier": "is of the type asked for, not only for it",
    "title_coverage": "title holds the query's words",
    "title_phrase": "title holds the query word for word",
    "title_head": "is what the query names",
    "title_focus": "title says little else",
    "accessory_mention": 'title names the query, not after "for" or "with"',
    "type_match": "matches the product type",
    "brand_match": "is of the brand asked for",
    "model_match": "is the model asked for",
    "entity_agreement": "has the attributes asked for",
    "price_fit": "fits the price asked for",
    "soft_match": "meets the wishes of the query",
    "unwanted": "has nothing that the query does not want",
    "rating": "is rated well",
    "popularity": "is bought and viewed often",
    "stock": "is in stock",
    "freshness": "is new",
    "brand_affinity": "is of a brand the user likes",
    "category_affinity": "is of a category the user likes",
    "price_affinity": "costs what the user usually pays",
    "user_recency": "was looked at by the user of late",
    "already_bought": "was not bought by the user of late",
    "best_reason": "has more to be said for it",
}
"""What lifts a score against the other candidates, by feature, in English; clients translate by the
feature's name."""

LOWERED: Final = {
    "fused_score": "found lower by all searches together",
    "dense_similarity": "means less the same as the query",
    "dense_cosine": "further from the query in meaning than others",
    "dense_rank": "further back in meaning",
    "sparse_score": "shares fewer of the query's rare words",
    "sparse_rank": "further back by words",
    "similar_cosine": "less similar to products of interest",
    "popular_rank": "further back among the popular",
    "cross_score": "answers the query less, read together with it",
    "picture_cosine": "its pictures are further from what is sought in them than others",
    "type_modifier": "is only for the type asked for",
    "title_coverage": "title lacks words of the query",
    "title_phrase": "title does not hold the query word for word",
    "title_head": "is not quite what the query names",
    "title_focus": "title says much else",
    "accessory_mention": 'title has words of the query only after "for" or "with"',
    "type_match": "matches the product type less",
    "brand_match": "is not of the brand asked for",
    "model_match": "is not the model asked for",
    "entity_agreement": "lacks attributes asked for",
    "price_fit": "fits the price asked for less",
    "soft_match": "meets the wishes of the query less",
    "unwanted": "has what the query does not want",
    "rating": "is rated lower than others",
    "popularity": "is bought and viewed less often",
    "stock": "is not in stock",
    "freshness": "is less new",
    "brand_affinity": "is of a brand the user likes less",
    "category_affinity": "is of a category the user likes less",
    "price_affinity": "is far from what the user usually pays",
    "user_recency": "was not looked at by the user of late",
    "already_bought": "was bought by the user of late",
    "best_reason": "has less to be said for it",
}
"""The same for what lowers it."""

TELLING: Final = {"rating": 0.01, "popularity": 0.02, "price_affinity": 0.005, "user_recency": 0.0}
"""Features that a shopper understands to have lifted a product, so that a reason may say so, each
with what it must have added for that."""
_TELLING: Final = [FEATURES.index(name) for name in TELLING]
_LEAST: Final = np.array(list(TELLING.values()))


def label_of(feature: str, contribution: float) -> str:
    """Returns what a contribution says of a product: a lowered score is told as a lack."""
    labels = LOWERED if contribution < 0.0 else LABELS
    return labels.get(feature, feature)


@dataclass(frozen=True, slots=True)
class FeatureContribution:
    """What one feature added to one score."""

    feature: str
    value: float
    contribution: float
    label: str


def explain(
    values: NDArray[np.float64], contributions: NDArray[np.float64], *, with_values: bool = False
) -> list[FeatureContribution]:
    """Returns the contributions of one candidate that are not 0, largest magnitude first.

    Args:
        values: (features,) of the candidate.
        contributions: (features,) as `LinearModel.contributions` gives them.
        with_values: Whether features follow that add nothing but are not 0, for logs.
    """
    order = np.argsort(-np.abs(contributions), kind="stable")
    return [
        FeatureContribution(
            FEATURES[index],
            float(values[index]),
            float(contributions[index]),
            label_of(FEATURES[index], float(contributions[index])),
        )
        for index in (int(position) for position in order)
        if contributions[index] != 0.0 or (with_values and values[index] != 0.0)
    ]


def telling(
    values: NDArray[np.float64], contributions: NDArray[np.float64]
) -> dict[int, list[FeatureContribution]]:
    """Returns what of `explain` a reason may tell, by row; most rows have nothing.

    Args:
        values: (candidates, features).
        contributions: (candidates, features).
    """
    added = contributions[:, _TELLING]
    found: dict[int, list[FeatureContribution]] = {}
    for row, column in np.argwhere(added > _LEAST).tolist():
        at = _TELLING[column]
        name = FEATURES[at]
        told = FeatureContribution(
            name, float(values[row, at]), float(added[row, column]), LABELS[name]
        )
        found.setdefault(row, []).append(told)
    return found
