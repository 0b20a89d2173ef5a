"""Whole pages that are told again: the same ones to everybody, or one user's own to that user."""

import hashlib
from collections.abc import Awaitable, Callable

from services.orchestrator.answer_cache import AnswerCaches
from services.orchestrator.event_store import EventStore, actor_of
from services.orchestrator.experiments.book import Experiments
from services.orchestrator.merchandising.rule_book import RuleBook
from services.orchestrator.profile import MAX_EVENTS
from services.orchestrator.sponsored.seller import Seller
from services.orchestrator.stock.mover import StockMover
from services.orchestrator.terms.book import TermsBook
from shared.cache import Scope
from shared.errors import UnavailableError
from shared.request_context import current_request_id, current_tenant
from shared.timing import StageTimer
from wherefore.common.v1.user_profile_pb2 import UserContext
from wherefore.orchestrator.v1.search_service_pb2 import SearchRequest, SearchResponse


class PageCache:
    """Pages of searches, where they are to be kept. One for the process.

    Args:
        caches: Where they are kept.
        store: Of user events: what is known of a user is part of a page's key.
        rules: In force: their version is part of a key.
        experiments: The arms of a user are part of a key.
        stock: Moves products by forecasts, whose version is part of a key.
        seller: Sells slots: where it does, each page has an auction of its own, and none is kept.
        terms: Price answers to accounts; their version is part of a key.
    """

    def __init__(
        self,
        caches: AnswerCaches,
        store: EventStore,
        rules: RuleBook,
        experiments: Experiments,
        *,
        stock: StockMover,
        seller: Seller,
        terms: TermsBook,
    ) -> None:
        self._caches = caches
        self._store = store
        self._rules = rules
        self._experiments = experiments
        self._stock = stock
        self._seller = seller
        self._terms = terms

    async def search(
        self, request: SearchRequest, ask: Callable[[], Awaitable[SearchResponse]]
    ) -> SearchResponse:
        """Returns a page, kept or made by `ask`.

        Further pages are cut from a ranking that is kept anyway, and are made every time.

        Raises:
            WhereforeError: As `ask` does.
        """
        if not self._caches.pages_on or request.page_token:
            return await ask()
        if self._seller.sells(request.serving_config or "search"):
            return await ask()
        if self._terms.book.problem is not None:  # which no page of before tells
            return await ask()
        timer = StageTimer()
        with timer.stage("total"):
            try:
                scope = await self._scope(request.user)
            except UnavailableError:  # what is known of the user is not known
                return await ask()
            versions = (self._rules.version, self._stock.version, self._terms.version)
            rules = " ".join(versions).strip()
            found = await self._caches.page(request, scope, rules, ask)
            response = SearchResponse.FromString(found.value)
        if not found.own:
            response.request_id = current_request_id()
            del response.timings[:]
            response.timings.extend(timer.timings())
        return response

    async def _scope(self, user: UserContext) -> Scope:
        actor = actor_of(user.user_id, user.session_id)
        account = user.account_id
        if not actor:
            tenant = current_tenant()
            return Scope.one(tenant, f"a:{account}", "") if account else Scope.everybody(tenant)
        events = await self._store.recent(actor, MAX_EVENTS)
        known = [account, *(event.id for event in events)]
        known += [f"{name}={arm}" for name, arm in self._experiments.assign(user, "search").arms]
        state = hashlib.blake2b("\n".join(known).encode("utf-8", "replace")).hexdigest()
        return Scope.one(current_tenant(), actor, state)
