"""What goes with a product, by the knowledge graph: what fits it, then what its kind goes with.

Which categories go together says nothing of which of their products do. Those come first that
baskets hold more often than others of their category, beside anything and beside the seed's kind.
"""

from __future__ import annotations

import math

from services.recommend.graph.compatibility import EXACT
from services.recommend.graph.link_statistics import SeedStatistics
from services.recommend.graph.paths import misfit
from services.recommend.graph.queries import compatible, complements
from services.recommend.graph.schema import Source
from services.recommend.serving.found import Evidence, Found, Tie
from services.recommend.serving.snapshot import Card, Snapshot

_GOES_WITH = 0.6
"""What going together by kind counts at most, against 1 for fitting."""
_PER_CATEGORY = 30
"""Most products of a category that goes with it."""
# Nobody adds a camera to a memory card; an accessory may cost somewhat more than what it is for.
_DEAREST = 1.5
TOLD = (Source.LINKS,)
"""Sources from which going together is known. From attributes it is a guess; and that some of a
kind fit some of another says nothing of two that are not known to fit: neither is told."""


def beside(snapshot: Snapshot, product_id: str, limit: int) -> list[Found]:
    """Returns what goes with a product, best first; scores 0 to 1. None for an unknown product."""
    seed = snapshot.cards.get(product_id)
    if seed is None:
        return []
    found = {each.product_id: each for each in _related(snapshot, seed)}
    found |= {each.product_id: each for each in _fitting(snapshot, seed)}
    return sorted(found.values(), key=lambda each: (-each.score, each.product_id))[:limit]


def _fitting(snapshot: Snapshot, seed: Card) -> list[Found]:
    found: list[Found] = []
    for fact in compatible(snapshot.graph, seed.product_id):
        is_accessory = fact.object.key == seed.product_id
        other = snapshot.cards[fact.subject.key if is_accessory else fact.object.key]
        if not other.sold_out:
            tie = Tie.FITS if is_accessory else Tie.FITTED_BY
            evidence = Evidence(tie, seed.product_id, words=fact.evidence)
            score = fact.weight * (0.8 + 0.2 * other.quality)
            # That a model of the same family fits is likely, not known.
            told = (evidence,) if fact.weight >= EXACT else ()
            found.append(Found(other.product_id, score, told))
    return found


def _related(snapshot: Snapshot, seed: Card) -> list[Found]:
    found: list[Found] = []
    if not (related := complements(snapshot.graph, seed.product_id)):
        return found
    habits = snapshot.habits.about(seed.product_id)
    for fact in related:
        ties = (Evidence(Tie.GOES_WITH, seed.product_id, words=fact.object.label),)
        fitting = [
            card
            for card in snapshot.in_category(fact.object.key)
            if card.product_id != seed.product_id
            and card.suits(seed)
            and not card.is_variant_of(seed)
            and _affordable(card, seed)
        ]
        worth = {card.product_id: _chosen(card, habits) * card.quality for card in fitting}
        for other in sorted(worth, key=lambda key: -worth[key])[:_PER_CATEGORY]:
            if not misfit(snapshot.graph, seed.product_id, other):
                odds = (0.5 + 0.5 * fact.weight) * worth[other]
                evidence = ties if fact.source in TOLD else ()
                found.append(Found(other, _GOES_WITH * odds / (1.0 + odds), evidence))
    return found


def _chosen(card: Card, habits: SeedStatistics) -> float:
    """How often baskets hold a product against the others of its category; 1 where none tells."""
    return math.exp((habits.popularity(card.product_id) + habits.picked(card.product_id)) / 2.0)


def _affordable(card: Card, seed: Card) -> bool:
    known = card.price > 0 < seed.price and card.currency == seed.currency
    return not known or card.price <= _DEAREST * seed.price
