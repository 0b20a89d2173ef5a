"""Recommendations: for a user, for products at hand, or what is popular."""

import uuid
from dataclasses import replace

from services.orchestrator.asked_filters import asked_filters
from services.orchestrator.clients import Clients
from services.orchestrator.experiments.book import Experiments
from services.orchestrator.fallback import Degradations
from services.orchestrator.merchandising.merchandiser import Merchandiser
from services.orchestrator.merchandising.plan import placed
from services.orchestrator.page import PageBuilder
from services.orchestrator.popularity import Popularity
from services.orchestrator.profile import ProfileReader
from services.orchestrator.ranker import Ranker
from services.orchestrator.reasons import Reasons, ReasonView
from services.orchestrator.recommend_candidates import RecommendationFinder, Work, wanted_of
from services.orchestrator.recommend_query import RecommendAnswer, RecommendQuery
from services.orchestrator.related import RelatedFinder
from services.orchestrator.shown import RankNotes, ShownPages
from services.orchestrator.stock.mover import StockMover
from services.orchestrator.terms.applied import priced_by, reprice_all
from services.orchestrator.terms.book import TermsBook
from services.orchestrator.terms.price_check import PriceCheck, affordable
from services.orchestrator.tokens import TokenSigner, fingerprint
from shared.filter_syntax import join_and
from shared.timing import StageTimer
from wherefore.orchestrator.v1.result_pb2 import Result


class Recommender:
    """Answers requests for recommendations. One for the process."""

    def __init__(
        self,
        clients: Clients,
        profiles: ProfileReader,
        popularity: Popularity,
        signer: TokenSigner,
        merchandiser: Merchandiser,
        *,
        related: RelatedFinder,
        stock: StockMover,
        experiments: Experiments,
        shown: ShownPages,
        terms: TermsBook,
    ) -> None:
        self._clients = clients
        self._profiles = profiles
        self._signer = signer
        self._merchandiser = merchandiser
        self._stock = stock
        self._experiments = experiments
        self._shown = shown
        self._terms = terms
        self._finder = RecommendationFinder(clients, profiles, popularity, related)
        self._ranker = Ranker(clients)
        self._pages = PageBuilder(clients)
        self._reasons = Reasons(clients)

    async def recommend(self, query: RecommendQuery) -> RecommendAnswer:
        """Answers one request.

        Raises:
            InvalidArgumentError: For a filter of unknown fields.
            NotFoundError: None of the products at hand is in the catalogue.
            UnavailableError: Retrieval does not answer.
        """
        contract = self._terms.contract(query.user.account_id)
        work = Work(
            query,
            StageTimer(),
            Degradations(),
            account_id=query.user.account_id,
            contract=contract,
        )
        self._terms.note(work.degradations)
        with work.timer.stage("total"):
            user = await self._profiles.consenting(query.user, work.degradations)
            query = work.query = replace(query, user=user)
            work.profile = await self._profiles.read(
                query.user,
                query.language_code,
                work.timer,
                work.degradations,
                contract=contract,
            )
            plan = self._merchandiser.plan(query.serving_config, query.filter, work.degradations)
            rules = await self._merchandiser.usable_filter(plan, work.degradations)
            check = work.check = PriceCheck.of(contract, query.filter, rules=rules)
            asked = asked_filters(check, query.filter, rules)
            wanted = join_and(*asked, self._terms.condition(contract))
            work.query = replace(query, filter=wanted)
            config, found = await self._finder.find(work)
            candidates = found.candidates
            known = [*query.product_ids, *(candidate.product.id for candidate in candidates)]
            pinned = await self._merchandiser.pinned_candidates(
                plan, known, wanted, work.degradations
            )
            candidates += await affordable(work.check, self._clients, pinned)
            candidates = wanted_of(work, config, candidates)
            reprice_all(contract, (candidate.product for candidate in candidates))
            results: list[Result] = []
            notes = RankNotes(self._experiments.assign(query.user, "recommend"))
            if candidates:
                results = await self._ranker.rank(
                    candidates,
                    query=None,
                    profile=work.profile,
                    serving_config="recommend",
                    include_contributions=query.include_contributions,
                    for_reasons=not query.skip_reasons,
                    timer=work.timer,
                    degradations=work.degradations,
                    notes=notes,
                )
            results = self._stock.apply(
                query.serving_config,
                candidates,
                results,
                plan.measure(results),
                work.degradations,
                kept=plan.pins,
            )
            results = await self._merchandiser.apply(
                plan,
                results,
                work.timer,
                work.degradations,
                priced=priced_by(contract, candidates),
            )
            results = placed(plan, results)
            view = ReasonView(
                query.language_code,
                None,
                work.profile,
                found.anchors,
                found.relations,
                tells_running_low=self._stock.tells_running_low,
            )
            page = await self._pages.build(
                results[: query.page_size],
                1,
                query.read_paths,
                None if query.skip_reasons else view,
                work.timer,
                include_contributions=query.include_contributions,
                contract=contract,
            )
            await self._reasons.fill(page.results, page.reasons, work.timer, work.degradations)
        about = fingerprint([query.user.user_id, query.user.session_id, list(query.product_ids)])
        token = self._signer.attribution(
            uuid.uuid4().hex[:16],
            config,
            about,
            [r.product.id for r in page.results],
            unit=notes.assigned.unit,
            arms=notes.assigned.arms,
        )
        self._shown.remember(
            token, page.results, notes, serving_config="recommend", language_code=""
        )
        return RecommendAnswer(
            results=page.results,
            attribution_token=token,
            timings=work.timer.timings(),
            degraded=list(work.degradations),
            serving_config=config,
            controls=plan.controls(),
            notes=notes,
        )
