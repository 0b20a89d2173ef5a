"""What an account, or a user, orders again and again, and what of it is due.

The rate at which a product is ordered again is taken for a gamma mixture of Poisson processes, so
that few orders of one's own are drawn towards what is usual for the kind of product (the
Poisson-gamma model of Bhagat et al., "Buy it again: modeling repeat purchase recommendations", KDD
2018). What is told of a product is its own history alone: how often, how long ago, and the median
of the days between orders.
"""

from __future__ import annotations

import time
from bisect import insort
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from services.recommend.serving.found import Evidence, Found, Tie

DUE_SHARE = 0.8
"""Of the usual interval, after which a product is due."""
MIN_ORDERS = 3
"""Days with an order, below which no interval is called usual."""
_DAY = 86_400.0
_PRIOR_DAYS = 30.0
_PRIOR_GAPS = 2.0
"""Gaps between orders that the usual one of the kind counts for."""
_KIND_GAPS = 10
"""Gaps of a kind, below which those of all products are usual for it."""
_LAPSED = 4.0
"""Intervals without an order, after which a product is no longer ordered at all."""
_MAX_PRODUCTS, _MAX_ORDERS = 2_000, 24
"""Of one account or user; latest orders of one product."""


@dataclass(slots=True)
class _Gaps:
    days: int = 0
    count: int = 0


class Reorders:
    """Orders by account, and by actor. Not thread-safe: use it from one event loop."""

    def __init__(self) -> None:
        self._orders: defaultdict[str, dict[str, list[tuple[float, str]]]] = defaultdict(dict)
        self._gaps: defaultdict[str, _Gaps] = defaultdict(_Gaps)
        self._all = _Gaps()
        self._accounts_of: defaultdict[str, set[str]] = defaultdict(set)

    def count(self, actor: str, account: str, product_ids: Sequence[str], at: float) -> None:
        """Counts an order at a time, in seconds since 1970; in any order of times.

        Args:
            actor: Who ordered.
            account: For which account; empty for none.
            product_ids: What.
            at: When.
        """
        parties = [actor]
        if account:
            party = _party(account)
            self._accounts_of[actor].add(party)
            parties.append(party)
        for party in parties:
            ordered = self._orders[party]
            for product_id in dict.fromkeys(product_ids):
                times = ordered.pop(product_id, [])
                before = _gaps(times)
                insort(times, (at, actor))
                del times[:-_MAX_ORDERS]
                ordered[product_id] = times
                self._change(product_id, before, _gaps(times))
                if len(ordered) > _MAX_PRODUCTS:
                    dropped = next(iter(ordered))
                    self._change(dropped, _gaps(ordered.pop(dropped)), [])

    def forget(self, actor: str) -> None:
        """Forgets what an actor ordered, for accounts too."""
        for party in (actor, *self._accounts_of.pop(actor, ())):
            ordered = self._orders.get(party, {})
            for product_id, times in list(ordered.items()):
                left = [each for each in times if each[1] != actor]
                self._change(product_id, _gaps(times), _gaps(left))
                if left:
                    ordered[product_id] = left
                else:
                    del ordered[product_id]
            if not ordered:
                self._orders.pop(party, None)

    def due(
        self,
        party: str,
        limit: int,
        kind_of: Callable[[str], Sequence[str]],
        now: float | None = None,
    ) -> list[Found]:
        """Returns what is due again, the surest first; scores are above 0 and at most 1.

        Args:
            party: An account's, as `party_of`, or an actor.
            limit: Most products.
            kind_of: Returns the products of the kind of one, itself too.
            now: Seconds since 1970.
        """
        now = time.time() if now is None else now
        found: list[Found] = []
        for product_id, times in self._orders.get(party, {}).items():
            gaps = _gaps(times)
            if len(gaps) + 1 < MIN_ORDERS:
                continue
            age = max(0.0, now - times[-1][0])
            usual = round(median(gaps))
            expected = self._expected(gaps, kind_of(product_id)) * _DAY
            passed = age / expected
            if passed < DUE_SHARE or age // _DAY < DUE_SHARE * usual or passed > _LAPSED:
                continue
            timely = min(passed, 1.0 / passed)
            score = timely * len(gaps) / (len(gaps) + 1)
            evidence = Evidence(
                Tie.DUE_AGAIN, age_seconds=age, purchases=len(gaps) + 1, interval_days=usual
            )
            found.append(Found(product_id, score, (evidence,)))
        return sorted(found, key=lambda each: (-each.score, each.product_id))[:limit]

    def _expected(self, gaps: Sequence[int], kind: Sequence[str]) -> float:
        """Returns the days between orders that are expected: one's own, drawn to the kind's."""
        known = [self._gaps[each] for each in kind if each in self._gaps]
        usual = _Gaps(sum(each.days for each in known), sum(each.count for each in known))
        if usual.count < _KIND_GAPS:
            usual = self._all
        prior = usual.days / usual.count if usual.count >= _KIND_GAPS else _PRIOR_DAYS
        return (_PRIOR_GAPS * prior + sum(gaps)) / (_PRIOR_GAPS + len(gaps))

    def _change(self, product_id: str, before: Sequence[int], after: Sequence[int]) -> None:
        for gaps in (self._gaps[product_id], self._all):
            gaps.days += sum(after) - sum(before)
            gaps.count += len(after) - len(before)
        if not self._gaps[product_id].count:
            del self._gaps[product_id]


def party_of(account: str, actor: str) -> str:
    """Returns whose orders are meant: an account's where one is named; empty for nobody's."""
    return _party(account) if account else actor


def _party(account: str) -> str:
    return f"a:{account}"


def _gaps(times: Sequence[tuple[float, str]]) -> list[int]:
    """Returns the days between the days with an order."""
    days = sorted({int(at // _DAY) for at, _ in times})
    return [later - earlier for earlier, later in pairwise(days)]
