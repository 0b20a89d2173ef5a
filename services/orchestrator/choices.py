"""What shoppers chose after a query: the leg of search that learns from what they do.

A choice counts for the query's words in any order, with the weight of its strongest action by one
user, halved with age (forward decay, as in popularity.py). Shoppers look at the first places most,
so a click further down tells more: it is weighed by the inverse of how likely its place is looked
at, taken to fall as the discount of DCG does (Joachims, Swaminathan and Schnabel, "Unbiased
learning-to-rank with biased feedback", WSDM 2017). What fewer than three users chose is not told.
"""

import math
import time
from collections import OrderedDict
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from services.orchestrator.event_store import actor_hash, actor_of, event_seconds
from services.orchestrator.interest import growth_since, weight_of
from shared.rank_fusion import fused_scores
from shared.text.analysis import terms
from wherefore.common.v1.user_event_pb2 import UserEvent
from wherefore.retrieval.v1.candidate_pb2 import Candidate, LegScore

LEG: Final = "chosen"
MIN_USERS: Final = 3
MAX_QUERIES: Final = 20_000
_MAX_PRODUCTS, _MAX_USERS = 50, 200
_MAX_QUERY: Final = 200
"""Characters; longer texts are not asked twice."""
_LARGEST_FACTOR: Final = 4.0
"""Of a place far down."""


class QueryChoices:
    """Choices by query. Not thread-safe: use it from one event loop."""

    def __init__(self, half_life_days: float) -> None:
        self._half_life = half_life_days * 86_400.0
        self._landmark = time.time()
        self._chosen: OrderedDict[str, dict[str, dict[bytes, float]]] = OrderedDict()

    def count(self, event: UserEvent) -> None:
        """Counts one event that names the query that it followed from; others are passed over."""
        weight, actor = weight_of(event), actor_of(event.user_id, event.session_id)
        if not weight or not actor or not event.query or len(event.query) > _MAX_QUERY:
            return
        key = _key(event.query)
        if not key:
            return
        growth = growth_since(self._landmark, event_seconds(event), self._half_life)
        user = actor_hash(actor)
        products = self._chosen.setdefault(key, {})
        self._chosen.move_to_end(key)
        for product in event.products:
            users = products.setdefault(product.product_id, {})
            if user in users or len(users) < _MAX_USERS:
                value = weight * growth * _factor(product.position)
                users[user] = max(users.get(user, 0.0), value)
        if len(products) > _MAX_PRODUCTS:
            del products[min(products, key=lambda i: sum(products[i].values()))]
        if len(self._chosen) > MAX_QUERIES:
            self._chosen.popitem(last=False)

    def uncount(self, event: UserEvent) -> None:
        """Takes back the say of an event's user on its products after its query.

        Also what other events of the user said of them: a choice does not know which event made it.
        """
        actor = actor_of(event.user_id, event.session_id)
        key = _key(event.query) if event.query and len(event.query) <= _MAX_QUERY else ""
        products = self._chosen.get(key)
        if not actor or products is None:
            return
        user = actor_hash(actor)
        for product in event.products:
            users = products.get(product.product_id, {})
            users.pop(user, None)
            if not users:
                products.pop(product.product_id, None)
        if not products:
            del self._chosen[key]

    def fresh(self) -> "QueryChoices":
        """Returns choices of the same kind that have counted nothing."""
        other = QueryChoices(self._half_life / 86_400.0)
        other._landmark = self._landmark
        return other

    def become(self, other: "QueryChoices") -> None:
        """Takes over what another has counted."""
        self._landmark, self._chosen = other._landmark, other._chosen

    def best(self, query: str, limit: int) -> list[tuple[str, float]]:
        """Returns what was chosen after a query, best first, with scores that compare within it."""
        products = self._chosen.get(_key(query), {}) if len(query) <= _MAX_QUERY else {}
        sums = {
            product_id: sum(users.values())
            for product_id, users in products.items()
            if len(users) >= MIN_USERS
        }
        top = max(sums.values(), default=1.0)
        ordered = sorted(sums.items(), key=lambda item: (-item[1], item[0]))[:limit]
        return [(product_id, value / top) for product_id, value in ordered]


def add_leg(
    candidates: Sequence[Candidate], chosen: Sequence[tuple[str, float]], weight: float
) -> None:
    """Gives candidates their place among what was chosen, and its share of the fused score.

    Args:
        candidates: With the legs of retrieval.
        chosen: Ids and scores, best first.
        weight: Of the leg in the fusion, beside those of retrieval.
    """
    shares = fused_scores([(weight, [product_id for product_id, _ in chosen])])
    places = {product_id: (rank, score) for rank, (product_id, score) in enumerate(chosen, 1)}
    for candidate in candidates:
        product_id = candidate.product.id
        if product_id in places:
            rank, score = places[product_id]
            candidate.legs.append(LegScore(leg=LEG, rank=rank, score=score))
            candidate.fused_score += shares[product_id]


@lru_cache(maxsize=65_536)
def _key(query: str) -> str:
    return " ".join(sorted(set(terms(query))))


def _factor(position: int) -> float:
    """Returns the inverse of how likely a place, from 1, is looked at; 1 where it is not known."""
    return min(math.log2(1 + max(1, position)), _LARGEST_FACTOR)
