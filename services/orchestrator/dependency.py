"""One service behind the orchestrator: its channel, its health and its breaker."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import suppress
from typing import Final, TypeVar

import grpc
import grpc.aio
from grpc_health.v1 import health_pb2

from services.orchestrator.config import OrchestratorSettings
from services.orchestrator.fallback import NoTimeLeftError
from shared.breaker import CircuitBreaker
from shared.channel import open_channel
from shared.deadline import current_deadline
from shared.errors import CircuitOpenError, UnavailableError, error_from_rpc
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
        *,
        fair_seconds: float = 0.0,
        patience_seconds: float = 0.0,
    ) -> _Response:
        """Calls a method.

        Args:
            method: Of this dependency's stub.
            request: What to send.
            timeout: Seconds it may take.
            fair_seconds: A call with less time than this says nothing about the dependency when
                the time runs out.
            patience_seconds: How long to wait for a replica while none can be reached, half of
                what is left of the deadline at most. For calls that may be made twice.

        Raises:
            CircuitOpenError: It kept failing and was not asked.
            NoTimeLeftError: `timeout` is 0.
            WhereforeError: As it answered.
        """
        self._check_open(timeout)
        until = time.monotonic() + _patience(patience_seconds)
        try:
            response = await self._ask(method, request, timeout, until)
        except grpc.aio.AioRpcError as raised:
            self._record(raised.code(), fair=timeout >= fair_seconds)
            raise error_from_rpc(raised) from raised
        self._breaker.record_success()
        return response

    async def stream(
        self,
        method: "grpc.aio.UnaryStreamMultiCallable[_Request, _Response]",
        request: _Request,
        timeout: float,  # noqa: ASYNC109 - goes on the wire
        *,
        fair_seconds: float = 0.0,
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
            self._record(raised.code(), fair=timeout >= fair_seconds)
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
        while True:
            try:
                return await method(request, timeout=timeout)
            except grpc.aio.AioRpcError as raised:
                left = until - time.monotonic()
                # What a service says itself comes with details, and is its answer.
                unheard = raised.code() is grpc.StatusCode.UNAVAILABLE and not status_of(raised)
                if left <= 0 or not unheard:
                    raise
                await self._reachable(left)

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
        if code not in _FAILURES:
            self._breaker.record_success()
        elif fair or code is not grpc.StatusCode.DEADLINE_EXCEEDED:
            self._breaker.record_failure()


def _patience(seconds: float) -> float:
    return min(seconds, current_deadline().remaining() * _LARGEST_WAIT)
