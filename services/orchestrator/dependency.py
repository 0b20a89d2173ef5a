"""One service behind the orchestrator: its channel, its health and its breaker."""

import asyncio
import math
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
from shared.breaker import BreakerState, CircuitBreaker
from shared.call_budget import CallBudget
from shared.channel import open_channel
from shared.deadline import current_deadline
from shared.errors import (
    DEPENDENCY_FAULTS,
    CircuitOpenError,
    UnavailableError,
    error_from_rpc,
)
from shared.hedge import Hedge
from shared.metrics import RETRIES
from shared.status_details import status_of

_Request = TypeVar("_Request")
_Response = TypeVar("_Response")

# A connection that broke this moment may count as ready for one more.
_PAUSE_SECONDS: Final = 0.01
_LARGEST_WAIT: Final = 0.5
"""What waiting for a service to come back may take of what is left of the deadline."""
_RETRY_SHARE: Final = 0.1
"""Tries beyond the free ones for each call."""
_FREE_TRIES: Final = 3
_STUMBLES: Final = 2.0
"""How long, in patiences, after its first failure an open breaker is still waited for."""
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
        self._waiting = 0
        self._failing_since = math.inf
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
        started = time.monotonic()
        fair = _is_fair(timeout, budget)
        patience = _Patience(_patience(patience_seconds))
        await self._wait_allowed(patience)
        self._check_open(timeout)
        self._retries.earn()

        async def send(seconds: float) -> _Response:
            return await self._ask(method, request, seconds, patience)

        try:
            # While nobody can be reached a second call would only wait beside the first.
            if hedged and not self._waiting:
                response = await self._hedge.call(method, send, timeout)
            else:
                response = await send(timeout)
        except grpc.aio.AioRpcError as raised:
            if raised.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
                learn(budget, time.monotonic() - started)
            # Whoever has just come back is slow for a moment, to many who waited for it.
            if not (patience.used and raised.code() is grpc.StatusCode.DEADLINE_EXCEEDED):
                self._record(raised.code(), fair=fair)
            raise error_from_rpc(raised) from raised
        if not patience.used:
            learn(budget, time.monotonic() - started)
        self._succeeded()
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
        fair = _is_fair(timeout, budget)
        self._check_open(timeout)
        parts = method(request, timeout=timeout)
        try:
            async for part in parts:
                yield part
        except grpc.aio.AioRpcError as raised:
            self._record(raised.code(), fair=fair)
            raise error_from_rpc(raised) from raised
        finally:
            parts.cancel()  # does nothing where it has ended
        self._succeeded()

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
        patience: "_Patience",
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
                if not self._may_retry(tries, patience):
                    raise
            patience.used = True
            self._waiting += 1
            try:
                await self._reachable(patience.left)
            finally:
                self._waiting -= 1

    async def _wait_allowed(self, patience: "_Patience") -> None:
        """Waits for a breaker that has opened only now: a service that just came back stumbles.

        One that has been away for longer is not waited for.
        """
        while self._breaker.state is BreakerState.OPEN and patience.left > 0:
            if time.monotonic() - self._failing_since > _STUMBLES * patience.seconds:
                return
            patience.used = True
            await asyncio.sleep(_PAUSE_SECONDS)

    def _may_retry(self, tries: int, patience: "_Patience") -> bool:
        outcome = "sent"
        if patience.left <= 0:
            outcome = "given_up"
        elif tries > _FREE_TRIES and not self._retries.spend():
            # The first ones come when somebody is there; more of them could be a storm.
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

    def _record(self, code: grpc.StatusCode, *, fair: bool) -> None:
        if code not in DEPENDENCY_FAULTS:
            self._succeeded()
        elif fair or code is not grpc.StatusCode.DEADLINE_EXCEEDED:
            self._failing_since = min(self._failing_since, time.monotonic())
            self._breaker.record_failure()

    def _succeeded(self) -> None:
        self._failing_since = math.inf
        self._breaker.record_success()


class _Patience:
    """How long one call may wait for its service, and whether it did."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.used = False
        self._until = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds of it that are left; may be negative."""
        return self._until - time.monotonic()


def _patience(seconds: float) -> float:
    return min(seconds, current_deadline().remaining() * _LARGEST_WAIT)


def _is_fair(seconds: float, budget: StageBudget) -> bool:
    """Whether a call that runs out after so many seconds says something of its service.

    None takes longer than its own caller waits: callers in a hurry must not open the breaker for
    all others.
    """
    given = min(seconds, current_deadline().remaining())
    return given >= stage_seconds(budget) * _FAIR_SHARE
