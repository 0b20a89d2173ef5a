"""What the orchestrator keeps of answers: parsed queries, candidates and whole pages.

Each key holds all that its answer depends on: the tenant, the version of the catalogue and of what
else it was made with, and for a page of one user who it is and what is known of them. So a product
that changes is a new version, under which nothing is found yet, and an event makes a new page.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final, TypeVar

from services.orchestrator.config import OrchestratorSettings
from shared.cache import Found, LayeredCache, Made, Scope, SecondLevel, cache_key
from shared.cache.second_level import RedisLevel
from shared.errors import WhereforeError
from shared.request_context import current_tenant
from wherefore.nlu.v1.nlu_service_pb2 import ParseRequest, ParseResponse
from wherefore.orchestrator.v1.search_service_pb2 import SearchRequest, SearchResponse
from wherefore.retrieval.v1.retrieval_service_pb2 import RetrieveRequest, RetrieveResponse

_TimedResponse = TypeVar("_TimedResponse", ParseResponse, RetrieveResponse)
_Response = TypeVar("_Response", ParseResponse, RetrieveResponse, SearchResponse)

_LOWER_LOOKS: Final = 2
"""Looks in a row after which a lower version is believed: that of a catalogue begun anew."""


class CatalogueVersion:
    """The version of the catalogue as far as is known here: answers of retrieval tell it."""

    def __init__(self) -> None:
        self.value = 0
        """0 while it is not known: nothing may be kept under it, least of all for others."""
        self._lower = 0

    def note(self, version: int) -> None:
        """Takes note of a version. Answers may come out of order, so a lower one is an old one."""
        self.value = max(self.value, version)

    async def follow(self, look: Callable[[], Awaitable[int]], seconds: float) -> None:
        """Looks until cancelled: other processes write too.

        Args:
            look: Returns the version now.
            seconds: Pause between looks.
        """
        while True:
            await asyncio.sleep(seconds)
            try:
                version = await look()
            except WhereforeError:
                continue  # nobody can search meanwhile either
            self._lower = self._lower + 1 if version < self.value else 0
            if self._lower >= _LOWER_LOOKS:
                self.value, self._lower = version, 0
            self.note(version)


def redis_prefix(tenant: str) -> str:
    """Returns what the keys of a tenant begin with, by which all of them are found."""
    return f"wherefore:{tenant}:" if tenant else "wherefore:"


class AnswerCaches:
    """The caches. One for the process and tenant."""

    def __init__(self, settings: OrchestratorSettings) -> None:
        kept = settings.cache
        self.catalogue = CatalogueVersion()
        self._poll_seconds = kept.catalogue_poll_seconds
        self._second: SecondLevel | None = None
        if url := kept.redis_url.get_secret_value():
            self._second = RedisLevel(
                url,
                prefix=redis_prefix(current_tenant()),
                timeout_seconds=kept.redis_timeout_seconds,
            )
        self._parses = LayeredCache(
            "orchestrator.parse",
            size=settings.parse_cache_size,
            fresh_seconds=settings.parse_cache_seconds,
            second=self._second,
        )
        self._candidates = LayeredCache(
            "orchestrator.candidates",
            size=kept.candidate_size,
            fresh_seconds=kept.candidate_seconds,
            stale_seconds=kept.stale_seconds if kept.candidate_seconds else 0,
            second=self._second,
        )
        self._pages = LayeredCache(
            "orchestrator.page",
            size=kept.page_size,
            fresh_seconds=kept.page_seconds,
            stale_seconds=kept.stale_seconds if kept.page_seconds else 0,
            second=self._second,
        )

    @property
    def pages_on(self) -> bool:
        """Whether pages are kept."""
        return self._pages.on

    def following(self, look: Callable[[], Awaitable[int]]) -> list[asyncio.Task[None]]:
        """Returns the task that follows the catalogue; none where nothing depends on it.

        Args:
            look: Returns its version now.
        """
        if not (self._candidates.on or self._pages.on):
            return []
        following = self.catalogue.follow(look, self._poll_seconds)
        return [asyncio.create_task(following, name="catalogue-version")]

    async def parse(
        self, request: ParseRequest, ask: Callable[[], Awaitable[ParseResponse]]
    ) -> ParseResponse:
        """Returns a parsed query; without timings where it was not made for this request."""
        # The vocabulary follows the catalogue by itself, so a parse just grows old.
        scope = Scope.everybody(current_tenant())
        key = cache_key("parse", scope, {}, request.SerializeToString(deterministic=True))
        found = await self._parses.get(key, partial(_made, ask))
        return _told(ParseResponse.FromString(found.value), found)

    async def retrieve(
        self, request: RetrieveRequest, ask: Callable[[], Awaitable[RetrieveResponse]]
    ) -> RetrieveResponse:
        """Returns candidates; without timings where they were not found for this request."""

        async def noted() -> RetrieveResponse:
            response = await ask()
            self.catalogue.note(response.index_version)
            return response

        if not (self._candidates.on and self.catalogue.value):
            return await noted()
        # The request says what it is made with: the vector and its model, filters, products.
        key = cache_key(
            "candidates",
            Scope.everybody(current_tenant()),
            {"catalogue": str(self.catalogue.value)},
            request.SerializeToString(deterministic=True),
        )
        found = await self._candidates.get(key, partial(_made, noted))
        return _told(RetrieveResponse.FromString(found.value), found)

    async def page(
        self,
        request: SearchRequest,
        scope: Scope,
        rules: str,
        ask: Callable[[], Awaitable[SearchResponse]],
    ) -> Found:
        """Returns a page, as a serialized SearchResponse.

        Args:
            request: What is asked, user and all.
            scope: Whom it is for.
            rules: Version of the shop's rules.
            ask: Makes it.
        """
        if not self.catalogue.value:
            return Found((await ask()).SerializeToString(), own=True)
        versions = {"catalogue": str(self.catalogue.value), "rules": rules}
        key = cache_key("page", scope, versions, request.SerializeToString(deterministic=True))
        return await self._pages.get(key, partial(_made, ask), shared=not scope.personal)

    async def close(self) -> None:
        """Ends what is made in the background, and closes connections."""
        for cache in (self._parses, self._candidates, self._pages):
            await cache.close()
        if self._second is not None:
            await self._second.close()


async def _made(ask: Callable[[], Awaitable[_Response]]) -> Made:
    response = await ask()
    return Made(response.SerializeToString(), keep=not response.degraded)


def _told(response: _TimedResponse, found: Found) -> _TimedResponse:
    """Returns an answer; the times of one that was not made for this request are another's."""
    if not found.own:
        response.ClearField("timings")
    return response
