"""Better ones of the same kind: dearer within reach, not rated worse, alike in what they are.

Two or three ratings do not make a product worse than another: what has so few is let through.
"""

from __future__ import annotations

from services.recommend.serving.found import Evidence, Found, Tie
from services.recommend.serving.snapshot import Card, Snapshot
from shared.reach import DEAREST

_WORSE = 0.1
"""Stars that it may be rated less."""
_MIN_RATINGS = 5
"""Ratings of both from which stars are compared, and told."""
_MIN_GAIN = 0.1


def above(snapshot: Snapshot, product_id: str, limit: int) -> list[Found]:
    """Returns better ones of a product's kind, best first; scores 0 to 1.

    None for a product that is unknown or has neither category nor price.
    """
    seed = snapshot.cards.get(product_id)
    if seed is None or not seed.category or seed.price <= 0:
        return []
    found = [
        Found(card.product_id, _score(card, seed), (_evidence(card, seed),))
        for card in snapshot.in_category(seed.category)
        if _is_better(card, seed)
    ]
    return sorted(found, key=lambda each: (-each.score, each.product_id))[:limit]


def _is_better(card: Card, seed: Card) -> bool:
    return (
        card.product_id != seed.product_id
        and card.category == seed.category
        and card.currency == seed.currency
        and seed.price < card.price <= DEAREST * seed.price
        and not (_are_rated(card, seed) and card.stars < seed.stars - _WORSE)
        and card.suits(seed)
    )


def _are_rated(card: Card, seed: Card) -> bool:
    return min(card.rated[1], seed.rated[1]) >= _MIN_RATINGS


def _score(card: Card, seed: Card) -> float:
    either = len(card.values | seed.values)
    alike = len(card.values & seed.values) / either if either else 0.0
    gain = min(max(0.0, card.stars - seed.stars), 1.0)
    near = (DEAREST * seed.price - card.price) / ((DEAREST - 1.0) * seed.price)
    return 0.4 * alike + 0.3 * gain + 0.1 * near + 0.2 * card.quality


def _evidence(card: Card, seed: Card) -> Evidence:
    (stars, _), (others, _) = card.rated, seed.rated
    told = _are_rated(card, seed) and stars >= others + _MIN_GAIN
    return Evidence(Tie.STEP_UP, seed.product_id, words=repr(others) if told else "")
