"""One service behind the orchestrator: its channel, its health and its breaker."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import TypeVar

import grpc
import grpc.aio
from grpc_health.v1 import health_pb2

from services.orchestrator.config import OrchestratorSettings
from services.orchestrator.fallback import NoTimeLeftError
from shared.breaker import CircuitBreaker
from shared.channel import open_channel
from shared.errors import CircuitOpenError, UnavailableError, error_from_rpc

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
        # Health is asked on a channel of its own that does not wait for it.
        self._health_channel = open_channel(target, retry=False)
        self._check: Callable[..., Awaitable[health_pb2.HealthCheckResponse]] = (
            self._health_channel.unary_unary(
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
    ) -> _Response:
        """Calls a method.

        Args:
            method: Of this dependency's stub.
            request: What to send.
            timeout: Seconds it may take.
            fair_seconds: A call with less time than this says nothing about the dependency when
                the time runs out.

        Raises:
            CircuitOpenError: It kept failing and was not asked.
            NoTimeLeftError: `timeout` is 0.
            WhereforeError: As it answered.
        """
        self._check_open(timeout)
        try:
            response = await method(request, timeout=timeout)
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

    async def check_health(self, timeout: float = 1.0) -> None:  # noqa: ASYNC109 - goes on the wire
        """Raises UnavailableError unless the service says SERVING."""
        try:
            response = await self._check(
                health_pb2.HealthCheckRequest(service=self._service), timeout=timeout
            )
        except grpc.aio.AioRpcError as error:
            raise UnavailableError(f"{self.name} does not answer") from error
        if response.status != health_pb2.HealthCheckResponse.SERVING:
            raise UnavailableError(f"{self.name} is not serving yet")

    async def close(self) -> None:
        """Closes the channels."""
        await self.channel.close()
        await self._health_channel.close()

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
