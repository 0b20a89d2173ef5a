"""One service behind the orchestrator: its channel, its health and its breaker."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import suppress
from typing import Final, TypeVar

import grpc
import grpc.aio
from grpc_health.v1 import health_pb2

from services.orchestrator.budget import learn, stage_seconds
from services.orchestrator.config import OrchestratorSettings
from services.orchestrator.fallback import NoTimeLeftError
from services.orchestrator.stage_budgets import StageBudget
from shared.breaker import CircuitBreaker
from shared.call_budget import CallBudget
from shared.channel import open_channel
from shared.deadline import current_deadline
from shared.errors import CircuitOpenError, UnavailableError, error_from_rpc
from shared.hedge import Hedge
from shared.metrics import RETRIES
from shared.status_details import status_of

_Request = TypeVar("_Request")
_Response = TypeVar("_Response")

# What says that the dependency itself is not well; refusing a request, or load, is an answer.
_FAILURES = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.UNKNOWN,
    }
)

# A connection that broke this moment may count as ready for one more.
_PAUSE_SECONDS: Final = 0.01
_LARGEST_WAIT: Final = 0.5
"""What waiting for a service to come back may take of what is left of the deadline."""
_RETRY_SHARE: Final = 0.1
"""Third and further tries for each call."""
_FAIR_SHARE: Final = 0.5
"""A call with less of its stage's time than this says nothing of the service when it runs out."""


class Dependency:
    """One service: its channel, its health and its breaker."""

    def __init__(
        self, name: str, service: str, target: str, settings: OrchestratorSettings
    ) -> None:
        self.name = name
        self._service = service
        self.channel = open_channel(
            target, wait_for_health_of=service, max_message_bytes=settings.max_message_bytes
        )
        # Another call to the same address would only wait behind the first.
        several = "," in target or target.startswith("dns:")
        self._hedge = Hedge(name, settings.hedge_share if several else 0.0)
        self._retries = CallBudget(_RETRY_SHARE)
        # On the same channel, which goes to addresses that are SERVING only: of two replicas one
        # may stand by for as long as the other lives.
        self._check: Callable[..., Awaitable[health_pb2.HealthCheckResponse]] = (
            self.channel.unary_unary(
                "/grpc.health.v1.Health/Check",
                request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
                response_deserializer=health_pb2.HealthCheckResponse.FromString,
            )
        )
        self._breaker = CircuitBreaker(
            f"orchestrator.{name}",
            failure_threshold=settings.breaker_failures,
            reset_seconds=settings.breaker_reset_seconds,
        )

    async def call(
        self,
        method: "grpc.aio.UnaryUnaryMultiCallable[_Request, _Response]",
        request: _Request,
        timeout: float,  # noqa: ASYNC109 - goes on the wire
        budget: StageBudget,
        *,
        patience_seconds: float = 0.0,
        hedged: bool = True,
    ) -> _Response:
        """Calls a method.

        Args:
            method: Of this dependency's stub.
            request: What to send.
            timeout: Seconds it may take.
            budget: Of the stage that asks.
            patience_seconds: How long to wait for a replica while none can be reached, half of
                what is left of the deadline at most. For calls that may be made twice.
            hedged: Whether it may be made twice where it is late, and is cheap enough to be.

        Raises:
            CircuitOpenError: It kept failing and was not asked.
            NoTimeLeftError: `timeout` is 0.
            WhereforeError: As it answered.
        """
        self._check_open(timeout)
        self._retries.earn()
        started = time.monotonic()
        until = started + _patience(patience_seconds)

        async def send(seconds: float) -> _Response:
            return await self._ask(method, request, seconds, until)

        try:
            if hedged:
                response = await self._hedge.call(method, send, timeout)
            else:
                response = await send(timeout)
        except grpc.aio.AioRpcError as raised:
            if raised.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
                learn(budget, time.monotonic() - started)
            self._record(raised.code(), timeout, budget)
            raise error_from_rpc(raised) from raised
        learn(budget, time.monotonic() - started)
        self._breaker.record_success()
        return response

    async def stream(
        self,
        method: "grpc.aio.UnaryStreamMultiCallable[_Request, _Response]",
        request: _Request,
        timeout: float,  # noqa: ASYNC109 - goes on the wire
        budget: StageBudget,
    ) -> AsyncGenerator[_Response]:
        """Calls a method that answers in parts; the call ends with the reading of it.

        Args and errors as of `call`; `timeout` is for the whole stream.
        """
        self._check_open(timeout)
        parts = method(request, timeout=timeout)
        try:
            async for part in parts:
                yield part
        except grpc.aio.AioRpcError as raised:
            self._record(raised.code(), timeout, budget)
            raise error_from_rpc(raised) from raised
        finally:
            parts.cancel()  # does nothing where it has ended
        self._breaker.record_success()

    async def wait_reachable(self, patience_seconds: float) -> None:
        """Returns once a replica can be reached, or after half of what is left of the deadline."""
        await self._reachable(_patience(patience_seconds))

    async def check_health(self, timeout: float = 1.0) -> None:  # noqa: ASYNC109 - goes on the wire
        """Raises UnavailableError unless a replica says SERVING within so many seconds."""
        try:
            response = await self._check(
                health_pb2.HealthCheckRequest(service=self._service),
                timeout=timeout,
                wait_for_ready=True,
            )
        except grpc.aio.AioRpcError as error:
            raise UnavailableError(f"{self.name} does not answer") from error
        if response.status != health_pb2.HealthCheckResponse.SERVING:
            raise UnavailableError(f"{self.name} is not serving yet")

    async def close(self) -> None:
        """Closes the channel."""
        await self.channel.close()

    async def _ask(
        self,
        method: "grpc.aio.UnaryUnaryMultiCallable[_Request, _Response]",
        request: _Request,
        timeout: float,  # noqa: ASYNC109 - goes on the wire
        until: float,
    ) -> _Response:
        tries = 0
        while True:
            try:
                return await method(request, timeout=timeout)
            except grpc.aio.AioRpcError as raised:
                # What a service says itself comes with details, and is its answer.
                if raised.code() is not grpc.StatusCode.UNAVAILABLE or status_of(raised):
                    raise
                tries += 1
                if not self._may_retry(tries, until):
                    raise
            await self._reachable(until - time.monotonic())

    def _may_retry(self, tries: int, until: float) -> bool:
        outcome = "sent"
        if until <= time.monotonic():
            outcome = "given_up"
        elif tries > 1 and not self._retries.spend():
            # The first try again comes when somebody is there; more of them could be a storm.
            outcome = "refused"
        RETRIES.labels(self.name, outcome).inc()
        return outcome == "sent"

    async def _reachable(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await asyncio.sleep(_PAUSE_SECONDS)
                await self.channel.channel_ready()

    def _check_open(self, timeout: float) -> None:
        if timeout <= 0:
            raise NoTimeLeftError(f"no time left for {self.name}")
        if not self._breaker.allow():
            raise CircuitOpenError(f"{self.name} does not answer")

    def _record(self, code: grpc.StatusCode, seconds: float, budget: StageBudget) -> None:
        fair = seconds >= stage_seconds(budget) * _FAIR_SHARE
        if code not in _FAILURES:
            self._breaker.record_success()
        elif fair or code is not grpc.StatusCode.DEADLINE_EXCEEDED:
            self._breaker.record_failure()


def _patience(seconds: float) -> float:
    return min(seconds, current_deadline().remaining() * _LARGEST_WAIT)
