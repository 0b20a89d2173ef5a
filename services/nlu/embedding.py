"""Embedding: vectors of queries, cached, and never waited for longer than their share."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from cachetools import LRUCache
from numpy.typing import NDArray

from shared.breaker import CircuitBreaker
from shared.errors import (
    DeadlineExceededError,
    ResourceExhaustedError,
    UnavailableError,
    WhereforeError,
)
from shared.inference import Encoded, TextEncoder

VectorF32 = NDArray[np.float32]


class Loss(StrEnum):
    """Why there is no vector."""

    UNAVAILABLE = "unavailable"
    DEADLINE = "deadline"
    OVERLOADED = "overloaded"
    ERROR = "error"
    CIRCUIT_OPEN = "circuit_open"


@dataclass(frozen=True, slots=True)
class Embedded:
    """Vectors by text; for those that are missing, why.

    Attributes:
        vectors: Each of shape (dimension,), unit length.
        loss: None when every text has its vector.
        queue_nanos: Nanoseconds in queues, of the texts that were not cached.
        inference_nanos: Nanoseconds of forward passes, likewise.
    """

    vectors: Mapping[str, VectorF32] = field(default_factory=lambda: {})
    loss: Loss | None = None
    detail: str = ""
    queue_nanos: int = 0
    inference_nanos: int = 0


class QueryEmbedder:
    """Encodes queries through a cache and a breaker, so that a dead encoder costs nothing.

    Not thread-safe: use it from one event loop.

    Args:
        encoder: What makes the vectors.
        breaker: Guards it.
        cache_size: Vectors kept.
        fair_wait_s: Seconds that the encoder must have been given before its silence counts
            against it; a caller in a hurry says nothing of the encoder.
    """

    def __init__(
        self,
        encoder: TextEncoder,
        breaker: CircuitBreaker,
        *,
        cache_size: int,
        fair_wait_s: float,
    ) -> None:
        self._encoder = encoder
        self._breaker = breaker
        self._fair_wait_s = fair_wait_s
        self._cache: LRUCache[tuple[str, str], VectorF32] = LRUCache(cache_size)

    @property
    def model(self) -> str:
        """Name and version of the model."""
        return self._encoder.model

    async def embed(self, texts: Sequence[str], timeout_s: float) -> Embedded:
        """Returns vectors of texts, as many as can be had within `timeout_s` seconds.

        It never raises for a failing encoder: the loss is told in the result.
        """
        model = self._encoder.model
        vectors = {text: self._cache[model, text] for text in texts if (model, text) in self._cache}
        missing = [text for text in dict.fromkeys(texts) if text not in vectors]
        if not missing:
            return Embedded(vectors)
        if timeout_s <= 0.0:
            return Embedded(vectors, Loss.DEADLINE, "no time left")
        if not self._breaker.allow():
            return Embedded(vectors, Loss.CIRCUIT_OPEN, "encoder failed lately")
        try:
            async with asyncio.timeout(timeout_s):
                encoded = await self._encoder.encode(missing)
        except (WhereforeError, TimeoutError) as error:
            loss = _loss(error)
            if loss is not Loss.DEADLINE or timeout_s >= self._fair_wait_s:
                self._breaker.record_failure()
            return Embedded(vectors, loss, type(error).__name__)
        self._breaker.record_success()
        for text, vector in zip(missing, encoded.vectors, strict=True):
            # A copy, or each row would keep its whole batch alive in the cache.
            self._cache[model, text] = vectors[text] = vector.copy()
        return Embedded(
            vectors, queue_nanos=encoded.queue_nanos, inference_nanos=encoded.inference_nanos
        )


async def encode_all(encoder: TextEncoder, texts: Sequence[str], chunk: int) -> Encoded:
    """Encodes a long list in chunks, one after another: concurrent ones would hold up queries.

    Raises:
        UnavailableError: The encoder does not answer.
        DeadlineExceededError: Not within the caller's deadline.
    """
    parts = [
        await encoder.encode(texts[start : start + chunk]) for start in range(0, len(texts), chunk)
    ]
    return Encoded(
        np.concatenate([part.vectors for part in parts]),
        sum(part.queue_nanos for part in parts),
        sum(part.inference_nanos for part in parts),
    )


def _loss(error: WhereforeError | TimeoutError) -> Loss:
    match error:
        case TimeoutError() | DeadlineExceededError():
            return Loss.DEADLINE
        case UnavailableError():
            return Loss.UNAVAILABLE
        case ResourceExhaustedError():
            return Loss.OVERLOADED
        case _:
            return Loss.ERROR
