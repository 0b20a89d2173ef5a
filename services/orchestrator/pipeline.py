"""One search: the ranking, a page cut from it, explained; each within its share of the time."""

import asyncio
import uuid
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial

from services.orchestrator.cache import Ranking
from services.orchestrator.clients import Clients
from services.orchestrator.facets import read_facets
from services.orchestrator.fallback import Degradations
from services.orchestrator.growth import ranked_by
from services.orchestrator.page import Page, PageBuilder
from services.orchestrator.pictures.query import PictureQueries
from services.orchestrator.rankings import Rankings
from services.orchestrator.reasons import Reasons, ReasonsSaid, ReasonView
from services.orchestrator.search_answer import SearchAnswer, StreamEnd
from services.orchestrator.search_query import SearchQuery, Work
from services.orchestrator.shown import ShownPages
from services.orchestrator.sponsored.offers import OfferSeal
from services.orchestrator.sponsored.seller import offers_of
from services.orchestrator.stock.mover import StockMover
from services.orchestrator.ties import graph_ties
from services.orchestrator.tokens import PageToken, TokenSigner
from services.orchestrator.variants import MAX_LISTED, other_variants
from shared.timing import StageTimer
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
        rankings: Rankings,
        signer: TokenSigner,
        *,
        stock: StockMover,
        seal: OfferSeal,
        shown: ShownPages,
    ) -> None:
        self._clients = clients
        self._rankings = rankings
        self._signer = signer
        self._shown = shown
        self._stock = stock
        self._seal = seal
        self._pictures = PictureQueries(clients)
        self._pages = PageBuilder(clients)
        self._reasons = Reasons(clients)

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

    async def _cut(self, work: Work) -> _Cut:
        """Returns the ranking, grown to the end of the page that is asked for."""
        query = work.query
        token = PageToken(uuid.uuid4().hex[:16], 0, 0)
        if query.page_token:
            token = self._signer.read_page(query.page_token, query.fingerprint)
        ranking = await self._rankings.rank(work, token.ranking_id)
        end = token.offset + query.page_size
        await self._rankings.grow(work, ranking, end)
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
            serving_config=ranked_by(query.serving_config, ranking),
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
