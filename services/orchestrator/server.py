"""The orchestrator as a service: wires the rooms together and serves them."""

import asyncio
import time
from collections.abc import Sequence
from typing import Final

import grpc.aio
import structlog

from services.orchestrator.applications_data import ApplicationsData
from services.orchestrator.choices import QueryChoices
from services.orchestrator.clients import Clients
from services.orchestrator.completion.completer import Completer
from services.orchestrator.completion.searches import SearchCounts
from services.orchestrator.config import OrchestratorSettings
from services.orchestrator.event_backend import event_store
from services.orchestrator.events import EventLog
from services.orchestrator.experiments.book import Experiments
from services.orchestrator.merchandising.rule_book import RuleBook
from services.orchestrator.opening import open_clients
from services.orchestrator.popularity import Popularity
from services.orchestrator.public_services import Parts, add_public_services
from services.orchestrator.shown import ShownPages
from services.orchestrator.sponsored.charges import ClickCharger
from services.orchestrator.sponsored.ledger import Ledger
from services.orchestrator.sponsored.offers import OfferSeal
from services.orchestrator.sponsored.seller import Seller
from services.orchestrator.stock.mover import StockMover
from services.orchestrator.sweeper import Sweeper
from services.orchestrator.terms.book import TermsBook
from services.orchestrator.tokens import TokenSigner, load_key
from services.orchestrator.web.page import DemoPage
from shared.catalogue_watch import CatalogueWatch
from shared.errors import UnavailableError
from shared.folder_lock import FolderLock
from shared.security.guard import Guard
from shared.tenant_service import Inside
from shared.text.analysis import warm_up

_PACKAGE: Final = "wherefore.orchestrator.v1"
_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class OrchestratorService:
    """`shared.server.Service` for the public services and the demo page.

    Ready means: retrieval answers, and at the start the NLU, ranking and reasons have answered once
    (or were waited for in vain). Losing one of those three later degrades answers and does not take
    the orchestrator out: poorer answers are worth more than none. Losing retrieval takes it out.
    """

    service_names: Sequence[str] = tuple(
        f"{_PACKAGE}.{name}"
        for name in (
            "SearchService",
            "CompletionService",
            "ExplanationService",
            "RecommendationService",
            "ProductService",
            "UserEventService",
            "EventLogService",
            "UserDataService",
            "AggregateService",
            "SummaryService",
            "ExperimentService",
        )
    )
    # A bad number makes one bad row, not a failed import.
    lenient_methods: Sequence[str] = (f"/{_PACKAGE}.ProductService/Import",)
    # It waits for the disk alone, and the user's next page waits for it.
    light_methods: Sequence[str] = (f"/{_PACKAGE}.UserEventService/Write",)

    def __init__(self, settings: OrchestratorSettings) -> None:
        self._settings = settings
        self._lock = FolderLock(settings.data_dir, "the user events")
        self._store = event_store(settings.events, settings.data_dir, settings.privacy.key_file)
        self._popularity = Popularity(settings.popularity_half_life_days)
        key = load_key(settings.token_key.get_secret_value(), settings.data_dir)
        previous = settings.previous_token_keys.get_secret_value().encode().split()
        self._signer = TokenSigner(key, previous)
        self._searches = SearchCounts()
        self._choices = QueryChoices(settings.popularity_half_life_days)
        self._shown = ShownPages(settings.shown_pages, settings.shown_seconds)
        self._experiments = Experiments(
            settings.experiments_file,
            settings.experiments_poll_seconds,
            settings.data_dir / "experiments.json",
            self._signer.pseudonym,
        )
        self._ledger = Ledger(settings.data_dir / "sponsored.sqlite")
        self._seller = Seller(settings.sponsored, self._ledger)
        self._seal = OfferSeal((key, *previous))
        self._events = EventLog(
            self._store,
            self._popularity,
            self._searches,
            self._choices,
            self._signer,
            shown=self._shown,
            experiments=self._experiments,
            charger=ClickCharger(self._seller.book, self._ledger, self._seal),
        )
        self._sweeper = Sweeper(self._store, self._events, settings.privacy)
        self._completer = Completer(self._searches, settings.completion_refresh_seconds)
        self._watching: list[asyncio.Task[None]] = []
        self._rules = RuleBook(settings.rules_file, settings.rules_poll_seconds)
        self._stock = StockMover(settings.stock)
        self._terms = TermsBook(settings.terms)
        self._clients: Clients | None = None
        self._elsewhere: ApplicationsData | None = None
        self.page = DemoPage(settings)
        self._started_at = 0.0
        self._complete = False

    @property
    def http_port(self) -> int:
        """Port of the demo page once started; 0 when it is off."""
        return self.page.port

    def use_guard(self, guard: Guard) -> None:
        """Guards the demo page's routes; called while security is on."""
        self.page.guard = guard

    def use_tenants(self, inside: Inside) -> None:
        """Lets the page answer tenants from their own data."""
        self.page.inside = inside

    def register(self, server: grpc.aio.Server) -> None:
        """Adds the servicers to a server."""
        # Channels belong to the loop they are opened on, which runs from here on.
        settings = self._settings
        self._clients = open_clients(settings)
        self._elsewhere = ApplicationsData(settings.assistant_target, settings.insight_target)
        parts = Parts(
            settings=settings,
            clients=self._clients,
            elsewhere=self._elsewhere,
            store=self._store,
            events=self._events,
            popularity=self._popularity,
            completer=self._completer,
            choices=self._choices,
            signer=self._signer,
            shown=self._shown,
            experiments=self._experiments,
            seller=self._seller,
            seal=self._seal,
            rules=self._rules,
            stock=self._stock,
            terms=self._terms,
        )
        self.page.api = add_public_services(server, parts, self.check_ready)

    async def start(self) -> None:
        """Opens the event store and the demo page.

        Raises:
            FolderInUseError: Another process has the events; this one stands by.
        """
        await asyncio.to_thread(warm_up)
        self._lock.acquire()
        # First what may have to be tried again.
        await self._store.open()
        self._experiments.load()
        await self._events.load()
        await self._rules.start()
        await self._stock.book.start()
        await self._terms.book.start()
        if self._settings.sponsored.campaigns_file is not None:
            await asyncio.to_thread(self._ledger.open)
            await self._seller.book.start()
        self._watch()
        self._started_at = time.monotonic()
        await self.page.start()

    def _watch(self) -> None:
        """Keeps completions up to date."""
        if self._clients is None:
            return
        watch = CatalogueWatch(
            self._clients.retrieval.channel,
            self._completer.use_catalogue,
            poll_seconds=self._settings.completion_refresh_seconds,
            timeout_seconds=self._settings.completion_terms_timeout_seconds,
        )
        self._watching = [
            asyncio.create_task(watch.run(), name="catalogue-watch"),
            asyncio.create_task(self._completer.run(), name="completion-refresh"),
            asyncio.create_task(self._sweeper.run(), name="sweep"),
            asyncio.create_task(self._events.follow(), name="events-follow"),
            *self._clients.caches.following(self._clients.index_version),
        ]

    async def check_ready(self) -> None:
        """Raises while retrieval does not answer, and at the start while the others do not."""
        clients = self._clients
        if clients is None or not self._started_at:
            raise UnavailableError("starting")
        await clients.retrieval.check_health(1.0 + self._settings.retrieval_patience_seconds)
        if self._complete:
            return
        helpers = (clients.nlu, clients.ranking, clients.reason)
        outcomes = await asyncio.gather(
            *(helper.check_health() for helper in helpers), return_exceptions=True
        )
        missing = [h.name for h, o in zip(helpers, outcomes, strict=True) if o is not None]
        waited = time.monotonic() - self._started_at
        if missing and waited < self._settings.startup_wait_seconds:
            raise UnavailableError(f"waiting for {', '.join(missing)}")
        if missing:
            _log.warning("starting without all parts: answers are degraded", missing=missing)
        self._complete = True

    def begin_drain(self) -> None:
        """Ends the calls that follow the log of events, and the pages that follow alerts."""
        self._store.place.end_waits()
        self.page.begin_drain()

    async def close(self) -> None:
        """Closes the demo page, the rules, the channels and the store."""
        await self.page.stop()
        await self._rules.close()
        await self._stock.book.close()
        await self._terms.book.close()
        await self._seller.book.close()
        for task in self._watching:
            task.cancel()
        await asyncio.gather(*self._watching, return_exceptions=True)
        if self._clients:
            await self._clients.close()
        if self._elsewhere:
            await self._elsewhere.close()
        await self._store.close()
        self._ledger.close()
        self._lock.release()
