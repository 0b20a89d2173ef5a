"""Products that the recommendation service finds, made into candidates for ranking."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from google.protobuf.field_mask_pb2 import FieldMask

from services.orchestrator.budget import ask_again, stage_timeout
from services.orchestrator.by_id import MOST_BY_ID, request_by_id
from services.orchestrator.clients import Clients
from services.orchestrator.event_store import EventStore
from services.orchestrator.fallback import Degradations
from shared.errors import WhereforeError
from shared.rank_fusion import fused_scores
from shared.text.document import title_of
from shared.timing import StageTimer
from wherefore.common.v1.product_pb2 import Product
from wherefore.common.v1.user_profile_pb2 import UserContext
from wherefore.recommend.v1 import recommend_service_pb2 as pb
from wherefore.recommend.v1.relation_pb2 import Relation
from wherefore.retrieval.v1.candidate_pb2 import Candidate
from wherefore.retrieval.v1.retrieval_service_pb2 import GetProductsRequest

# What others chose says more than likeness.
_RELATED_WEIGHT: Final = 2.0
_OF_THE_PAST: Final = (pb.STRATEGY_BUY_AGAIN, pb.STRATEGY_REORDER)
# More are found than wanted, as a filter may leave few of them.
_FOUND: Final = 300


@dataclass(frozen=True, slots=True)
class Related:
    """What was found; may be nothing."""

    candidates: list[Candidate] = field(default_factory=list[Candidate])
    """Best first."""
    relations: Mapping[str, Sequence[Relation]] = field(
        default_factory=dict[str, "Sequence[Relation]"]
    )
    """By product id."""


@dataclass(frozen=True, slots=True)
class RelatedQuery:
    """What to find."""

    strategy: "pb.Strategy.ValueType"
    user: UserContext
    account_id: str
    """For which account; told apart from the user, who may refuse to be known."""
    product_ids: Sequence[str]
    excluded_ids: Sequence[str]
    filter: str
    language_code: str
    """Of the titles that reasons name."""


class RelatedFinder:
    """Asks the recommendation service, and retrieval for the products."""

    def __init__(self, clients: Clients, store: EventStore) -> None:
        self._clients = clients
        self._store = store

    async def find(
        self, query: RelatedQuery, timer: StageTimer, degradations: Degradations
    ) -> Related:
        """Returns what was found of the products that meet the filter.

        Raises:
            InvalidArgumentError: For a filter of unknown fields.
            UnavailableError: Retrieval does not answer.
        """
        account = query.account_id if query.strategy == pb.STRATEGY_REORDER else ""
        if query.strategy in _OF_THE_PAST and not account and query.user == UserContext():
            return Related()  # they refuse to be known
        request = pb.CandidatesRequest(
            strategy=query.strategy,
            user=self._store.alias(query.user),
            product_ids=query.product_ids,
            excluded_ids=query.excluded_ids[:1000],
            limit=_FOUND,
            event_sequence=self._store.place.last_sequence,
        )
        request.user.account_id = account
        started = timer.elapsed_nanos()
        try:
            with timer.stage("recommend"):
                response = await self._clients.related(
                    request, stage_timeout(self._clients.settings.budgets.recommend)
                )
        except WhereforeError as error:
            degradations.note("recommend", error)
            return Related()
        timer.merge((t for t in response.timings if t.stage != "recommend"), started)
        degradations.pass_on(response.degraded)
        if not response.products:
            return Related()
        with timer.stage("retrieval"):
            found, named = await asyncio.gather(
                self._products(response.products, query.filter),
                self._named(response.products, degradations),
            )
        ordered = [each for each in response.products if each.product_id in found]
        candidates = [
            Candidate(
                product=found[each.product_id],
                legs=each.legs,
                fused_score=each.score,
                fused_rank=rank,
            )
            for rank, each in enumerate(ordered[:MOST_BY_ID], start=1)
        ]
        relations: dict[str, Sequence[Relation]] = {}
        for each in ordered[:MOST_BY_ID]:
            for relation in each.relations:
                if product := named.get(relation.product_id):
                    relation.product_title = title_of(product, query.language_code)
            relations[each.product_id] = list(each.relations)
        return Related(candidates, relations)

    async def _products(
        self, found: Sequence[pb.RecommendedProduct], condition: str
    ) -> dict[str, Product]:
        """Returns the products that are there and meet a filter, as ranking reads them."""
        products: dict[str, Product] = {}
        for start in range(0, len(found), MOST_BY_ID):
            ids = [each.product_id for each in found[start : start + MOST_BY_ID]]
            request = request_by_id(ids, condition)
            response = await ask_again(
                partial(self._clients.retrieve, request), self._clients.settings.budgets.retrieval
            )
            products |= {c.product.id: c.product for c in response.candidates}
            if len(products) >= MOST_BY_ID:
                break
        return products

    async def _named(
        self, found: Sequence[pb.RecommendedProduct], degradations: Degradations
    ) -> Mapping[str, Product]:
        """Returns the products that relations name, with their titles."""
        ids = dict.fromkeys(r.product_id for each in found for r in each.relations if r.product_id)
        if not ids:
            return {}
        request = GetProductsRequest(product_ids=ids, read_mask=FieldMask(paths=["titles"]))
        try:
            response = await self._clients.get_products(
                request, stage_timeout(self._clients.settings.budgets.profile)
            )
        except WhereforeError as error:
            # Reasons then do without what they cannot name.
            degradations.note("profile", error, "titles of the products at hand")
            return {}
        return {product.id: product for product in response.products}


def fuse(related: Sequence[Candidate], alike: Sequence[Candidate], limit: int) -> list[Candidate]:
    """Merges what others chose with what is alike, by weighted reciprocal ranks."""
    merged: dict[str, Candidate] = {}
    for candidate in (*related, *alike):
        known = merged.setdefault(candidate.product.id, Candidate(product=candidate.product))
        known.legs.extend(candidate.legs)
    weighed = ((_RELATED_WEIGHT, related), (1.0, alike))
    scores = fused_scores(
        (weight, [each.product.id for each in found]) for weight, found in weighed
    )
    for product_id, score in scores.items():
        merged[product_id].fused_score = score
    ordered = sorted(merged.values(), key=lambda each: -each.fused_score)[:limit]
    for rank, candidate in enumerate(ordered, start=1):
        candidate.fused_rank = rank
    return ordered
