"""What is remembered between requests, all of it bounded in number and in time.

Nothing here is found by anything but its whole key: a ranking by an id that only its signed page
token holds, and the token by the request, user included, that it was made for. A parse depends on
no user at all.
"""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Final

from cachetools import TTLCache

from services.orchestrator.merchandising.plan import Plan
from services.orchestrator.pictures.sought import SoughtPictures
from services.orchestrator.shown import RankNotes
from services.orchestrator.terms.applied import without
from services.orchestrator.terms.price_check import PriceCheck, without_prices
from services.orchestrator.variants import VariantGroups
from shared.filter_syntax import join_and
from wherefore.common.v1.diagnostics_pb2 import Degradation
from wherefore.nlu.v1.query_understanding_pb2 import QueryUnderstanding

MAX_RANKED: Final = 1_000


@dataclass(slots=True)
class Ranking:
    """A ranked list, from which pages are cut. It grows as deeper pages are asked for."""

    ranking_id: str
    understanding: QueryUnderstanding
    """As it was searched: constraints that were given up are soft."""
    shown_understanding: QueryUnderstanding
    """As it was read."""
    results: list[bytes] = field(default_factory=list[bytes])
    """Serialized Result messages without product (but its id), rank and reason, best first:
    a tenth of the size of the messages in memory."""
    shown_ids: set[str] = field(default_factory=set[str])
    """Products of `results`."""
    product_ids: list[str] = field(default_factory=list[str])
    """Products that were ranked, also those that are no results as others of their group are."""
    exhausted: bool = False
    """Whether retrieval has no more candidates."""
    estimated_total: int = -1
    applied_filter: str = ""
    relaxed: list[str] = field(default_factory=list[str])
    index_version: int = 0
    growing: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while it grows: two requests for deeper pages must not add the same products."""
    filter: str = ""
    """What retrieval is asked: the filters of the caller, the shop's rules and the terms."""
    plan: Plan = field(default_factory=Plan)
    """What the shop's rules ask of it."""
    variants: VariantGroups = field(default_factory=VariantGroups)
    degraded: list[Degradation] = field(default_factory=list[Degradation])
    """What was skipped when it was ranked: true of all its pages."""
    picture: SoughtPictures | None = None
    """What is sought in pictures."""
    notes: RankNotes = field(default_factory=RankNotes)
    """How it was ranked."""
    account_id: str = ""
    """By whose terms; empty for nobody's."""
    terms_version: str = ""
    """Of the terms that were in force."""
    shown_only: str = ""
    """Filter of what the account, or nobody, may be shown; part of `filter`, and never told."""
    kind: str = ""
    """Filter of the kind of thing that a picture shows, where the search keeps to it; part of
    `filter`."""
    check: PriceCheck | None = None
    """Conditions on the account's prices, of which `filter` asks for less."""

    @property
    def fixed_filter(self) -> str:
        """Filter of what is searched at all, whatever the caller and the shop's rules ask for."""
        return join_and(self.shown_only, self.kind)

    @property
    def told_filter(self) -> str:
        """What answers tell of `applied_filter`."""
        applied = without(self.applied_filter, self.shown_only)
        return applied if self.check is None else self.check.told(applied)

    @property
    def asked_understanding(self) -> QueryUnderstanding:
        """The query as retrieval is asked it."""
        return self.understanding if self.check is None else without_prices(self.understanding)


def ranking_cache(size: int, seconds: float) -> TTLCache[str, Ranking]:
    """Returns the cache of rankings by their id."""
    cache: TTLCache[str, Ranking] = TTLCache(size, seconds, time.monotonic)
    return cache
