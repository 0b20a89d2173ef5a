"""Units sold a day, by product, read from user events."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Final

import numpy as np

from wherefore.common.v1.user_event_pb2 import USER_EVENT_TYPE_PURCHASE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from wherefore.common.v1.user_event_pb2 import UserEvent

_DAY_SECONDS: Final = 86_400


@dataclass(frozen=True, slots=True)
class DemandHistory:
    """What was sold on whole days (UTC).

    Attributes:
        until: First day that is not part of it.
        units: By product, (days,) units from the day on which any event named it first: before
            that it was not for sale, which is not the same as not being wanted. Products that
            were never bought are left out.
    """

    until: date
    units: dict[str, NDArray[np.float64]]


class DemandCounter:
    """Counts events into a history."""

    def __init__(self) -> None:
        self._first: dict[str, int] = {}
        self._sold: defaultdict[str, Counter[int]] = defaultdict(Counter)
        self._last = 0
        self.purchases = 0
        """Purchases that were counted, a product each."""

    def add(self, event: UserEvent) -> None:
        """Counts one event; one without a time says nothing."""
        if not event.HasField("event_time"):
            return
        day = event.event_time.seconds // _DAY_SECONDS
        self._last = max(self._last, day)
        bought = event.type == USER_EVENT_TYPE_PURCHASE
        for product in event.products:
            known = self._first.get(product.product_id, day)
            self._first[product.product_id] = min(known, day)
            if bought:
                self._sold[product.product_id][day] += max(1, product.quantity)
                self.purchases += 1

    def history(self, until: date | None = None) -> DemandHistory:
        """Returns what was counted.

        Args:
            until: First day that is left out. The day of the last event when absent: that one may
                not be over.
        """
        end = self._last if until is None else _number(until)
        units: dict[str, NDArray[np.float64]] = {}
        for product_id, sold in self._sold.items():
            first = self._first[product_id]
            series = np.zeros(max(end - first, 0))
            for day, count in sold.items():
                if day < end:
                    series[day - first] = count
            if series.any():
                units[product_id] = series
        return DemandHistory(_day(end), units)


def daily_demand(events: Iterable[UserEvent], until: date | None = None) -> DemandHistory:
    """Returns what events say was sold; `until` as of `DemandCounter.history`."""
    counter = DemandCounter()
    for event in events:
        counter.add(event)
    return counter.history(until)


def _number(day: date) -> int:
    return (day - date(1970, 1, 1)).days


def _day(number: int) -> date:
    return datetime(1970, 1, 1, tzinfo=UTC).date() + timedelta(days=number)
