"""Summaries of products: the catalogue holds the texts, the reason service reads them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from google.protobuf.field_mask_pb2 import FieldMask

from services.orchestrator.budget import ask_again, stage_timeout
from services.orchestrator.clients import Clients
from services.orchestrator.fallback import Degradations
from shared.errors import (
    DeadlineExceededError,
    FailedPreconditionError,
    InternalError,
    NotFoundError,
    ResourceExhaustedError,
    UnavailableError,
)
from shared.timing import StageTimer
from wherefore.common.v1.diagnostics_pb2 import Degradation, StageTiming
from wherefore.common.v1.product_pb2 import Product, Review, ReviewSummary
from wherefore.reason.v1.summary_pb2 import SummariseRequest, SummariseResponse
from wherefore.retrieval.v1.retrieval_service_pb2 import GetProductsRequest

STAGE: Final = "summary"
MAX_REVIEWS, MAX_CHARACTERS = 500, 10_000
_FIELDS: Final = ("reviews", "descriptions", "review_summary")
# What says that the service is lost; anything else is an answer to the request.
_LOST: Final = (
    UnavailableError,
    DeadlineExceededError,
    ResourceExhaustedError,
    InternalError,
)


@dataclass(frozen=True, slots=True)
class SummaryAnswer:
    """A summary with what the catalogue knows; `summary` is None when the service is lost."""

    summary: SummariseResponse | None
    review_summary: ReviewSummary | None
    unread: int
    timings: list[StageTiming]
    degraded: list[Degradation]


class ProductSummariser:
    """Sums up products of the catalogue. One for the process."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    async def summarise(self, product_id: str, request: SummariseRequest) -> SummaryAnswer:
        """Fills in a request with what the catalogue holds, and has it answered.

        Args:
            product_id: In the catalogue.
            request: What is wanted; its reviews, where it has any, are read instead of the
                catalogue's.

        Raises:
            NotFoundError: The product is not there.
            FailedPreconditionError: Nothing is written about it.
            InvalidArgumentError: Names the field at fault.
            UnavailableError: The catalogue does not answer.
        """
        timer, degradations = StageTimer(), Degradations()
        with timer.stage("total"):
            product = await self._product(product_id, timer)
            unread = 0
            if not request.reviews:
                readable = _readable(product.reviews)
                unread = len(product.reviews) - len(readable)
                request.reviews.extend(readable)
            request.descriptions.update(product.descriptions)
            bodies = [*(each.text for each in request.reviews), *request.descriptions.values()]
            if not any(body.strip() for body in bodies):
                raise FailedPreconditionError(f"nothing is written about product {product_id!r}")
            summary = await self._ask(request, timer, degradations)
        return SummaryAnswer(
            summary=summary,
            review_summary=product.review_summary if product.HasField("review_summary") else None,
            unread=unread,
            timings=timer.timings(),
            degraded=list(degradations),
        )

    async def _product(self, product_id: str, timer: StageTimer) -> Product:
        request = GetProductsRequest(product_ids=[product_id], read_mask=FieldMask(paths=_FIELDS))
        with timer.stage("products"):
            response = await ask_again(
                partial(self._clients.get_products, request),
                self._clients.settings.budgets.products,
            )
        if not response.products:
            raise NotFoundError(f"no product {product_id!r} in the catalogue")
        return response.products[0]

    async def _ask(
        self, request: SummariseRequest, timer: StageTimer, degradations: Degradations
    ) -> SummariseResponse | None:
        budget = self._clients.settings.budgets.summary
        try:
            with timer.stage(STAGE):
                response = await self._clients.summarise(request, stage_timeout(budget))
        except _LOST as error:
            degradations.note(STAGE, error)
            return None
        degradations.pass_on(response.degraded)
        return response


def _readable(reviews: Sequence[Review]) -> list[Review]:
    """Returns the reviews that the reason service takes: one bad one must not cost the summary."""
    found: dict[str, Review] = {}
    for review in reviews:
        if review.id and len(review.text) <= MAX_CHARACTERS:
            found.setdefault(review.id, review)
    return list(found.values())[:MAX_REVIEWS]
