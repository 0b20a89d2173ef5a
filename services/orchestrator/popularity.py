"""What is popular now, by events: counts that halve with age (forward decay).

Cormode et al., "Forward Decay" (ICDE 2009): an event at t adds weight * 2^((t - landmark) /
half-life) to its product. All sums share the landmark, so their order is right without touching
them again.
"""

import heapq
import time
from collections import Counter, defaultdict

from services.orchestrator.event_store import event_seconds
from services.orchestrator.interest import growth_since, weight_of
from wherefore.common.v1.user_event_pb2 import UserEvent

_HALF_LIVES_KEPT = 8


class Popularity:
    """Decayed counts by product. Not thread-safe: use it from one event loop."""

    def __init__(self, half_life_days: float) -> None:
        self._half_life = half_life_days * 86_400.0
        # Ten years of one-week half-lives fit a float's exponent from here: 2^521.
        self._landmark = time.time()
        self._sums: defaultdict[str, float] = defaultdict(float)
        self._events: Counter[str] = Counter()

    @property
    def kept_seconds(self) -> float:
        """Age beyond which an event weighs next to nothing."""
        return _HALF_LIVES_KEPT * self._half_life

    def count(self, event: UserEvent) -> None:
        """Counts one event."""
        self._add(event, 1)

    def uncount(self, event: UserEvent) -> None:
        """Takes back an event that was counted."""
        self._add(event, -1)

    def fresh(self) -> "Popularity":
        """Returns counts of the same kind that have counted nothing."""
        other = Popularity(self._half_life / 86_400.0)
        other._landmark = self._landmark
        return other

    def become(self, other: "Popularity") -> None:
        """Takes over what another has counted."""
        self._landmark, self._sums, self._events = other._landmark, other._sums, other._events

    def top(self, count: int) -> list[str]:
        """Returns the ids of the most popular products, best first."""
        best = heapq.nsmallest(count, self._sums.items(), key=lambda item: (-item[1], item[0]))
        return [product_id for product_id, _ in best]

    def _add(self, event: UserEvent, sign: int) -> None:
        weight = weight_of(event)
        if not weight:
            return
        growth = growth_since(self._landmark, event_seconds(event), self._half_life)
        for product in event.products:
            product_id = product.product_id
            self._sums[product_id] += sign * weight * growth * max(1, product.quantity)
            self._events[product_id] += sign
            if self._events[product_id] <= 0:  # no event: no rest of roundings either
                del self._events[product_id], self._sums[product_id]
