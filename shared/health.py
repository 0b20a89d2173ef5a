"""grpc.health.v1 for one server: NOT_SERVING until told otherwise.

The health service itself is always SERVING: under its own name a liveness probe learns that the
process answers, whatever the dependencies do and also while it stands by.

grpcio-health-checking's own asyncio servicer drops the condition of a service when any one of its
watchers leaves (1.81), after which the others never hear of a change. A channel with health checks
would then keep a recovered backend out for good, so the forty lines are our own.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc  # pyright: ignore[reportMissingTypeStubs]

# The generated modules carry no types; from here on they have none to leak.
_pb2: Any = health_pb2
_SERVING: int = _pb2.HealthCheckResponse.SERVING
_NOT_SERVING: int = _pb2.HealthCheckResponse.NOT_SERVING
_UNKNOWN: int = _pb2.HealthCheckResponse.SERVICE_UNKNOWN

SERVICE_NAME = "grpc.health.v1.Health"
WHOLE_SERVER = ""
"""The service name that stands for the server as a whole."""


class Health:
    """The health of the services of one server, and the servicer that tells it.

    Args:
        names: Full service names; the whole server and this service itself are added.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._names = (WHOLE_SERVER, *names)
        self._status = {**dict.fromkeys(self._names, _NOT_SERVING), SERVICE_NAME: _SERVING}
        self._changed = asyncio.Event()
        self._closing = False

    @property
    def serving(self) -> bool:
        """Whether the whole server is SERVING."""
        return self._status[WHOLE_SERVER] == _SERVING

    def set_serving(self, serving: bool) -> None:
        """Reports all services, and the whole, as SERVING or NOT_SERVING."""
        if not self._closing:
            self._set(dict.fromkeys(self._names, _SERVING if serving else _NOT_SERVING))

    def shut_down(self) -> None:
        """Reports NOT_SERVING from now on, whatever `set_serving` says."""
        self._closing = True
        self._set(dict.fromkeys(self._names, _NOT_SERVING))

    def register(self, server: grpc.aio.Server) -> None:
        """Adds the health service to `server`."""
        add: Any = health_pb2_grpc.add_HealthServicer_to_server  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        add(self, server)

    async def Check(self, request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:  # noqa: N802
        """Answers the status of one service, or NOT_FOUND."""
        status = self._status.get(request.service)
        if status is None:
            await context.abort(grpc.StatusCode.NOT_FOUND, "no such service here")
        return _pb2.HealthCheckResponse(status=status)

    async def Watch(  # noqa: N802
        self, request: Any, context: grpc.aio.ServicerContext[Any, Any]
    ) -> AsyncIterator[Any]:
        """Answers the status of one service now and at every change."""
        told: int | None = None
        while True:
            changed = self._changed
            status = self._status.get(request.service, _UNKNOWN)
            if status != told:
                told = status
                yield _pb2.HealthCheckResponse(status=status)
            await changed.wait()

    def _set(self, status: Mapping[str, int]) -> None:
        self._status.update(status)
        # Each change has an event of its own, so nobody can sleep through one.
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
