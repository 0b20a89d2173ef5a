"""Forward passes: which texts go to which model, in as few requests as can be.

What a query says and the vector that stands for it come from one pass wherever one model gives
both. Answers are cached by model and version; a model that fails is left alone for a while, and its
loss is told, not raised.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

import numpy as np
from cachetools import LRUCache
from numpy.typing import NDArray

from services.nlu.learnt.intent_heads import IntentHeads
from services.nlu.learnt.models import Models
from services.nlu.learnt.port import QueryModel, Reading
from shared.breaker import CircuitBreaker
from shared.errors import (
    DeadlineExceededError,
    ResourceExhaustedError,
    UnavailableError,
    WhereforeError,
)
from shared.metrics import count_lookup

VectorF32 = NDArray[np.float32]


class Loss(StrEnum):
    """Why a model did not answer."""

    UNAVAILABLE = "unavailable"
    DEADLINE = "deadline"
    OVERLOADED = "overloaded"
    ERROR = "error"
    CIRCUIT_OPEN = "circuit_open"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What one query asks of the models.

    Attributes:
        text: What a reader of its language is to read.
        language_code: BCP-47; it chooses the reader.
        vector_text: What the vector is to stand for; None when no vector is wanted.
    """

    text: str
    language_code: str
    vector_text: str | None


@dataclass(frozen=True, slots=True)
class Lost:
    """A loss, and what it was."""

    loss: Loss
    detail: str


@dataclass(frozen=True, slots=True)
class Learnt:
    """What the models say of one query.

    Attributes:
        reading: None when no model reads its language, or when that was lost.
        reader: Name and version of the model that read it.
        vector: None when it was not wanted, or lost.
        vector_model: Name and version of the model of the vector.
        lost_reading: Why there is no reading; None where none was to be had.
        lost_vector: Why there is no vector.
        lost_head: Why a head of intents that was asked for did not read it.
    """

    reading: Reading | None = None
    reader: str = ""
    vector: VectorF32 | None = None
    vector_model: str = ""
    lost_reading: Lost | None = None
    lost_vector: Lost | None = None
    lost_head: Lost | None = None


@dataclass(frozen=True, slots=True)
class Pass:
    """One call of a model.

    Attributes:
        vectors: Whether vectors were asked of it, alone or with readings.
        queue_nanos: Nanoseconds in queues and on the way.
        inference_nanos: Nanoseconds of forward passes.
    """

    vectors: bool
    queue_nanos: int = 0
    inference_nanos: int = 0


@dataclass(frozen=True, slots=True)
class _Answer:
    readings: Mapping[str, Reading]
    model: str
    lost: Lost | None = None
    queue_nanos: int = 0
    inference_nanos: int = 0


@dataclass(slots=True)
class _Call:
    model: QueryModel
    texts: dict[str, None] = field(default_factory=lambda: {})
    vectors: bool = False


class ForwardPasses:
    """Asks the models. Not thread-safe: use it from one event loop.

    Args:
        models: Whom to ask.
        heads: Of intents, beside the models' own.
        cache_size: Readings kept.
        fair_wait_s: Seconds that a model must have been given before its silence counts against it;
            a caller in a hurry says nothing of the model.
    """

    def __init__(
        self, models: Models, heads: IntentHeads, *, cache_size: int, fair_wait_s: float
    ) -> None:
        self._models = models
        self._heads = heads
        self._fair_wait_s = fair_wait_s
        self._cache: LRUCache[tuple[str, str], Reading] = LRUCache(cache_size)
        self._breakers: dict[str, CircuitBreaker] = {}

    async def run(
        self, wanted: Sequence[Wanted], timeout_s: float
    ) -> tuple[list[Learnt], list[Pass]]:
        """Returns what the models say of each query within `timeout_s` seconds, and the calls.

        It never raises for a failing model: the loss is told in the result.
        """
        vectors = self._models.vectors
        calls: dict[str, _Call] = {}
        asked_of: list[str] = []
        for item in wanted:
            if item.vector_text is not None:
                # A reader may be the same version of the same model: then one call serves both, by
                # way of `vectors`, which does not move on to another version.
                call = calls.setdefault(vectors.model, _Call(vectors))
                call.model, call.vectors = vectors, True
                call.texts[item.vector_text] = None
            reader = self._models.reader(item.language_code)
            asked_of.append(reader.model if reader else "")
            if reader:
                calls.setdefault(reader.model, _Call(reader)).texts[item.text] = None
        made = await asyncio.gather(
            *(self._ask(call.model, list(call.texts), timeout_s) for call in calls.values())
        )
        answers = dict(zip(calls, made, strict=True))
        learnt = [
            self._refined(_learnt(item, answers.get(name), answers.get(vectors.model)))
            for item, name in zip(wanted, asked_of, strict=True)
        ]
        passes = [
            Pass(call.vectors, answer.queue_nanos, answer.inference_nanos)
            for call, answer in zip(calls.values(), made, strict=True)
        ]
        return learnt, passes

    def _refined(self, learnt: Learnt) -> Learnt:
        if learnt.reading is None:
            return learnt
        refined = self._heads.refine(learnt.reading, learnt.reader)
        lost = Lost(Loss.UNAVAILABLE, refined.problem) if refined.problem else None
        return replace(learnt, reading=refined.reading, lost_head=lost)

    async def _ask(self, model: QueryModel, texts: Sequence[str], timeout_s: float) -> _Answer:
        # A reader moves on only while others run: from here to its first wait it is this version.
        name = model.model
        known = {text: self._cache[name, text] for text in texts if (name, text) in self._cache}
        missing = [text for text in texts if text not in known]
        for text in texts:
            count_lookup("nlu.reading", hit=text in known)
        if not missing:
            return _Answer(known, name)
        if timeout_s <= 0.0:
            return _Answer(known, name, Lost(Loss.DEADLINE, "no time left"))
        breaker = self._breaker(name)
        if not breaker.allow():
            return _Answer(known, name, Lost(Loss.CIRCUIT_OPEN, "model failed lately"))
        try:
            async with asyncio.timeout(timeout_s):
                made = await model.read(missing)
        except (WhereforeError, TimeoutError) as error:
            loss = _loss(error)
            if loss is not Loss.DEADLINE or timeout_s >= self._fair_wait_s:
                breaker.record_failure()
            late = loss is Loss.DEADLINE
            detail = "no answer in time" if late else "no answer"
            return _Answer(known, name, Lost(loss, detail))
        breaker.record_success()
        readings = dict(zip(missing, made.readings, strict=True))
        for text, reading in readings.items():
            self._cache[made.model, text] = reading
        return _Answer(known | readings, made.model, None, made.queue_nanos, made.inference_nanos)

    def _breaker(self, model: str) -> CircuitBreaker:
        """One for each model, whatever its version."""
        name = f"nlu.{model.partition('@')[0]}"
        return self._breakers.setdefault(name, CircuitBreaker(name))


def _learnt(item: Wanted, read: _Answer | None, encoded: _Answer | None) -> Learnt:
    reading = read.readings.get(item.text) if read else None
    vector = None
    if encoded is not None and item.vector_text is not None:
        of_vector = encoded.readings.get(item.vector_text)
        vector = of_vector.vector if of_vector else None
    return Learnt(
        reading,
        read.model if read else "",
        vector,
        encoded.model if encoded else "",
        read.lost if read and reading is None else None,
        encoded.lost if encoded and item.vector_text is not None and vector is None else None,
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
