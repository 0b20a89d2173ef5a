"""Recommendations: for a user, for products at hand, or what is popular."""

import asyncio
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from services.orchestrator.clients import Clients
from services.orchestrator.experiments.book import Experiments
from services.orchestrator.fallback import Degradations
from services.orchestrator.likeness import AlikeQuery, distinct, find_alike
from services.orchestrator.merchandising.merchandiser import Merchandiser
from services.orchestrator.merchandising.plan import placed
from services.orchestrator.neighbours import (
    Neighbours,
    find_neighbours,
    seed_weights,
)
from services.orchestrator.page import PageBuilder
from services.orchestrator.popular import popular_candidates
from services.orchestrator.popularity import Popularity
from services.orchestrator.profile import ProfileReader
from services.orchestrator.ranker import Ranker
from services.orchestrator.reasons import Reasons, ReasonView
from services.orchestrator.recommend_query import RecommendAnswer, RecommendQuery
from services.orchestrator.related import RelatedFinder, RelatedQuery, fuse
from services.orchestrator.serving_configs import (
    ALSO_LIKE,
    FOR_YOU,
    OF_THE_PAST,
    POPULAR,
    SIMILAR,
    STEPS_IN,
    STRATEGIES,
)
from services.orchestrator.shown import RankNotes, ShownPages
from services.orchestrator.stock.mover import StockMover
from services.orchestrator.terms.applied import reprice_all
from services.orchestrator.terms.book import TermsBook
from services.orchestrator.terms.price_check import PriceCheck, affordable
from services.orchestrator.tokens import TokenSigner, fingerprint
from shared.filter_syntax import join_and
from shared.timing import StageTimer
from wherefore.common.v1.product_pb2 import AVAILABILITY_OUT_OF_STOCK
from wherefore.common.v1.user_profile_pb2 import UserProfile
from wherefore.orchestrator.v1.result_pb2 import Result
from wherefore.recommend.v1 import recommend_service_pb2 as pb
from wherefore.recommend.v1.relation_pb2 import RELATION_KIND_POPULAR, Relation
from wherefore.retrieval.v1.candidate_pb2 import Candidate

_POPULAR: Final = (Relation(kind=RELATION_KIND_POPULAR),)
# Products of a history that the model of sequences is asked with.
_NEXT_SEEDS: Final = 50


@dataclass(slots=True)
class _Work:
    query: RecommendQuery
    timer: StageTimer
    degradations: Degradations
    profile: UserProfile | None = None
    check: PriceCheck | None = None
    account_id: str = ""


@dataclass(frozen=True, slots=True)
class _Found:
    """What a configuration found, best first, and what reasons may rest on."""

    candidates: list[Candidate]
    anchors: Mapping[str, str] = field(default_factory=dict[str, str])
    relations: Mapping[str, Sequence[Relation]] = field(
        default_factory=dict[str, "Sequence[Relation]"]
    )


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
        self._popularity = popularity
        self._signer = signer
        self._merchandiser = merchandiser
        self._related = related
        self._stock = stock
        self._experiments = experiments
        self._shown = shown
        self._terms = terms
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
        work = _Work(query, StageTimer(), Degradations(), account_id=query.user.account_id)
        contract = self._terms.contract(query.user.account_id)
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
            work.check = PriceCheck.of(contract, query.filter)
            own = query.filter if work.check is None else work.check.asked
            wanted = await self._merchandiser.usable_filter(
                plan, join_and(own, self._terms.condition(contract)), work.degradations
            )
            work.query = replace(query, filter=wanted)
            config, found = await self._found(work)
            candidates = found.candidates
            known = [*query.product_ids, *(candidate.product.id for candidate in candidates)]
            pinned = await self._merchandiser.pinned_candidates(
                plan, known, wanted, work.degradations
            )
            candidates += await affordable(work.check, self._clients, pinned)
            candidates = self._wanted(work, config, candidates)
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
            results = await self._merchandiser.apply(plan, results, work.timer, work.degradations)
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

    async def _found(self, work: _Work) -> tuple[str, _Found]:
        """Returns what the configuration found, or else the one that steps in for it."""
        config = work.query.serving_config
        while True:
            found = await self._by(config, work)
            kept = await affordable(work.check, self._clients, found.candidates)
            found = replace(found, candidates=kept)
            step_in = STEPS_IN.get(config)
            if step_in is None or self._wanted(work, config, found.candidates):
                return config, found
            config = step_in

    async def _by(self, config: str, work: _Work) -> _Found:
        query = work.query
        if config == SIMILAR:
            return await self._alike(work)
        if config == POPULAR:
            self._profiles.note_lost_log(work.degradations)
            popular = await popular_candidates(
                self._clients, self._popularity, query.filter, work.timer, work.degradations
            )
            shown = distinct(popular, self._bought_groups(work))
            return _Found(shown, relations={each.product.id: _POPULAR for each in shown})
        if config == FOR_YOU:
            if not work.profile or not work.profile.recent_products:
                return _Found([])
            found = await self._for_you(work, work.profile)
            return replace(found, candidates=distinct(found.candidates, self._bought_groups(work)))
        related = await self._related.find(
            RelatedQuery(
                strategy=STRATEGIES[config],
                user=query.user,
                account_id=work.account_id,
                product_ids=query.product_ids,
                excluded_ids=[] if config in OF_THE_PAST else sorted(self._bought(work)),
                filter=query.filter,
                language_code=query.language_code,
            ),
            work.timer,
            work.degradations,
        )
        shown = related.candidates
        if config not in OF_THE_PAST:
            shown = distinct(shown, self._bought_groups(work))
        found = _Found(shown, {}, related.relations)
        if config == ALSO_LIKE and found.candidates:
            alike = await self._alike(work)
            candidates = fuse(found.candidates, alike.candidates, self._clients.settings.candidates)
            ties = {
                each.product.id: [
                    *found.relations.get(each.product.id, ()),
                    *alike.relations.get(each.product.id, ()),
                ]
                for each in candidates
            }
            return _Found(candidates, alike.anchors, ties)
        return found

    async def _for_you(self, work: _Work, profile: UserProfile) -> _Found:
        """Near what the user dealt with, and what a model of sequences takes to come next."""
        if not self._clients.settings.next_items:
            near = await self._near_history(work, profile)
            return _Found(near.candidates, near.anchors)
        recent = [each.product_id for each in profile.recent_products]
        wanted = RelatedQuery(
            strategy=pb.STRATEGY_NEXT_ITEMS,
            user=work.query.user,
            account_id="",
            product_ids=recent[:_NEXT_SEEDS],
            excluded_ids=sorted(self._bought(work)),
            filter=work.query.filter,
            language_code=work.query.language_code,
        )
        near, coming = await asyncio.gather(
            self._near_history(work, profile),
            self._related.find(wanted, work.timer, work.degradations),
        )
        if not coming.candidates:
            return _Found(near.candidates, near.anchors)
        limit = self._clients.settings.candidates
        candidates = fuse(coming.candidates, near.candidates, limit)
        return _Found(candidates, near.anchors, coming.relations)

    async def _alike(self, work: _Work) -> _Found:
        wanted = AlikeQuery(
            product_ids=work.query.product_ids,
            filter=work.query.filter,
            hidden_groups=self._bought_groups(work),
            language_code=work.query.language_code,
            wanted=work.query.page_size,
        )
        found = await find_alike(self._clients, wanted, work.timer, work.degradations)
        return _Found(found.candidates, found.anchors, found.relations)

    async def _near_history(self, work: _Work, profile: UserProfile) -> Neighbours:
        half_life = self._clients.settings.popularity_half_life_days * 86_400.0
        wanted_again = ("purchase",) if work.query.include_bought else ()
        recent = [r.product_id for r in profile.recent_products if r.action not in wanted_again]
        seeds = seed_weights(profile, half_life)
        return await find_neighbours(self._clients, seeds, recent, work.query.filter, work.timer)

    def _bought(self, work: _Work) -> set[str]:
        """Returns what the user bought and is not to be shown again."""
        if not work.profile or work.query.include_bought:
            return set()
        recent = work.profile.recent_products
        return {r.product_id for r in recent if r.action == "purchase"}

    def _bought_groups(self, work: _Work) -> set[str]:
        """Returns the groups of variants that the user has one of, and is not to be shown again."""
        bought = self._bought(work)
        recent = work.profile.recent_products if work.profile and bought else ()
        return {r.variant_group_id for r in recent if r.product_id in bought}

    def _wanted(self, work: _Work, config: str, candidates: Sequence[Candidate]) -> list[Candidate]:
        bought = set[str]() if config in OF_THE_PAST else self._bought(work)
        return [
            candidate
            for candidate in candidates
            if candidate.product.id not in bought
            and candidate.product.stock.availability != AVAILABILITY_OUT_OF_STOCK
        ]
