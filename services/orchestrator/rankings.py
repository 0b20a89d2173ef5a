"""Rankings of queries: made by parsing, retrieving and ranking, and kept for further pages."""

import asyncio
import uuid

from cachetools import TTLCache

from services.orchestrator.asked_filters import asked_filters
from services.orchestrator.budget import stage_timeout
from services.orchestrator.cache import Ranking, ranking_cache
from services.orchestrator.choices import QueryChoices
from services.orchestrator.clients import Clients
from services.orchestrator.experiments.book import Experiments
from services.orchestrator.fallback import minimal_understanding
from services.orchestrator.growth import RankingGrower
from services.orchestrator.merchandising.merchandiser import Merchandiser
from services.orchestrator.pictures.query import PictureQueries
from services.orchestrator.profile import ProfileReader
from services.orchestrator.relaxation import hard_conditions, softened
from services.orchestrator.search_query import Work
from services.orchestrator.sponsored.seller import Seller
from services.orchestrator.stock.mover import StockMover
from services.orchestrator.terms.book import TermsBook
from services.orchestrator.terms.price_check import PriceCheck
from shared.errors import WhereforeError
from shared.filter_syntax import join_and
from wherefore.nlu.v1.nlu_service_pb2 import ParseRequest
from wherefore.nlu.v1.query_understanding_pb2 import QueryUnderstanding


class Rankings:
    """Makes rankings and keeps them. One for the process."""

    def __init__(
        self,
        clients: Clients,
        profiles: ProfileReader,
        merchandiser: Merchandiser,
        choices: QueryChoices,
        *,
        stock: StockMover,
        seller: Seller,
        experiments: Experiments,
        terms: TermsBook,
    ) -> None:
        settings = clients.settings
        self._clients = clients
        self._budgets = settings.budgets
        self._profiles = profiles
        self._experiments = experiments
        self._terms = terms
        self._merchandiser = merchandiser
        self._grower = RankingGrower(clients, merchandiser, choices, stock, seller)
        self._pictures = PictureQueries(clients)
        self._kept: TTLCache[str, Ranking] = ranking_cache(
            settings.ranking_cache_size, settings.ranking_cache_seconds
        )

    def kept(self, ranking_id: str) -> Ranking | None:
        """Returns the ranking of an id while it is kept for further pages."""
        return self._kept.get(ranking_id)

    def forget(self) -> None:
        """Drops what is kept for further pages: it was made with what is to be forgotten."""
        self._kept.clear()

    async def rank(self, work: Work, ranking_id: str = "") -> Ranking:
        """Returns the first results of a query, and writes its profile and contract into `work`.

        Args:
            work: The query.
            ranking_id: Of a ranking that is taken as it is while it is kept, and made again under
                this id afterwards; a new one without.

        Raises:
            InvalidArgumentError: For a filter of unknown fields.
            UnavailableError: Retrieval does not answer.
        """
        work.contract = self._terms.contract(work.query.user.account_id)
        self._terms.note(work.degradations)
        known = self._kept.get(ranking_id)
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
        ranking_id = ranking_id or uuid.uuid4().hex[:16]
        ranking = Ranking(ranking_id, searched, understanding, picture=picture)
        ranking.notes.assigned = self._experiments.assign(work.query.user, "search")
        ranking.plan = self._merchandiser.plan(
            work.query.serving_config, work.query.filter, work.degradations, searched
        )
        ranking.account_id = work.query.user.account_id
        ranking.terms_version = self._terms.version
        ranking.shown_only = self._terms.condition(work.contract)
        ranking.kind = picture.kind if picture is not None else ""
        await self._grow_first(work, ranking)
        if not ranking.results and ranking.kind:
            kind, ranking.kind = ranking.kind, ""
            await self._grow_again(work, ranking, [kind])
        if not ranking.results and (conditions := hard_conditions(searched)):
            ranking.understanding = softened(searched)
            await self._grow_again(work, ranking, conditions)
        ranking.degraded = [d for d in work.degradations if d.stage != "profile"]
        self._kept[ranking_id] = ranking
        return ranking

    async def grow(self, work: Work, ranking: Ranking, end: int) -> None:
        """Grows a ranking past the place `end`, where there are so many products.

        One more than a page needs tells whether there is a next one.

        Raises:
            UnavailableError: Retrieval does not answer.
        """
        async with ranking.growing:
            while not ranking.exhausted and len(ranking.results) <= end:
                await self._grower.extend(work, ranking)

    async def _grow_first(self, work: Work, ranking: Ranking) -> None:
        """Grows a ranking until it has a result, where there is one."""
        rules = ranking.plan.filter
        check = PriceCheck.of(work.contract, work.query.filter, ranking.understanding, rules)
        asked = asked_filters(check, work.query.filter, rules)
        ranking.check = check
        ranking.filter = join_and(*asked, ranking.fixed_filter)
        await self._grower.extend(work, ranking)
        while check is not None and not ranking.results and not ranking.exhausted:
            await self._grower.extend(work, ranking)

    async def _grow_again(self, work: Work, ranking: Ranking, given_up: list[str]) -> None:
        """Grows a ranking anew that had no result and no longer has the conditions given up."""
        ranking.exhausted = False
        ranking.product_ids.clear()
        await self._grow_first(work, ranking)
        ranking.relaxed = given_up

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
