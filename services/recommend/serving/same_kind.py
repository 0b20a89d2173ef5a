"""What people chose beside other products of the same kind: how a product without events gets some.

A product that nobody has looked at yet has no neighbours in anybody's visits, but those of its
category have. They lend theirs: the counts of a category's products with another product are added
up, and weighed by the cosine of the two (Sarwar et al., "Item-based collaborative filtering
recommendation algorithms", WWW 2001), with a category in place of an item. The product's own counts
are left out: they are told for what they are.
"""

from __future__ import annotations

import math
from collections import Counter

from services.recommend.serving.co_occurrence import CoOccurrence
from services.recommend.serving.found import Found
from services.recommend.serving.snapshot import Snapshot

_MOST_KINDRED = 200
"""Best products of a category that are asked: bounds the time of an answer."""


def beside_kind(
    snapshot: Snapshot, counts: CoOccurrence, product_id: str, limit: int
) -> list[Found]:
    """Returns what was chosen beside products of the same category, best first; scores above 0.

    Without evidence, as nobody did so with the product itself. None for a product that is unknown
    or has no category.
    """
    seed = snapshot.cards.get(product_id)
    if seed is None or not seed.category:
        return []
    together: Counter[str] = Counter()
    for card in snapshot.in_category(seed.category)[:_MOST_KINDRED]:
        if card.product_id != product_id:
            together.update(counts.together_with(card.product_id))
    found: list[Found] = []
    for other, actors in together.items():
        card = snapshot.cards.get(other)
        if card is None or card.sold_out or other == product_id or not card.suits(seed):
            continue
        found.append(Found(other, actors / math.sqrt(counts.actors(other))))
    return sorted(found, key=lambda each: (-each.score, each.product_id))[:limit]
