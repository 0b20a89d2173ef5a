"""Vectors of products, by the NLU; without it products go in without."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import stamina

from services.orchestrator.clients import Clients
from services.orchestrator.fallback import CircuitOpenError, cause_of
from shared.breaker import CircuitBreaker
from shared.errors import (
    DeadlineExceededError,
    ResourceExhaustedError,
    UnavailableError,
    WhereforeError,
)
from shared.metrics import count_degradation
from shared.text.document import embedding_text
from wherefore.common.v1.diagnostics_pb2 import Degradation, DegradationCause
from wherefore.common.v1.product_pb2 import Product
from wherefore.common.v1.vector_pb2 import Vector
from wherefore.nlu.v1.nlu_service_pb2 import TEXT_ROLE_DOCUMENT, EmbedRequest

STAGE: Final = "nlu.embedding"
_MAX_TEXT: Final = 20_000
# Small calls, few at once: the model's own time limit counts from when a call arrives, and queries
# of shoppers wait behind whatever is in front of them.
_MAX_TEXTS: Final = 32
_CALLS: Final = 2


@dataclass(frozen=True, slots=True)
class Vectors:
    """Vectors by text."""

    by_text: Mapping[str, Vector] = field(default_factory=dict[str, Vector])
    degradation: Degradation | None = None
    """Why there are none."""

    def of(self, product: Product) -> Vector | None:
        """Returns the vector of a product, if there is one."""
        return self.by_text.get(_text(product))


class Embedder:
    """Asks for vectors of products."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._timeout = clients.settings.embed_timeout_seconds
        self._calls = asyncio.Semaphore(_CALLS)
        # Without the model an import goes on at full speed and looks for it every other second.
        self._breaker = CircuitBreaker(
            "orchestrator.embedding", failure_threshold=1, reset_seconds=2.0
        )

    async def embed(self, products: Sequence[Product]) -> Vectors:
        """Returns the vectors of products; all or, with a degradation, none."""
        texts = list(dict.fromkeys(_text(product) for product in products))
        found: dict[str, Vector] = {}
        try:
            for start in range(0, len(texts), _MAX_TEXTS):
                part = texts[start : start + _MAX_TEXTS]
                found.update(zip(part, await self._vectors(part), strict=True))
        except WhereforeError as error:
            return Vectors(degradation=_degradation(error))
        return Vectors(found)

    async def _vectors(self, texts: Sequence[str]) -> Sequence[Vector]:
        if not self._breaker.allow():
            raise CircuitOpenError("the embedding model does not answer")
        request = EmbedRequest(texts=texts, role=TEXT_ROLE_DOCUMENT)
        try:
            # A moment's patience is worth more than a catalogue without vectors.
            async for attempt in stamina.retry_context(
                on=(UnavailableError, ResourceExhaustedError, DeadlineExceededError),
                attempts=3,
                wait_initial=0.2,
            ):
                with attempt:
                    async with self._calls:
                        response = await self._clients.embed(request, self._timeout)
                    self._breaker.record_success()
                    return response.vectors
        except WhereforeError:
            self._breaker.record_failure()
            raise
        raise UnavailableError("the embedding model does not answer")


def _text(product: Product) -> str:
    return embedding_text(product)[:_MAX_TEXT]


def _degradation(error: WhereforeError) -> Degradation:
    cause = cause_of(error)
    name = DegradationCause.Name(cause).removeprefix("DEGRADATION_CAUSE_").lower()
    count_degradation(STAGE, name)
    return Degradation(
        stage=STAGE,
        cause=cause,
        fallback="indexed without semantic vectors; send the rows again to fill them in",
        detail=error.code.name,
    )
