"""Turns a slice of a ranking into what is shown: whole products, and the request for reasons."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from google.protobuf.field_mask_pb2 import FieldMask

from services.orchestrator import masks
from services.orchestrator.budget import ask_again
from services.orchestrator.clients import Clients
from services.orchestrator.reasons import ReasonView, reason_request
from services.orchestrator.terms.applied import READ, terms_of
from services.orchestrator.terms.contract import Contract
from services.orchestrator.ties import Ties, nameable
from shared.timing import StageTimer
from wherefore.orchestrator.v1.result_pb2 import Result
from wherefore.reason.v1.reason_service_pb2 import ExplainRequest
from wherefore.retrieval.v1.retrieval_service_pb2 import GetProductsRequest, GetProductsResponse


@dataclass(frozen=True, slots=True)
class Page:
    """A page without reasons."""

    results: list[Result]
    reasons: ExplainRequest | None = None
    """What to ask for its reasons; None where it is to have none."""


class PageBuilder:
    """Fills pages."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    async def build(
        self,
        results: Sequence[Result],
        first_rank: int,
        read_paths: Sequence[str],
        reasons: ReasonView | None,
        timer: StageTimer,
        *,
        include_contributions: bool,
        ties: Callable[[], Awaitable[Ties]] | None = None,
        contract: Contract | None = None,
    ) -> Page:
        """Returns the results with products and ranks.

        A product that was deleted since it was ranked is left out; ranks keep their place.

        Args:
            results: Of the ranking.
            first_rank: Rank of the first of them.
            read_paths: Fields of the product that are shown; all but the reviews when empty.
            reasons: What reasons are to be about; None for a page without.
            timer: Of the request.
            include_contributions: Whether results keep what was added to their scores; reasons have
                what they tell of in any case.
            ties: Asks what the knowledge graph ties products to, while products are read.
            contract: Terms of the account that asks, which results then tell.

        Raises:
            UnavailableError: Retrieval does not answer.
        """
        if not results:
            return Page([])
        ids = [result.product.id for result in results]
        needed = READ if contract is not None else ()
        reading = self._products(ids, read_paths, timer, whole=reasons is not None, needed=needed)
        tied: Ties = {}
        if ties is None:
            found = await reading
        else:
            found, tied = await asyncio.gather(reading, ties())
        products = {product.id: product for product in found.products}
        page: list[Result] = []
        for rank, result in enumerate(results, start=first_rank):
            if product := products.get(result.product.id):
                result.rank = rank
                result.product.CopyFrom(product)
                if contract is not None:
                    result.terms.CopyFrom(terms_of(contract, product))
                page.append(result)
        asked = None
        if page and reasons is not None:
            # It has copies: what is trimmed from here on is evidence all the same.
            if tied:
                named = nameable(tied, reasons.query, products, reasons.language_code)
                reasons = replace(reasons, relations=named)
            asked = reason_request(page, found.price_standings, reasons)
        for result in page:
            if not include_contributions:
                result.ClearField("contributions")
            trimmed = masks.trim_for_search(result.product, read_paths)
            if trimmed is not result.product:
                result.product.CopyFrom(trimmed)
        return Page(page, asked)

    async def _products(
        self,
        ids: Sequence[str],
        read_paths: Sequence[str],
        timer: StageTimer,
        *,
        whole: bool,
        needed: Sequence[str],
    ) -> GetProductsResponse:
        # A reason is made of all that is known of a product; without reasons, of what is shown.
        paths: list[str] = []
        if not whole:
            paths = masks.top_level(read_paths) if read_paths else masks.default_read_fields()
            paths = list(dict.fromkeys((*paths, *needed))) if paths else []
        with timer.stage("retrieval.products"):
            request = GetProductsRequest(
                product_ids=ids,
                read_mask=FieldMask(paths=paths),
                include_price_standings=whole,
            )
            return await ask_again(
                partial(self._clients.get_products, request),
                self._clients.settings.budgets.products,
            )
