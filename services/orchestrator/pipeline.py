"""One search: parse, retrieve, rank, cut the page, explain; each within its share of the time."""

import asyncio
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from cachetools import TTLCache

from services.orchestrator.budget import ask_again, stage_timeout
from services.orchestrator.cache import MAX_RANKED, ParseKey, Ranking, parse_cache, ranking_cache
from services.orchestrator.clients import Clients
from services.orchestrator.fallback import Degradations, minimal_understanding
from services.orchestrator.ordering import reorder
from services.orchestrator.page import PageBuilder, PageView
from services.orchestrator.profile import ProfileReader
from services.orchestrator.ranker import Ranker
from services.orchestrator.relaxation import hard_conditions, softened
from services.orchestrator.tokens import PageToken, TokenSigner, fingerprint
from shared.errors import FailedPreconditionError, WhereforeError
from shared.timing import StageTimer
from wherefore.common.v1.diagnostics_pb2 import Degradation, StageTiming
from wherefore.common.v1.user_profile_pb2 import UserContext, UserProfile
from wherefore.nlu.v1.nlu_service_pb2 import ParseRequest
from wherefore.nlu.v1.query_understanding_pb2 import QueryUnderstanding
from wherefore.orchestrator.v1.result_pb2 import Result
from wherefore.retrieval.v1.candidate_pb2 import Candidate
from wherefore.retrieval.v1.retrieval_service_pb2 import RetrieveRequest, RetrieveResponse

SERVING_CONFIGS: Final = {"search": "search"}
"""Public names of configurations, and what ranking calls them."""

# Candidates that another order than relevance looks at, in lots of `settings.candidates`.
_ORDERED_LOTS: Final = 2


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """A search that was checked. See SearchRequest for the meaning of the fields."""

    query: str
    filter: str
    page_size: int
    page_token: str
    order_by: str
    user: UserContext
    language_code: str
    serving_config: str
    read_paths: Sequence[str]
    include_contributions: bool
    skip_reasons: bool
    keep_spelling: bool

    @property
    def fingerprint(self) -> str:
        """Hash of all that decides on the ranking: what a page token is bound to."""
        return fingerprint(
            [
                self.query,
                self.filter,
                self.order_by,
                self.user.user_id,
                self.user.session_id,
                self.language_code,
                self.serving_config,
                self.keep_spelling,
                self.include_contributions,
            ]
        )


@dataclass(frozen=True, slots=True)
class SearchAnswer:
    """A page."""

    ranking: Ranking
    results: list[Result]
    next_page_token: str
    attribution_token: str
    timings: list[StageTiming]
    degraded: list[Degradation]


@dataclass(slots=True)
class _Work:
    """What goes along with one request."""

    query: SearchQuery
    timer: StageTimer
    degradations: Degradations
    profile: UserProfile | None = None


class SearchPipeline:
    """Answers searches. One for the process."""

    def __init__(self, clients: Clients, profiles: ProfileReader, signer: TokenSigner) -> None:
        settings = clients.settings
        self._clients = clients
        self._budgets = settings.budgets
        self._profiles = profiles
        self._signer = signer
        self._ranker = Ranker(clients)
        self._pages = PageBuilder(clients)
        self._rankings: TTLCache[str, Ranking] = ranking_cache(
            settings.ranking_cache_size, settings.ranking_cache_seconds
        )
        self._parses: TTLCache[ParseKey, QueryUnderstanding] = parse_cache(
            settings.parse_cache_size, settings.parse_cache_seconds
        )

    async def search(self, query: SearchQuery) -> SearchAnswer:
        """Answers one search.

        Raises:
            InvalidArgumentError: For a filter of unknown fields, or a token of another request.
            UnavailableError: Retrieval does not answer.
        """
        work = _Work(query, StageTimer(), Degradations())
        token = PageToken(uuid.uuid4().hex[:16], 0, 0)
        if query.page_token:
            token = self._signer.read_page(query.page_token, query.fingerprint)
        with work.timer.stage("total"):
            ranking = await self._ranking(work, token.ranking_id)
            end = token.offset + query.page_size
            # One more than the page needs, to know whether there is a next one.
            async with ranking.growing:
                while not ranking.exhausted and len(ranking.results) <= end:
                    await self._extend(work, ranking)
            page = await self._page(work, ranking, token.offset)
        following = ""
        if end < len(ranking.results):
            following = self._signer.page(
                PageToken(ranking.ranking_id, end, ranking.index_version), query.fingerprint
            )
        shown = [result.product.id for result in page]
        return SearchAnswer(
            ranking=ranking,
            results=page,
            next_page_token=following,
            attribution_token=self._signer.attribution(
                ranking.ranking_id, query.serving_config, query.query, shown
            ),
            timings=work.timer.timings(),
            degraded=list(work.degradations),
        )

    async def _ranking(self, work: _Work, ranking_id: str) -> Ranking:
        """Returns the ranking of an id, made again where it is no longer kept."""
        known = self._rankings.get(ranking_id)
        profile = self._profiles.read(
            work.query.user, work.query.language_code, work.timer, work.degradations
        )
        if known is not None:
            work.degradations.pass_on(known.degraded)
            work.profile = await profile
            return known
        reading = asyncio.create_task(profile)
        try:
            understanding = await self._parse(work)
            work.profile = await reading
        finally:
            reading.cancel()
        ranking = Ranking(ranking_id, understanding, understanding)
        await self._extend(work, ranking)
        if not ranking.results and (conditions := hard_conditions(understanding)):
            ranking.understanding = softened(understanding)
            ranking.exhausted = False
            await self._extend(work, ranking)
            ranking.relaxed = conditions
        ranking.degraded = [d for d in work.degradations if d.stage != "profile"]
        self._rankings[ranking_id] = ranking
        return ranking

    async def _parse(self, work: _Work) -> QueryUnderstanding:
        query = work.query
        key = (query.query, query.language_code, query.keep_spelling)
        started = work.timer.elapsed_nanos()
        try:
            with work.timer.stage("nlu"):
                if (known := self._parses.get(key)) is not None:
                    return known
                request = ParseRequest(
                    query=query.query,
                    language_code=query.language_code,
                    keep_spelling=query.keep_spelling,
                )
                response = await self._clients.parse(request, stage_timeout(self._budgets.nlu))
        except WhereforeError as error:
            work.degradations.note("nlu", error)
            return minimal_understanding(query.query, query.language_code)
        work.timer.merge((t for t in response.timings if t.stage != "nlu"), started)
        work.degradations.pass_on(response.degraded)
        if not response.degraded:
            self._parses[key] = response.understanding
        return response.understanding

    async def _extend(self, work: _Work, ranking: Ranking) -> None:
        """Retrieves and ranks the next candidates, and puts them behind the others."""
        known = len(ranking.product_ids)
        ordered = bool(work.query.order_by)
        # An order by price over one lot and then over the next would not be one order.
        lots = _ORDERED_LOTS if ordered else 1
        limit = min(lots * self._clients.settings.candidates, MAX_RANKED - known)
        if limit <= 0 or (ordered and known):
            ranking.exhausted = True
            return
        response = await self._retrieve(work, ranking, limit)
        candidates = response.candidates
        ranking.exhausted = len(candidates) < limit
        if not known:
            ranking.estimated_total = response.estimated_total
            ranking.applied_filter = response.applied_filter
            ranking.index_version = response.index_version
            ranking.relaxed = list(response.ignored_constraints)
        if candidates:
            results = await self._rank(work, ranking, candidates)
            ranking.product_ids += [result.product.id for result in results]
            ranking.results += [result.SerializeToString() for result in results]

    async def _rank(
        self, work: _Work, ranking: Ranking, candidates: Sequence[Candidate]
    ) -> list[Result]:
        results = await self._ranker.rank(
            candidates,
            query=ranking.understanding,
            profile=work.profile,
            serving_config=SERVING_CONFIGS[work.query.serving_config],
            include_contributions=work.query.include_contributions,
            timer=work.timer,
            degradations=work.degradations,
        )
        if not work.query.order_by:
            return results
        by_id = {result.product.id: result for result in results}
        return [by_id[i] for i in reorder(candidates, list(by_id), work.query.order_by)]

    async def _retrieve(self, work: _Work, ranking: Ranking, limit: int) -> RetrieveResponse:
        request = RetrieveRequest(
            query=ranking.understanding,
            filter=work.query.filter,
            limit=limit,
            excluded_ids=ranking.product_ids,
            # Without a vector the dense leg is not wanted: the loss is told as nlu.embedding.
            legs=() if ranking.understanding.HasField("vector") else ("sparse",),
        )
        retrieve = partial(self._clients.retrieve, request)
        started = work.timer.elapsed_nanos()
        with work.timer.stage("retrieval"):
            try:
                response = await ask_again(retrieve, self._budgets.retrieval)
            except FailedPreconditionError as error:
                # Vectors of another model than the index's: the words still find.
                work.degradations.note("retrieval.dense", error)
                request.query.ClearField("vector")
                request.legs[:] = ["sparse"]
                response = await ask_again(retrieve, self._budgets.retrieval)
        work.timer.merge((t for t in response.timings if t.stage != "retrieval"), started)
        work.degradations.pass_on(response.degraded)
        return response

    async def _page(self, work: _Work, ranking: Ranking, offset: int) -> list[Result]:
        query = work.query
        cut = ranking.results[offset : offset + query.page_size]
        view = PageView(
            read_paths=query.read_paths,
            skip_reasons=query.skip_reasons,
            language_code=query.language_code,
            query=ranking.understanding,
            profile=work.profile,
        )
        return await self._pages.build(
            [Result.FromString(data) for data in cut],
            offset + 1,
            view,
            work.timer,
            work.degradations,
        )
