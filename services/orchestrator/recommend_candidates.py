"""Candidates of recommendations: what a configuration finds, or else the one that steps in."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from services.orchestrator.clients import Clients
from services.orchestrator.fallback import Degradations
from services.orchestrator.likeness import AlikeQuery, distinct, find_alike
from services.orchestrator.neighbours import (
    Neighbours,
    find_neighbours,
    seed_weights,
)
from services.orchestrator.popular import popular_candidates
from services.orchestrator.popularity import Popularity
from services.orchestrator.profile import ProfileReader
from services.orchestrator.recommend_query import RecommendQuery
from services.orchestrator.related import RelatedFinder, RelatedQuery, fuse
from services.orchestrator.serving_configs import (
    ALSO_LIKE,
    FOR_YOU,
    OF_THE_PAST,
    POPULAR,
    SIMILAR,
    STEPS_IN,
    STRATEGIES,
    UP_SELL,
)
from services.orchestrator.terms.contract import Contract
from services.orchestrator.terms.price_check import PriceCheck, affordable
from services.orchestrator.terms.reach import within_reach
from shared.timing import StageTimer
from wherefore.common.v1.product_pb2 import AVAILABILITY_OUT_OF_STOCK
from wherefore.common.v1.user_profile_pb2 import UserProfile
from wherefore.recommend.v1 import recommend_service_pb2 as pb
from wherefore.recommend.v1.relation_pb2 import RELATION_KIND_POPULAR, Relation
from wherefore.retrieval.v1.candidate_pb2 import Candidate

_POPULAR: Final = (Relation(kind=RELATION_KIND_POPULAR),)
# Products of a history that the model of sequences is asked with.
_NEXT_SEEDS: Final = 50


@dataclass(slots=True)
class Work:
    """One request under way."""

    query: RecommendQuery
    timer: StageTimer
    degradations: Degradations
    profile: UserProfile | None = None
    check: PriceCheck | None = None
    account_id: str = ""
    contract: Contract | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """What a configuration found, best first, and what reasons may rest on."""

    candidates: list[Candidate]
    anchors: Mapping[str, str] = field(default_factory=dict[str, str])
    relations: Mapping[str, Sequence[Relation]] = field(
        default_factory=dict[str, "Sequence[Relation]"]
    )


class RecommendationFinder:
    """Finds what is to be recommended. One for the process."""

    def __init__(
        self,
        clients: Clients,
        profiles: ProfileReader,
        popularity: Popularity,
        related: RelatedFinder,
    ) -> None:
        self._clients = clients
        self._profiles = profiles
        self._popularity = popularity
        self._related = related

    async def find(self, work: Work) -> tuple[str, Found]:
        """Returns which configuration found something, and what: the one asked for if it did.

        Raises:
            NotFoundError: None of the products at hand is in the catalogue.
            UnavailableError: Retrieval does not answer.
        """
        config = work.query.serving_config
        while True:
            found = await self._by(config, work)
            kept = await affordable(work.check, self._clients, found.candidates)
            if config == UP_SELL:
                ids = work.query.product_ids
                kept = await within_reach(work.contract, self._clients, ids, kept, work.timer)
            found = replace(found, candidates=kept)
            step_in = STEPS_IN.get(config)
            if step_in is None or wanted_of(work, config, found.candidates):
                return config, found
            config = step_in

    async def _by(self, config: str, work: Work) -> Found:
        query = work.query
        if config == SIMILAR:
            return await self._alike(work)
        if config == POPULAR:
            self._profiles.note_lost_log(work.degradations)
            popular = await popular_candidates(
                self._clients, self._popularity, query.filter, work.timer, work.degradations
            )
            shown = distinct(popular, _bought_groups(work))
            return Found(shown, relations={each.product.id: _POPULAR for each in shown})
        if config == FOR_YOU:
            if not work.profile or not work.profile.recent_products:
                return Found([])
            found = await self._for_you(work, work.profile)
            return replace(found, candidates=distinct(found.candidates, _bought_groups(work)))
        related = await self._related.find(
            RelatedQuery(
                strategy=STRATEGIES[config],
                user=query.user,
                account_id=work.account_id,
                product_ids=query.product_ids,
                excluded_ids=[] if config in OF_THE_PAST else sorted(_bought(work)),
                filter=query.filter,
                language_code=query.language_code,
            ),
            work.timer,
            work.degradations,
        )
        shown = related.candidates
        if config not in OF_THE_PAST:
            shown = distinct(shown, _bought_groups(work))
        found = Found(shown, {}, related.relations)
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
            return Found(candidates, alike.anchors, ties)
        return found

    async def _for_you(self, work: Work, profile: UserProfile) -> Found:
        """Near what the user dealt with, and what a model of sequences takes to come next."""
        if not self._clients.settings.next_items:
            near = await self._near_history(work, profile)
            return Found(near.candidates, near.anchors)
        recent = [each.product_id for each in profile.recent_products]
        wanted = RelatedQuery(
            strategy=pb.STRATEGY_NEXT_ITEMS,
            user=work.query.user,
            account_id="",
            product_ids=recent[:_NEXT_SEEDS],
            excluded_ids=sorted(_bought(work)),
            filter=work.query.filter,
            language_code=work.query.language_code,
        )
        near, coming = await asyncio.gather(
            self._near_history(work, profile),
            self._related.find(wanted, work.timer, work.degradations),
        )
        if not coming.candidates:
            return Found(near.candidates, near.anchors)
        limit = self._clients.settings.candidates
        candidates = fuse(coming.candidates, near.candidates, limit)
        return Found(candidates, near.anchors, coming.relations)

    async def _alike(self, work: Work) -> Found:
        wanted = AlikeQuery(
            product_ids=work.query.product_ids,
            filter=work.query.filter,
            hidden_groups=_bought_groups(work),
            language_code=work.query.language_code,
            wanted=work.query.page_size,
        )
        found = await find_alike(self._clients, wanted, work.timer, work.degradations)
        return Found(found.candidates, found.anchors, found.relations)

    async def _near_history(self, work: Work, profile: UserProfile) -> Neighbours:
        half_life = self._clients.settings.popularity_half_life_days * 86_400.0
        wanted_again = ("purchase",) if work.query.include_bought else ()
        recent = [r.product_id for r in profile.recent_products if r.action not in wanted_again]
        seeds = seed_weights(profile, half_life)
        return await find_neighbours(self._clients, seeds, recent, work.query.filter, work.timer)


def wanted_of(work: Work, config: str, candidates: Sequence[Candidate]) -> list[Candidate]:
    """Returns the candidates that may be shown: in stock, and not what the user has already."""
    bought = set[str]() if config in OF_THE_PAST else _bought(work)
    return [
        candidate
        for candidate in candidates
        if candidate.product.id not in bought
        and candidate.product.stock.availability != AVAILABILITY_OUT_OF_STOCK
    ]


def _bought(work: Work) -> set[str]:
    """Returns what the user bought and is not to be shown again."""
    if not work.profile or work.query.include_bought:
        return set()
    recent = work.profile.recent_products
    return {r.product_id for r in recent if r.action == "purchase"}


def _bought_groups(work: Work) -> set[str]:
    """Returns the groups of variants that the user has one of, and is not to be shown again."""
    bought = _bought(work)
    recent = work.profile.recent_products if work.profile and bought else ()
    return {r.variant_group_id for r in recent if r.product_id in bought}
