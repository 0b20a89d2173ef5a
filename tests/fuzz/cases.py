"""One fuzzed call: half at random, half mutations of valid requests, some broken on the wire."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from google.protobuf.message import Message

from tests.fuzz import envelope
from tests.fuzz.messages import random_message
from tests.fuzz.methods import Method
from tests.fuzz.mutations import mutated, mutated_bytes
from tests.fuzz.values import Known
from tests.fuzz.wire import mutated_fields

_RANDOM_SHARE = 0.5
_BROKEN_SHARE = 0.05
_WIRE_SHARE = 0.08
_VALID_SHARE = 0.03
_STREAMS = (0, 1, 1, 1, 2, 2, 4, 4)
_LONG_STREAMS = (30, 300)
_LONG_SHARE = 0.03
_LONG_BYTES = 2**22


@dataclass(frozen=True, slots=True)
class Case:
    """One call: its request messages as bytes, and what goes round them."""

    method: Method
    requests: tuple[bytes, ...]
    """Exactly one where requests are not streamed."""
    metadata: envelope.Metadata = ()
    timeout: float = envelope.TIMEOUT
    """Seconds."""

    def messages(self) -> list[Message]:
        """Returns the requests that can be parsed."""
        parsed: list[Message] = []
        for raw in self.requests:
            message = self.method.request()
            try:
                message.ParseFromString(raw)
            except Exception:  # noqa: S112 - DecodeError, or RuntimeError of some versions
                continue
            parsed.append(message)
        return parsed


@dataclass(frozen=True, slots=True)
class Start:
    """What fuzzed calls of one method start from."""

    seeds: Sequence[Message]
    """Valid requests; may be empty."""
    known: Known
    """What the suite knows."""


def make_case(random: Random, method: Method, start: Start) -> Case:
    """Returns a call of `method`; the same state of `random` makes the same call."""
    requests = (
        _stream(random, method, start)
        if method.request_streaming
        else (_request(random, method, start),)
    )
    return Case(method, requests, envelope.metadata(random), envelope.timeout(random))


def _stream(random: Random, method: Method, start: Start) -> tuple[bytes, ...]:
    requests = tuple(_request(random, method, start) for _ in range(random.choice(_STREAMS)))
    if requests and random.random() < _LONG_SHARE:
        size = sum(map(len, requests)) or 1
        requests *= max(1, min(random.choice(_LONG_STREAMS), _LONG_BYTES // size))
    return requests


def _request(random: Random, method: Method, start: Start) -> bytes:
    if not start.seeds or random.random() < _RANDOM_SHARE:
        message = random_message(random, method.request, start.known)
    else:
        message = random.choice(start.seeds)
        if random.random() >= _VALID_SHARE:
            message = mutated(random, message, start.known)
    raw = message.SerializeToString(deterministic=True)
    chance = random.random()
    if chance < _BROKEN_SHARE:
        return mutated_bytes(random, raw)
    if chance < _BROKEN_SHARE + _WIRE_SHARE:
        return mutated_fields(random, raw, method.request.DESCRIPTOR)
    return raw
