"""Popular products: the shop's own statistics blended with what happens now."""

from collections.abc import Sequence
from functools import partial
from typing import Final

from services.orchestrator.budget import ask_again, stage_timeout
from services.orchestrator.clients import Clients
from services.orchestrator.fallback import Degradations
from services.orchestrator.popularity import Popularity
from shared.errors import WhereforeError
from shared.filter_syntax import MAX_LENGTH, join_and, quote
from shared.rank_fusion import fused_scores
from shared.timing import StageTimer
from wherefore.common.v1.product_pb2 import Product
from wherefore.retrieval.v1.candidate_pb2 import Candidate
from wherefore.retrieval.v1.retrieval_service_pb2 import (
    LIST_ORDER_POPULARITY,
    ListProductsRequest,
)

_COUNT: Final = 100
_EVENT_COUNT: Final = 50
_SUMMARY: Final = (
    "id",
    "titles",
    "brand",
    "category_path",
    "price",
    "stock",
    "tags",
    "review_summary",
    "statistics",
    "variant_group_id",
    "language_code",
    "release_time",
    "etag",  # without it ranking analyses every title anew
)


async def popular_candidates(
    clients: Clients,
    popularity: Popularity,
    condition: str,
    timer: StageTimer,
    degradations: Degradations,
) -> list[Candidate]:
    """Returns popular products that meet a filter, best first.

    Raises:
        UnavailableError: Retrieval does not answer.
    """
    request = ListProductsRequest(page_size=_COUNT, filter=condition, order=LIST_ORDER_POPULARITY)
    request.read_mask.paths.extend(_SUMMARY)
    with timer.stage("retrieval"):
        budget = clients.settings.budgets.retrieval
        response = await ask_again(partial(clients.list_products, request), budget)
        by_history = list(response.products)
        by_events = await _popular_by_events(
            clients, popularity.top(_EVENT_COUNT), condition, by_history, degradations
        )
    return _blend(by_history, by_events)


async def _popular_by_events(
    clients: Clients,
    ids: Sequence[str],
    condition: str,
    known: Sequence[Product],
    degradations: Degradations,
) -> list[Product]:
    """Returns the products of `ids` that meet the filter, in their order."""
    found = {product.id: product for product in known}
    missing = [product_id for product_id in ids if product_id not in found]
    if missing and (narrowed := _only(condition, missing)):
        request = ListProductsRequest(page_size=_COUNT, filter=narrowed)
        request.read_mask.paths.extend(_SUMMARY)
        try:
            response = await clients.list_products(
                request, stage_timeout(clients.settings.budgets.products)
            )
        except WhereforeError as error:
            degradations.note("popularity", error)
        else:
            found |= {product.id: product for product in response.products}
    return [found[product_id] for product_id in ids if product_id in found]


def _only(condition: str, ids: Sequence[str]) -> str:
    """Returns the filter narrowed to as many of `ids` as fit; empty when none does."""
    for count in range(len(ids), 0, -1):
        named = " OR ".join(quote(product_id) for product_id in ids[:count])
        joined = join_and(condition, f"id: ({named})")
        if len(joined) <= MAX_LENGTH:
            return joined
    return ""


def _blend(*lists: Sequence[Product]) -> list[Candidate]:
    products = {product.id: product for in_order in lists for product in in_order}
    scores = fused_scores((1.0, [product.id for product in in_order]) for in_order in lists)
    ordered = sorted(scores, key=lambda product_id: -scores[product_id])
    candidates: list[Candidate] = []
    for rank, product_id in enumerate(ordered, start=1):
        score = scores[product_id]
        candidate = Candidate(product=products[product_id], fused_score=score, fused_rank=rank)
        candidate.legs.add(leg="popular", rank=rank, score=score)
        candidates.append(candidate)
    return candidates
