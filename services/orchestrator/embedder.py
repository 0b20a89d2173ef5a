"""Vectors of products, by the NLU: made where the stored one is of another text, or missing.

Without the NLU products go in without, and get their vectors when they are sent again.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import stamina

from services.orchestrator.budget import stage_timeout
from services.orchestrator.clients import Clients
from services.orchestrator.stage_budgets import StageBudget
from services.orchestrator.tokens import fingerprint
from shared.breaker import CircuitBreaker
from shared.degradation import cause_of, degradation
from shared.errors import (
    CircuitOpenError,
    DeadlineExceededError,
    ResourceExhaustedError,
    UnavailableError,
    WhereforeError,
)
from shared.text.document import embedding_text
from wherefore.common.v1.diagnostics_pb2 import Degradation
from wherefore.common.v1.product_pb2 import Product
from wherefore.common.v1.vector_pb2 import Vector
from wherefore.nlu.v1.nlu_service_pb2 import TEXT_ROLE_DOCUMENT, EmbedRequest
from wherefore.retrieval.v1.retrieval_service_pb2 import IndexDocument

STAGE: Final = "nlu.embedding"
_MAX_TEXT: Final = 20_000
# The encoder sorts the texts of a call by length, so large calls are little padding: 23 % of the
# tokens at 128 texts, 76 % at 32 (icecat). Few at once: shoppers wait behind what is running.
_MAX_TEXTS: Final = 128
_CALLS: Final = 2
# Kept of a deadline for writing the products, with or without their vectors.
_WRITE_SECONDS: Final = 1.0
_FAIR_SECONDS: Final = 5.0
_PASSING: Final = (UnavailableError, ResourceExhaustedError, DeadlineExceededError)


@dataclass(frozen=True, slots=True)
class Documents:
    """Products ready to be indexed, in the order they were given."""

    documents: list[IndexDocument]
    degradation: Degradation | None = None
    """Why some have no vector."""


class Embedder:
    """Puts vectors to products."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._timeout = clients.settings.embed_timeout_seconds
        self._calls = asyncio.Semaphore(_CALLS)
        # Without the model an import goes on at full speed and looks for it every other second.
        self._breaker = CircuitBreaker(
            "orchestrator.embedding",
            failure_threshold=1,
            reset_seconds=clients.settings.embed_reset_seconds,
        )

    async def documents(
        self,
        products: Sequence[Product],
        stored_sources: Mapping[str, str],
        unchanged_ids: Collection[str] = (),
    ) -> Documents:
        """Returns the documents of products.

        Args:
            products: What is to be indexed.
            stored_sources: What the stored vectors were made of, by id of the products that have
                one. A vector of the same text is kept: nothing is embedded for it.
            unchanged_ids: Products that are as they are stored. While there is no new vector they
                keep the one that they have, made of a text that was put together differently.
        """
        texts = {product.id: _text(product) for product in products}
        sources = {product_id: fingerprint(text) for product_id, text in texts.items()}
        kept = {i for i, source in sources.items() if stored_sources.get(i) == source}
        wanted = list(dict.fromkeys(text for i, text in texts.items() if i not in kept))
        vectors: dict[str, Vector] = {}
        degradation: Degradation | None = None
        try:
            for start in range(0, len(wanted), _MAX_TEXTS):
                part = wanted[start : start + _MAX_TEXTS]
                vectors.update(zip(part, await self._vectors(part), strict=True))
        except WhereforeError as error:
            degradation = _degradation(error)
        documents: list[IndexDocument] = []
        for product in products:
            vector = vectors.get(texts[product.id])
            source = ""
            if vector is not None or product.id in kept:
                source = sources[product.id]
            elif product.id in unchanged_ids:
                source = stored_sources.get(product.id, "")
            documents.append(IndexDocument(product=product, vector=vector, vector_source=source))
        return Documents(documents, degradation)

    async def _vectors(self, texts: Sequence[str]) -> Sequence[Vector]:
        if not self._breaker.allow():
            raise CircuitOpenError("the embedding model does not answer")
        seconds = stage_timeout(StageBudget(seconds=self._timeout, reserve=_WRITE_SECONDS))
        try:
            async with asyncio.timeout(seconds):
                vectors = await self._ask(EmbedRequest(texts=texts, role=TEXT_ROLE_DOCUMENT))
        except TimeoutError as error:
            # A caller in a hurry says nothing about the model.
            if seconds >= _FAIR_SECONDS:
                self._breaker.record_failure()
            raise DeadlineExceededError(f"no vectors within {seconds:.1f} s") from error
        except _PASSING:
            self._breaker.record_failure()
            raise
        self._breaker.record_success()
        return vectors

    async def _ask(self, request: EmbedRequest) -> Sequence[Vector]:
        # A moment's patience is worth more than a catalogue without vectors.
        async for attempt in stamina.retry_context(
            on=_PASSING, attempts=3, wait_initial=0.1, wait_jitter=0.2
        ):
            with attempt:
                async with self._calls:
                    return (await self._clients.embed(request, self._timeout)).vectors
        raise UnavailableError("the embedding model does not answer")


def vector_source(product: Product) -> str:
    """Returns what IndexDocument.vector_source is for the vector of a product as it is now."""
    return fingerprint(_text(product))


def _text(product: Product) -> str:
    return embedding_text(product)[:_MAX_TEXT]


def _degradation(error: WhereforeError) -> Degradation:
    return degradation(
        STAGE,
        cause_of(error),
        fallback="indexed without semantic vectors; send the rows again to fill them in",
        detail=error.code.name,
    )
