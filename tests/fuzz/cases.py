"""One fuzzed call: half at random, half mutations of valid requests, some broken on the wire."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from google.protobuf.message import Message

from tests.fuzz.messages import random_message
from tests.fuzz.methods import Method
from tests.fuzz.mutations import mutated, mutated_bytes
from tests.fuzz.values import Known

_RANDOM_SHARE = 0.5
_BROKEN_SHARE = 0.06
_VALID_SHARE = 0.03
_MAX_STREAM = 4


@dataclass(frozen=True, slots=True)
class Case:
    """The request messages of one call, as bytes; exactly one where requests are not streamed."""

    method: Method
    requests: tuple[bytes, ...]

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
    count = random.choice((0, 1, 1, 2, _MAX_STREAM)) if method.request_streaming else 1
    return Case(method, tuple(_request(random, method, start) for _ in range(count)))


def _request(random: Random, method: Method, start: Start) -> bytes:
    if not start.seeds or random.random() < _RANDOM_SHARE:
        message = random_message(random, method.request, start.known)
    else:
        message = random.choice(start.seeds)
        if random.random() >= _VALID_SHARE:
            message = mutated(random, message, start.known)
    raw = message.SerializeToString()
    return mutated_bytes(random, raw) if random.random() < _BROKEN_SHARE else raw
