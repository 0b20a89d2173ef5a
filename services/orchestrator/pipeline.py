"""One search: parse, retrieve, rank, cut the page, explain; each within its share of the time."""

import asyncio
import uuid
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial

from cachetools import TTLCache

from services.orchestrator.budget import stage_timeout
from services.orchestrator.cache import Ranking, ranking_cache
from services.orchestrator.choices import QueryChoices
from services.orchestrator.clients import Clients
from services.orchestrator.experiments.book import Experiments
from services.orchestrator.facets import read_facets
from services.orchestrator.fallback import Degradations, minimal_understanding
from services.orchestrator.growth import SERVING_CONFIGS, RankingGrower
from services.orchestrator.merchandising.merchandiser import Merchandiser
from services.orchestrator.page import Page, PageBuilder
from services.orchestrator.pictures.query import PictureQueries
from services.orchestrator.profile import ProfileReader
from services.orchestrator.reasons import Reasons, ReasonsSaid, ReasonView
from services.orchestrator.relaxation import hard_conditions, softened
from services.orchestrator.search_answer import SearchAnswer, StreamEnd
from services.orchestrator.search_query import SearchQuery, Work
from services.orchestrator.shown import ShownPages
from services.orchestrator.sponsored.offers import OfferSeal
from services.orchestrator.sponsored.seller import Seller, offers_of
from services.orchestrator.stock.mover import StockMover
from services.orchestrator.terms.book import TermsBook
from services.orchestrator.terms.price_check import PriceCheck
from services.orchestrator.ties import graph_ties
from services.orchestrator.tokens import PageToken, TokenSigner
from services.orchestrator.variants import MAX_LISTED, other_variants
from shared.errors import WhereforeError
from shared.filter_syntax import join_and
from shared.timing import StageTimer
from wherefore.nlu.v1.nlu_service_pb2 import ParseRequest
from wherefore.nlu.v1.query_understanding_pb2 import QueryUnderstanding
from wherefore.orchestrator.v1.result_pb2 import Result
from wherefore.reason.v1.reason_pb2 import Reason, ReasonClause
from wherefore.retrieval.v1.facet_pb2 import Facet


@dataclass(frozen=True, slots=True)
class _Cut:
    """The piece of a ranking that is a page."""

    ranking: Ranking
    offset: int
    end: int


class SearchPipeline:
    """Answers searches. One for the process."""

    def __init__(
        self,
        clients: Clients,
        profiles: ProfileReader,
        signer: TokenSigner,
        merchandiser: Merchandiser,
        choices: QueryChoices,
        *,
        stock: StockMover,
        seller: Seller,
        seal: OfferSeal,
        experiments: Experiments,
        shown: ShownPages,
        terms: TermsBook,
    ) -> None:
        settings = clients.settings
        self._clients = clients
        self._budgets = settings.budgets
        self._profiles = profiles
        self._signer = signer
        self._experiments = experiments
        self._shown = shown
        self._terms = terms
        self._merchandiser = merchandiser
        self._stock = stock
        self._seal = seal
        self._grower = RankingGrower(clients, merchandiser, choices, stock, seller)
        self._pictures = PictureQueries(clients)
        self._pages = PageBuilder(clients)
        self._reasons = Reasons(clients)
        self._rankings: TTLCache[str, Ranking] = ranking_cache(
            settings.ranking_cache_size, settings.ranking_cache_seconds
        )

    async def search(self, query: SearchQuery) -> SearchAnswer:
        """Answers one search.

        Raises:
            InvalidArgumentError: For a filter of unknown fields, or a token of another request.
            UnavailableError: Retrieval does not answer.
        """
        work = Work(query, StageTimer(), Degradations())
        with work.timer.stage("total"):
            cut = await self._cut(work)
            page, facets = await asyncio.gather(
                self._explained_page(work, cut), read_facets(self._clients, work, cut.ranking)
            )
        return self._answer(work, cut, page.results, facets)

    async def stream(
        self, query: SearchQuery, *, by_clause: bool
    ) -> AsyncGenerator[SearchAnswer | Reason | ReasonClause | StreamEnd]:
        """Answers one search as its parts are there: the page, its reasons, the end.

        Args:
            query: As for `search`.
            by_clause: Whether to tell clauses of reasons that are not whole.

        Raises:
            InvalidArgumentError: As of `search`, before the page.
            UnavailableError: Likewise.
        """
        work = Work(query, StageTimer(), Degradations())
        said = ReasonsSaid(work.timer)
        with work.timer.stage("total"):
            cut = await self._cut(work)
            page, facets = await asyncio.gather(
                self._page(work, cut), read_facets(self._clients, work, cut.ranking)
            )
            page_nanos = work.timer.elapsed_nanos()
            yield self._answer(work, cut, page.results, facets)
            reasons = self._reasons.stream(
                page.reasons, work.timer, work.degradations, by_clause=by_clause
            )
            async with aclosing(reasons):
                async for part in reasons:
                    said.note(part)
                    yield part
        yield StreamEnd(work.timer.timings(), list(work.degradations), page_nanos, said)

    def kept(self, ranking_id: str) -> Ranking | None:
        """Returns the ranking of an id while it is kept for further pages."""
        return self._rankings.get(ranking_id)

    def forget_rankings(self) -> None:
        """Drops what is kept for further pages: it was made with what is to be forgotten."""
        self._rankings.clear()

    async def rank(self, work: Work, ranking_id: str = "") -> Ranking:
        """Ranks the first candidates of a query without cutting a page of them.

        Args:
            work: The query.
            ranking_id: Of a ranking that is taken as it is while it is kept.

        Raises:
            InvalidArgumentError: For a filter of unknown fields.
            UnavailableError: Retrieval does not answer.
        """
        return await self._ranking(work, ranking_id or uuid.uuid4().hex[:16])

    async def _ranking(self, work: Work, ranking_id: str) -> Ranking:
        """Returns the ranking of an id, made again where it is no longer kept."""
        work.contract = self._terms.contract(work.query.user.account_id)
        self._terms.note(work.degradations)
        known = self._rankings.get(ranking_id)
        profile = self._profiles.read(
            work.query.user,
            work.query.language_code,
            work.timer,
            work.degradations,
            contract=work.contract,
        )
        # Pages go on by the terms in force, or the second one would tell prices of yesterday.
        if known is not None and known.terms_version == self._terms.version:
            work.degradations.pass_on(known.degraded)
            work.profile = await profile
            return known
        reading = asyncio.create_task(profile)
        try:
            picture = await self._pictures.compose(work)
            words = work.query.query if picture is not None else work.query.words
            understanding = await self._parse(work, words)
            work.profile = await reading
        finally:
            reading.cancel()
        # A parse is shared by all who ask the same: synonyms belong to this request alone.
        searched = QueryUnderstanding()
        searched.CopyFrom(understanding)
        ranking = Ranking(ranking_id, searched, understanding, picture=picture)
        ranking.notes.assigned = self._experiments.assign(work.query.user, "search")
        ranking.plan = self._merchandiser.plan(
            work.query.serving_config, work.query.filter, work.degradations, searched
        )
        ranking.account_id = work.query.user.account_id
        ranking.terms_version = self._terms.version
        ranking.shown_only = self._terms.condition(work.contract)
        await self._grow_first(work, ranking)
        if not ranking.results and (conditions := hard_conditions(searched)):
            ranking.understanding = softened(searched)
            ranking.exhausted = False
            ranking.product_ids.clear()
            await self._grow_first(work, ranking)
            ranking.relaxed = conditions
        ranking.degraded = [d for d in work.degradations if d.stage != "profile"]
        self._rankings[ranking_id] = ranking
        return ranking

    async def _grow_first(self, work: Work, ranking: Ranking) -> None:
        """Grows a ranking until it has a result, where there is one."""
        check = PriceCheck.of(work.contract, work.query.filter, ranking.understanding)
        own = work.query.filter if check is None else check.asked
        ranking.check = check
        ranking.filter = join_and(own, ranking.plan.filter, ranking.shown_only)
        await self._grower.extend(work, ranking)
        while check is not None and not ranking.results and not ranking.exhausted:
            await self._grower.extend(work, ranking)

    async def _parse(self, work: Work, words: str) -> QueryUnderstanding:
        query = work.query
        if not words:
            return QueryUnderstanding(language_code=query.language_code)
        started = work.timer.elapsed_nanos()
        try:
            with work.timer.stage("nlu"):
                request = ParseRequest(
                    query=words,
                    language_code=query.language_code,
                    keep_spelling=query.keep_spelling,
                )
                response = await self._clients.parse(request, stage_timeout(self._budgets.nlu))
        except WhereforeError as error:
            work.degradations.note("nlu", error)
            return minimal_understanding(words, query.language_code)
        work.timer.merge((t for t in response.timings if t.stage != "nlu"), started)
        work.degradations.pass_on(response.degraded)
        return response.understanding

    async def _cut(self, work: Work) -> _Cut:
        """Returns the ranking, grown to the end of the page that is asked for."""
        query = work.query
        token = PageToken(uuid.uuid4().hex[:16], 0, 0)
        if query.page_token:
            token = self._signer.read_page(query.page_token, query.fingerprint)
        ranking = await self._ranking(work, token.ranking_id)
        end = token.offset + query.page_size
        # One more than the page needs, to know whether there is a next one.
        async with ranking.growing:
            while not ranking.exhausted and len(ranking.results) <= end:
                await self._grower.extend(work, ranking)
        return _Cut(ranking, token.offset, end)

    def _answer(
        self, work: Work, cut: _Cut, page: list[Result], facets: list[Facet]
    ) -> SearchAnswer:
        query, ranking = work.query, cut.ranking
        following = ""
        if cut.end < len(ranking.results):
            following = self._signer.page(
                PageToken(ranking.ranking_id, cut.end, ranking.index_version), query.fingerprint
            )
        shown = [result.product.id for result in page]
        assigned = ranking.notes.assigned
        token = self._signer.attribution(
            ranking.ranking_id,
            query.serving_config,
            query.query,
            shown,
            unit=assigned.unit,
            arms=assigned.arms,
            offers=self._seal.seal(offers_of(page), ranking.ranking_id),
        )
        self._shown.remember(
            token,
            page,
            ranking.notes,
            serving_config=SERVING_CONFIGS[query.serving_config],
            language_code=ranking.understanding.language_code,
        )
        return SearchAnswer(
            ranking=ranking,
            results=page,
            facets=facets,
            next_page_token=following,
            attribution_token=token,
            timings=work.timer.timings(),
            degraded=list(work.degradations),
        )

    async def _explained_page(self, work: Work, cut: _Cut) -> Page:
        page = await self._page(work, cut)
        await self._reasons.fill(page.results, page.reasons, work.timer, work.degradations)
        return page

    async def _page(self, work: Work, cut: _Cut) -> Page:
        query, ranking = work.query, cut.ranking
        results = [Result.FromString(data) for data in ranking.results[cut.offset : cut.end]]
        view, ties = None, None
        if results and not query.skip_reasons:
            view = ReasonView(
                query.language_code,
                ranking.understanding,
                work.profile,
                tells_running_low=self._stock.tells_running_low,
            )
            ids = [result.product.id for result in results]
            ties = partial(graph_ties, self._clients, work, ranking.understanding, ids)
        page, others = await asyncio.gather(
            self._pages.build(
                results,
                cut.offset + 1,
                query.read_paths,
                view,
                work.timer,
                include_contributions=query.include_contributions,
                ties=ties,
                contract=work.contract,
            ),
            other_variants(
                self._clients,
                groups=ranking.variants,
                results=results,
                known=ranking.shown_ids,
                filter_text=ranking.applied_filter,
                check=ranking.check,
                timer=work.timer,
                degradations=work.degradations,
            ),
        )
        if ranking.picture is not None:
            await self._pictures.tell(work, ranking.picture, page.results)
        for result in page.results:
            if ids := others.get(result.product.id):
                result.other_variant_ids.extend(ids[:MAX_LISTED])
                result.other_variant_count = len(ids)
        return page
