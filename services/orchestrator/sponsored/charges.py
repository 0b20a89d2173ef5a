"""Charges clicks on sponsored results, before their events are acknowledged."""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from services.orchestrator.sponsored.campaigns import Campaigns
from services.orchestrator.sponsored.ledger import Click, Ledger
from services.orchestrator.sponsored.offers import OfferSeal, product_mark
from services.orchestrator.sponsored.pacing import DAY_SECONDS
from services.orchestrator.tokens import Attribution
from services.orchestrator.watched_book import WatchedBook
from shared.errors import UnavailableError
from wherefore.common.v1.user_event_pb2 import USER_EVENT_TYPE_CLICK, UserEvent

MAX_AGE_SECONDS: Final = 24 * 3600.0
"""Age of a page from which on its clicks cost nothing: histories are imported, too."""


class ClickCharger:
    """Charges what was clicked. One for the process.

    Args:
        book: The campaigns in force: who is not among them pays nothing any more.
        ledger: Keeps the charges.
        seal: Opens what tokens carry.
        clock: Seconds since 1970.
    """

    def __init__(
        self,
        book: WatchedBook[Campaigns],
        ledger: Ledger,
        seal: OfferSeal,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._book = book
        self._ledger = ledger
        self._seal = seal
        self._clock = clock

    @property
    def active(self) -> bool:
        """Whether there are campaigns, so that a click may cost anything."""
        return self._book.content is not None

    async def charge(self, clicked: Sequence[tuple[UserEvent, Attribution]]) -> None:
        """Charges the clicks among events; durable when it returns.

        Done again it charges nothing: whoever heard of no acknowledgement writes the event again.

        Args:
            clicked: Events with what their tokens say.

        Raises:
            UnavailableError: The charges cannot be written.
        """
        campaigns = self._book.content
        if campaigns is None:
            return
        clicks = [c for event, told in clicked for c in self._clicks(event, told, campaigns)]
        if not clicks:
            return
        day = int(self._clock() // DAY_SECONDS)
        try:
            await asyncio.to_thread(self._ledger.charge, clicks, day)
        except sqlite3.Error as error:
            raise UnavailableError("the charge of a click cannot be written") from error

    def _clicks(self, event: UserEvent, told: Attribution, campaigns: Campaigns) -> Iterator[Click]:
        if event.type != USER_EVENT_TYPE_CLICK or not told.offers:
            return
        if self._clock() - told.time > MAX_AGE_SECONDS:
            return
        offers = {each.product: each for each in self._seal.open(told.offers, told.ranking_id)}
        for product in event.products:
            offer = offers.get(product_mark(product.product_id))
            campaign = campaigns.by_id.get(offer.campaign_id) if offer else None
            if offer is not None and campaign is not None:
                budget = campaign.budget_micros
                yield Click(told.ranking_id, offer.product, campaign.id, offer.price, budget)
