"""Takes user events: checks, completes, keeps and counts them."""

import asyncio
import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp
from prometheus_client import Counter

from services.orchestrator.choices import QueryChoices
from services.orchestrator.completion.searches import KEPT_SECONDS, SearchCounts
from services.orchestrator.event_counts import EventCounts
from services.orchestrator.event_store import (
    EventStore,
    LogPlace,
    Piece,
    StoredEvent,
    event_seconds,
)
from services.orchestrator.experiments.book import Experiments, told
from services.orchestrator.popularity import Popularity
from services.orchestrator.purposes import ANALYTICS, PURPOSES, refuses
from services.orchestrator.shown import ShownPages
from services.orchestrator.sponsored.charges import ClickCharger
from services.orchestrator.tokens import Attribution, TokenSigner
from services.orchestrator.validation import MAX_ACCOUNT_ID, MAX_ID, MAX_QUERY, Violations
from shared.errors import FieldViolation, InvalidArgumentError, UnavailableError
from shared.privacy.personal import masked
from shared.security.accounts import check_account
from wherefore.common.v1 import user_event_pb2 as pb

MAX_PRODUCTS: Final = 100
MAX_REVIEW: Final = 10_000
MAX_STARS: Final = 5
_MAX_AHEAD_SECONDS: Final = 24 * 3600.0
_PIECE: Final = 500
_COUNT_SECONDS: Final = 0.5
"""Longest that a written event is waited for to be counted, where the log is shared."""
_PAUSE_SECONDS: Final = 0.2
RECOUNTS: Final = Counter(
    "wherefore_event_recounts_total",
    "Counts of events made anew, as another process took something out of a shared log.",
)


class EventLog:
    """Writes events to a store, and counts them.

    Where other processes write to the store too, all is counted as the log tells it, one's own
    events included: so that all come to the same.
    """

    def __init__(
        self,
        store: EventStore,
        popularity: Popularity,
        searches: SearchCounts,
        choices: QueryChoices,
        signer: TokenSigner,
        *,
        shown: ShownPages,
        experiments: Experiments,
        charger: ClickCharger,
    ) -> None:
        self._store = store
        self._counts = EventCounts(popularity, searches, choices)
        self._signer = signer
        self._shown = shown
        self._experiments = experiments
        self._charger = charger
        self._counted_from = 0.0
        self._counted = LogPlace()
        self._log_id = ""
        self.on_forgotten: Callable[[], None] = lambda: None
        """Called when another process took something out of the log."""

    def check(self, event: pb.UserEvent) -> list[FieldViolation]:
        """Returns what is wrong with an event, by the paths of its fields."""
        try:
            _check(event)
            if event.attribution_token:
                self._signer.read_attribution(event.attribution_token)
        except InvalidArgumentError as error:
            return list(error.violations)
        return []

    async def load(self) -> None:
        """Counts the events of the past that still weigh something, and nothing else.

        Raises:
            UnavailableError: The log cannot be read; the counts of before stay.
        """
        kept_seconds = max(self._counts.popularity.kept_seconds, KEPT_SECONDS)
        self._counted_from = time.time() - kept_seconds
        log_id, place = self._store.log_id, self._store.place.last_sequence
        fresh = self._counts.fresh()
        self._experiments.begin_anew()
        async for stored in self._store.since(self._counted_from):
            # What came since is told by the log from there on.
            if stored.sequence <= place:
                self._count(stored, fresh)
        self._counts.become(fresh)
        self._log_id = log_id
        self._counted.set_back(place)

    async def write(self, events: Sequence[pb.UserEvent]) -> list[StoredEvent]:
        """Writes checked events. Durable, and counted by the next request, when it returns.

        Clicks on sponsored results are charged by then. Those of before the erasure of their user
        are not written, and say so.

        Raises:
            UnavailableError: The log cannot be written; what was written is found by its id.
        """
        if not events:
            return []
        stored = await self._store.append([self._completed(event) for event in events])
        if self._charger.active:
            # Also of duplicates: the first time may have ended between the two.
            clicked = [each.event for each in stored if not each.erased]
            await self._charger.charge(
                [(event, told) for event in clicked if (told := self._attribution(event))]
            )
        if self._store.shared:
            await self._until_counted(max(each.sequence for each in stored))
            return stored
        for each in stored:
            if not each.duplicate and not each.erased:
                self._count(each, self._counts)
        return stored

    async def follow(self) -> None:
        """Counts what is written to a log that is shared, until cancelled; else does nothing."""
        place = self._store.place
        while self._store.shared and not place.waits_ended:
            try:
                await place.wait_past(self._counted.last_sequence)
                await self._take(await self._store.after(self._counted.last_sequence, _PIECE))
            except UnavailableError:  # the store says so, and finds it again
                await asyncio.sleep(_PAUSE_SECONDS)
        self._counted.end_waits()

    def uncount(self, gone: Iterable[StoredEvent]) -> None:
        """Takes back what was counted of events, as if they had never come."""
        for stored in gone:
            if self._counts_for(stored):
                self._counts.uncount(stored.event)

    def forget(self, actors: Iterable[str]) -> None:
        """Takes users or visits out of experiments."""
        for actor in actors:
            self._experiments.forget(actor)

    async def _take(self, piece: Piece) -> None:
        taken = any(not f.purposes or refuses(f.purposes, ANALYTICS) for f in piece.forgotten)
        if taken or self._store.log_id != self._log_id:
            # What it was, nobody can say any more.
            RECOUNTS.inc()
            self.on_forgotten()
            await self.load()
            return
        for stored in piece.events:
            self._count(stored, self._counts)
        self._counted.advance(piece.sequence)

    async def _until_counted(self, sequence: int) -> None:
        try:
            async with asyncio.timeout(_COUNT_SECONDS):
                await self._counted.wait_past(sequence - 1)
        except TimeoutError:  # it is written all the same, and counted as soon as it is heard of
            return

    def _count(self, stored: StoredEvent, counts: EventCounts) -> None:
        if self._counts_for(stored):
            counts.count(stored.event)
            self._count_experiments(stored.event)

    def _counts_for(self, stored: StoredEvent) -> bool:
        """Whether an event is counted, now and after any start: what is counted can be undone."""
        recent = event_seconds(stored.event) >= self._counted_from
        return recent and not refuses(stored.refused, ANALYTICS)

    def _completed(self, event: pb.UserEvent) -> pb.UserEvent:
        complete = pb.UserEvent()
        complete.CopyFrom(event)
        if not complete.id:
            complete.id = uuid.uuid4().hex
        if not complete.HasField("event_time"):
            now = time.time()
            complete.event_time.CopyFrom(Timestamp(seconds=int(now), nanos=int(now % 1 * 1e9)))
        complete.query = masked(complete.query)
        complete.text = masked(complete.text)
        for product in complete.products:
            product.quantity = product.quantity or 1
        # Who sends these would tell the ranker what to learn.
        complete.ClearField("shown")
        complete.ClearField("experiments")
        if attribution := self._attribution(complete):
            self._shown.join(complete)
            complete.experiments.extend(told(attribution.arms))
        return complete

    def _count_experiments(self, event: pb.UserEvent) -> None:
        if attribution := self._attribution(event):
            self._experiments.count(event, attribution)

    def _attribution(self, event: pb.UserEvent) -> Attribution | None:
        """Returns what the token of an event says; None without one, or of a key that is gone."""
        if not event.attribution_token:
            return None
        try:
            return self._signer.read_attribution(event.attribution_token)
        except InvalidArgumentError:
            return None


def _check(event: pb.UserEvent) -> None:
    found = Violations()
    known = pb.UserEventType.values()
    if event.type == pb.USER_EVENT_TYPE_UNSPECIFIED or event.type not in known:
        found.add("type", "say what happened")
    for name in ("id", "user_id", "session_id"):
        found.text(name, getattr(event, name), MAX_ID)
    if not event.user_id.strip() and not event.session_id.strip():
        found.add("user_id", "give user_id or session_id")
    if event.HasField("event_time"):
        if not 0 <= event.event_time.nanos < 10**9:
            found.add("event_time", "nanos must be 0 to 999,999,999")
        elif not 0 <= event_seconds(event) <= time.time() + _MAX_AHEAD_SECONDS:
            found.add("event_time", "must be after 1970 and at most 24 h in the future")
    found.text("query", event.query, MAX_QUERY)
    if not set(event.refused_purposes) <= set(PURPOSES):
        found.add("refused_purposes", "name purposes: personalisation, analytics, training")
    found.text("account_id", event.account_id, MAX_ACCOUNT_ID)
    check_account(event.account_id)
    _check_products(event, found)
    _check_review(event, found)
    found.raise_any()


def _check_products(event: pb.UserEvent, found: Violations) -> None:
    if not event.products and event.type != pb.USER_EVENT_TYPE_SEARCH:
        found.add("products", "name the products concerned")
    if len(event.products) > MAX_PRODUCTS:
        found.add("products", f"at most {MAX_PRODUCTS}, not {len(event.products)}")
        return
    for index, product in enumerate(event.products):
        path = f"products[{index}]"
        found.text(f"{path}.product_id", product.product_id, MAX_ID, required=True)
        for name in ("quantity", "position"):
            if getattr(product, name) < 0:
                found.add(f"{path}.{name}", "must not be negative")


def _check_review(event: pb.UserEvent, found: Violations) -> None:
    is_review = event.type == pb.USER_EVENT_TYPE_REVIEW
    if is_review and not 1 <= event.rating <= MAX_STARS:
        found.add("rating", f"a review has 1 to {MAX_STARS} stars")
    if not is_review and event.rating:
        found.add("rating", "only a review has stars")
    if len(event.text) > MAX_REVIEW:
        found.add("text", f"at most {MAX_REVIEW:,} characters, not {len(event.text):,}")
