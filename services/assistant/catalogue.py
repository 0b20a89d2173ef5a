"""Products, by retrieval, and what may be said of them, by the reason service and its verifier."""

import asyncio
from dataclasses import dataclass
from typing import Final

from services.assistant.domain import Citation, Language
from services.assistant.questions import REVIEWS, only
from shared.peer import Peer
from wherefore.common.v1.product_pb2 import Product
from wherefore.nlu.v1.query_understanding_pb2 import QueryUnderstanding
from wherefore.reason.v1.reason_pb2 import Reason
from wherefore.reason.v1.reason_service_pb2 import ExplainItem, ExplainRequest
from wherefore.reason.v1.reason_service_pb2_grpc import ReasonServiceStub
from wherefore.reason.v1.summary_pb2 import SUMMARY_STYLE_QUOTED, SummariseRequest
from wherefore.retrieval.v1.retrieval_service_pb2 import GetProductsRequest, RetrieveRequest
from wherefore.retrieval.v1.retrieval_service_pb2_grpc import RetrievalServiceStub

_RETRIEVAL: Final = "wherefore.retrieval.v1.RetrievalService"
_REASON: Final = "wherefore.reason.v1.ReasonService"
_FOUND: Final = 20
_CLAUSES: Final = 2
_QUOTES: Final = 2


@dataclass(frozen=True, slots=True)
class Statement:
    """What may be said of a product: a text whose every claim has its citation."""

    text: str
    citations: tuple[Citation, ...]


class Catalogue:
    """Asks retrieval for products, and the reason service for statements.

    Args:
        retrieval: HOST:PORT of retrieval.
        reason: HOST:PORT of the reason service.
        timeout: Seconds of a call.
    """

    def __init__(self, retrieval: str, reason: str, timeout: float) -> None:
        self._products = Peer("retrieval", _RETRIEVAL, retrieval, "assistant.retrieval")
        self._words = Peer("reason", _REASON, reason, "assistant.reason")
        self._retrieval = RetrievalServiceStub(self._products.channel)
        self._reason = ReasonServiceStub(self._words.channel)
        self._timeout = timeout

    async def find(self, query: QueryUnderstanding) -> list[Product]:
        """Returns products that a question can mean, best first.

        Raises:
            WhereforeError: Retrieval does not answer, or not in time.
        """
        request = RetrieveRequest(query=query, limit=_FOUND)
        method = self._retrieval.Retrieve
        response = await self._products.ask(method, request, self._timeout)
        return [each.product for each in response.candidates]

    async def get(self, product_id: str) -> Product | None:
        """Returns a product with all its fields; None where it is gone.

        Raises:
            WhereforeError: Retrieval does not answer, or not in time.
        """
        request = GetProductsRequest(product_ids=[product_id])
        method = self._retrieval.GetProducts
        response = await self._products.ask(method, request, self._timeout)
        return response.products[0] if response.products else None

    async def state(self, product: Product, field: str, language: Language) -> Statement | None:
        """Returns what the reason service says of one field; None where it says nothing.

        It gets the product with that field alone, so its verifier rejects whatever goes beyond.

        Raises:
            WhereforeError: The service does not answer, or not in time.
        """
        if field == REVIEWS:
            return await self._reviews(product, language)
        return await self._explained(only(product, field), language)

    async def close(self) -> None:
        """Closes the channels."""
        await self._products.close()
        await self._words.close()

    async def _explained(self, product: Product, language: Language) -> Statement | None:
        request = ExplainRequest(
            items=[ExplainItem(product=product)], language_code=language, max_clauses=_CLAUSES
        )
        method = self._reason.Explain
        response = await self._words.ask(method, request, self._timeout)
        return _statement(response.reasons[0]) if response.reasons else None

    async def _reviews(self, product: Product, language: Language) -> Statement | None:
        """What reviewers agree on, as counted, and a sentence or two of theirs."""
        counted, quoted = await asyncio.gather(
            self._explained(only(product, REVIEWS), language),
            self._quotes(product, language),
        )
        parts = [each for each in (counted, quoted) if each is not None]
        if not parts:
            return None
        joint = " " if language == "en" else ""
        citations = tuple(citation for part in parts for citation in part.citations)
        return Statement(joint.join(part.text for part in parts), citations)

    async def _quotes(self, product: Product, language: Language) -> Statement | None:
        reviews = [each for each in product.reviews if each.text]
        if not reviews:
            return None
        request = SummariseRequest(
            reviews=reviews, language_code=language, style=SUMMARY_STYLE_QUOTED
        )
        method = self._reason.Summarise
        response = await self._words.ask(method, request, self._timeout)
        chosen = [each for each in response.sentences if each.review_id][:_QUOTES]
        if not chosen:
            return None
        marks = "“{}”"
        intro = "Reviewers write: " if language == "en" else "买家说："
        joint = " " if language == "en" else ""
        text = intro + joint.join(marks.format(each.text) for each in chosen)
        citations = tuple(
            Citation("review", product.id, each.review_id, each.text, each.text) for each in chosen
        )
        return Statement(text, citations)


def _statement(reason: Reason) -> Statement | None:
    """A reason as a statement; None where no claim stood, or one came without evidence."""
    evidence = {each.id: each for each in reason.evidence}
    citations: list[Citation] = []
    for clause in reason.clauses:
        held = [evidence[each] for each in clause.evidence_ids if each in evidence]
        if not held:
            return None
        citations += [
            Citation("product", reason.product_id, each.source, each.value, clause.text)
            for each in held
        ]
    return Statement(reason.text, tuple(citations)) if reason.text and citations else None
