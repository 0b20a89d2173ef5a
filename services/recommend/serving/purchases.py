"""What each user bought, and what of it is due again.

The time between purchases of one product by one user is taken for its cycle, with a month for a
prior, and a product is due when a cycle has passed (the idea, not the model, of Bhagat et al., "Buy
it again: modeling repeat purchase recommendations", KDD 2018). Long after that it has probably been
dropped, and its score falls again.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from services.recommend.serving.found import Evidence, Found, Tie

_CYCLE_SECONDS = 30 * 86_400.0
_LAPSE_CYCLES = 6.0
"""Cycles overdue after which half of the score is left."""
_MAX_PRODUCTS = 500
"""Of one user."""


@dataclass(slots=True)
class _Bought:
    first: float
    last: float
    times: int


class Purchases:
    """Purchases by actor. Not thread-safe: use it from one event loop."""

    def __init__(self) -> None:
        self._bought: defaultdict[str, dict[str, _Bought]] = defaultdict(dict)

    def count(self, actor: str, product_ids: Sequence[str], at: float) -> None:
        """Counts a purchase at a time, in seconds since 1970; in any order of times."""
        bought = self._bought[actor]
        for product_id in dict.fromkeys(product_ids):
            known = bought.pop(product_id, None)
            if known is None:
                bought[product_id] = _Bought(at, at, 1)
            else:
                first, last = min(known.first, at), max(known.last, at)
                bought[product_id] = _Bought(first, last, known.times + 1)
            if len(bought) > _MAX_PRODUCTS:
                del bought[next(iter(bought))]

    def forget(self, actor: str) -> None:
        """Forgets what an actor bought."""
        self._bought.pop(actor, None)

    def owns(self, actor: str, product_id: str) -> bool:
        """Whether an actor bought a product."""
        return product_id in self._bought.get(actor, {})

    def due(self, actor: str, limit: int, now: float | None = None) -> list[Found]:
        """Returns what an actor bought, the likeliest to be bought again first; scores 0 to 1."""
        now = time.time() if now is None else now
        found: list[Found] = []
        for product_id, bought in self._bought.get(actor, {}).items():
            age = max(0.0, now - bought.last)
            evidence = Evidence(Tie.BOUGHT_BEFORE, age_seconds=age, purchases=bought.times)
            found.append(Found(product_id, _due(bought, age), (evidence,)))
        return sorted(found, key=lambda each: (-each.score, each.product_id))[:limit]


def _due(bought: _Bought, age: float) -> float:
    # The prior counts as one gap of a month.
    cycle = (_CYCLE_SECONDS + bought.last - bought.first) / bought.times
    passed = age / max(cycle, 1.0)
    timely = passed if passed <= 1.0 else 0.5 ** ((passed - 1.0) / _LAPSE_CYCLES)
    return timely * bought.times / (bought.times + 1)
