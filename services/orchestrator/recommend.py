"""Recommendations: for a user, for products at hand, or what is popular."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from services.orchestrator.budget import ask_again
from services.orchestrator.clients import Clients
from services.orchestrator.fallback import Degradations
from services.orchestrator.merchandising.merchandiser import Merchandiser
from services.orchestrator.merchandising.plan import placed
from services.orchestrator.neighbours import (
    Neighbours,
    find_neighbours,
    is_alike,
    seed_weights,
)
from services.orchestrator.page import PageBuilder, PageView
from services.orchestrator.popular import popular_candidates
from services.orchestrator.popularity import Popularity
from services.orchestrator.profile import ProfileReader
from services.orchestrator.ranker import Ranker
from services.orchestrator.tokens import TokenSigner, fingerprint
from shared.timing import StageTimer
from wherefore.common.v1.diagnostics_pb2 import Degradation, StageTiming
from wherefore.common.v1.product_pb2 import AVAILABILITY_OUT_OF_STOCK
from wherefore.common.v1.user_profile_pb2 import UserContext, UserProfile
from wherefore.orchestrator.v1.applied_control_pb2 import AppliedControl
from wherefore.orchestrator.v1.result_pb2 import Result
from wherefore.retrieval.v1.candidate_pb2 import Candidate
from wherefore.retrieval.v1.retrieval_service_pb2 import SimilarRequest

FOR_YOU: Final = "for-you"
SIMILAR: Final = "similar"
POPULAR: Final = "popular"
SERVING_CONFIGS: Final = (FOR_YOU, SIMILAR, POPULAR)


@dataclass(frozen=True, slots=True)
class RecommendQuery:
    """A request that was checked. See RecommendRequest for the meaning of the fields."""

    user: UserContext
    product_ids: Sequence[str]
    serving_config: str
    filter: str
    page_size: int
    language_code: str
    read_paths: Sequence[str]
    include_contributions: bool
    skip_reasons: bool
    include_bought: bool


@dataclass(frozen=True, slots=True)
class RecommendAnswer:
    """Recommendations."""

    results: list[Result]
    attribution_token: str
    timings: list[StageTiming]
    degraded: list[Degradation]
    serving_config: str
    controls: list[AppliedControl]


@dataclass(slots=True)
class _Work:
    query: RecommendQuery
    timer: StageTimer
    degradations: Degradations
    profile: UserProfile | None = None


class Recommender:
    """Answers requests for recommendations. One for the process."""

    def __init__(
        self,
        clients: Clients,
        profiles: ProfileReader,
        popularity: Popularity,
        signer: TokenSigner,
        merchandiser: Merchandiser,
    ) -> None:
        self._clients = clients
        self._profiles = profiles
        self._popularity = popularity
        self._signer = signer
        self._merchandiser = merchandiser
        self._ranker = Ranker(clients)
        self._pages = PageBuilder(clients)

    async def recommend(self, query: RecommendQuery) -> RecommendAnswer:
        """Answers one request.

        Raises:
            InvalidArgumentError: For a filter of unknown fields.
            NotFoundError: None of the products at hand is in the catalogue.
            UnavailableError: Retrieval does not answer.
        """
        work = _Work(query, StageTimer(), Degradations())
        with work.timer.stage("total"):
            work.profile = await self._profiles.read(
                query.user, query.language_code, work.timer, work.degradations
            )
            plan = self._merchandiser.plan(query.serving_config, query.filter, work.degradations)
            wanted = await self._merchandiser.usable_filter(plan, query.filter, work.degradations)
            work.query = replace(query, filter=wanted)
            config, candidates, anchors = await self._candidates(work)
            known = [*query.product_ids, *(candidate.product.id for candidate in candidates)]
            candidates += await self._merchandiser.pinned_candidates(
                plan, known, wanted, work.degradations
            )
            candidates = self._wanted(work, candidates)
            results: list[Result] = []
            if candidates:
                results = await self._ranker.rank(
                    candidates,
                    query=None,
                    profile=work.profile,
                    serving_config="recommend",
                    include_contributions=query.include_contributions,
                    timer=work.timer,
                    degradations=work.degradations,
                )
            results = await self._merchandiser.apply(plan, results, work.timer, work.degradations)
            results = placed(plan, results)
            view = PageView(
                read_paths=query.read_paths,
                skip_reasons=query.skip_reasons,
                language_code=query.language_code,
                query=None,
                profile=work.profile,
                anchors=anchors,
            )
            page = await self._pages.build(
                results[: query.page_size], 1, view, work.timer, work.degradations
            )
        about = fingerprint([query.user.user_id, query.user.session_id, list(query.product_ids)])
        return RecommendAnswer(
            results=page,
            attribution_token=self._signer.attribution(
                uuid.uuid4().hex[:16], config, about, [r.product.id for r in page]
            ),
            timings=work.timer.timings(),
            degraded=list(work.degradations),
            serving_config=config,
            controls=plan.controls(),
        )

    async def _candidates(self, work: _Work) -> tuple[str, list[Candidate], Mapping[str, str]]:
        query = work.query
        if query.serving_config == SIMILAR:
            found = await self._similar(work)
            # What was found from several products at once follows from no single one.
            seed = query.product_ids[0] if len(query.product_ids) == 1 else ""
            alike = {c.product.id: seed for c in found if seed and is_alike(c)}
            return SIMILAR, found, alike
        if query.serving_config == FOR_YOU and work.profile and work.profile.recent_products:
            near = await self._near_history(work, work.profile)
            if near.candidates:
                return FOR_YOU, near.candidates, near.anchors
        found = await popular_candidates(
            self._clients, self._popularity, query.filter, work.timer, work.degradations
        )
        return POPULAR, found, {}

    async def _near_history(self, work: _Work, profile: UserProfile) -> Neighbours:
        half_life = self._clients.settings.popularity_half_life_days * 86_400.0
        wanted_again = ("purchase",) if work.query.include_bought else ()
        recent = [r.product_id for r in profile.recent_products if r.action not in wanted_again]
        seeds = seed_weights(profile, half_life)
        return await find_neighbours(self._clients, seeds, recent, work.query.filter, work.timer)

    async def _similar(self, work: _Work) -> list[Candidate]:
        started = work.timer.elapsed_nanos()
        with work.timer.stage("retrieval"):
            request = SimilarRequest(
                product_ids=work.query.product_ids,
                filter=work.query.filter,
                limit=self._clients.settings.candidates,
            )
            response = await ask_again(
                partial(self._clients.similar, request), self._clients.settings.budgets.retrieval
            )
        work.timer.merge((t for t in response.timings if t.stage != "retrieval"), started)
        return list(response.candidates)

    def _wanted(self, work: _Work, candidates: Sequence[Candidate]) -> list[Candidate]:
        bought: set[str] = set()
        if work.profile and not work.query.include_bought:
            recent = work.profile.recent_products
            bought = {r.product_id for r in recent if r.action == "purchase"}
        return [
            candidate
            for candidate in candidates
            if candidate.product.id not in bought
            and candidate.product.stock.availability != AVAILABILITY_OUT_OF_STOCK
        ]
