"""A service that another one asks: its channel and its breaker."""

from typing import Any, TypeVar

import grpc.aio

from shared.breaker import CircuitBreaker
from shared.channel import open_channel
from shared.errors import DEPENDENCY_FAULTS, CircuitOpenError, error_from_rpc

_Response = TypeVar("_Response")


class Peer:
    """One service. Connects on the first call; belongs to the event loop that makes it.

    Args:
        name: For messages, such as "nlu".
        service: Full name of the service whose health decides.
        target: HOST:PORT.
        breaker: Name of its breaker in metrics, such as "assistant.nlu".
    """

    def __init__(self, name: str, service: str, target: str, breaker: str) -> None:
        self.name = name
        self.channel = open_channel(target, wait_for_health_of=service)
        self._breaker = CircuitBreaker(breaker)

    async def ask(
        self,
        method: "grpc.aio.UnaryUnaryMultiCallable[Any, _Response]",
        request: Any,
        seconds: float,
    ) -> _Response:
        """Calls a method of the service's stub.

        Raises:
            WhereforeError: It does not answer, or not in time, or refuses.
        """
        if not self._breaker.allow():
            raise CircuitOpenError(f"{self.name} does not answer")
        try:
            response = await method(request, timeout=seconds)
        except grpc.aio.AioRpcError as error:
            if error.code() in DEPENDENCY_FAULTS:
                self._breaker.record_failure()
            raise error_from_rpc(error) from error
        self._breaker.record_success()
        return response

    async def close(self) -> None:
        """Closes the channel."""
        await self.channel.close()
