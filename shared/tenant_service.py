"""One service for many tenants: a service object for each, with data of its own.

Nothing inside a service knows of tenants, so nothing in it can mix them up: its stores, caches,
counts and background tasks are made once for each tenant. Calls go to the object of the tenant that
the caller's credential says. Objects are made when a tenant first calls; that of a tenant who was
removed is closed, and what it kept is deleted.
"""

import asyncio
import contextvars
import inspect
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Callable,
    Collection,
    Mapping,
    Sequence,
)
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import grpc
import grpc.aio
import structlog

from shared.errors import PermissionDeniedError, ResourceExhaustedError
from shared.request_context import current_tenant, working_for
from shared.security.guard import NOT_ALLOWED, Guard
from shared.server import Service
from shared.settings import ServiceSettings
from shared.tenant_removal import Forget, TenantRemoval

_RETRY_SECONDS = 60.0
_GRACE_SECONDS = 10.0
_log: structlog.stdlib.BoundLogger = structlog.get_logger()


Inside = Callable[[str], AbstractAsyncContextManager[Service]]
"""Lends the object of a tenant for a call; it is not closed meanwhile."""


def tenanted(
    make: Callable[[str], Service], settings: ServiceSettings, forget: Forget | None = None
) -> Service:
    """Returns the service to run: one for all tenants, or the only one while security is off.

    Args:
        make: Makes the service object of a tenant; of the suite's own for "".
        settings: Of the service.
        forget: Deletes what is kept of a tenant outside of its object; nothing is when None.
    """
    if not settings.security.enabled:
        return make("")
    return TenantService(make, settings.security.max_tenants, forget)


@dataclass(slots=True)
class _Handlers:
    """Stands in for a server, and keeps the handlers that are added to it by their method."""

    by_method: dict[str, Any] = field(default_factory=dict[str, Any])

    def add_registered_method_handlers(self, service: str, handlers: Mapping[str, Any]) -> None:
        for name, handler in handlers.items():
            self.by_method[f"/{service}/{name}"] = handler

    def add_generic_rpc_handlers(self, _: object) -> None:
        """The same handlers once more, behind a look-up."""


@dataclass(slots=True)
class _Room:
    service: Service
    handlers: Mapping[str, Any]
    calls: int = 0
    """Calls that are being answered."""
    idle: asyncio.Event = field(default_factory=asyncio.Event)
    """Set while there are none, once there were some."""


class TenantService:
    """`shared.server.Service` that keeps a service object for each tenant.

    Args:
        make: Makes the service object of a tenant; of the suite's own for "".
        most: Tenants, at most.
        forget: Deletes what is kept of a tenant.
    """

    def __init__(
        self, make: Callable[[str], Service], most: int, forget: Forget | None = None
    ) -> None:
        self._make = make
        self._most = most
        self._own = make("")
        self._own_handlers = _Handlers()
        self._rooms: dict[str, asyncio.Task[_Room]] = {}
        self._forget = forget
        self._removal: TenantRemoval | None = None
        self._removing: asyncio.Task[None] | None = None

    @property
    def service_names(self) -> Sequence[str]:
        """See `Service`."""
        return self._own.service_names

    @property
    def lenient_methods(self) -> Collection[str]:
        """See `Service`."""
        return getattr(self._own, "lenient_methods", frozenset[str]())

    @property
    def light_methods(self) -> Collection[str]:
        """See `Service`."""
        return getattr(self._own, "light_methods", frozenset[str]())

    def use_guard(self, guard: Guard) -> None:
        """See `Service`; who serves otherwise than by gRPC finds the tenants' objects by itself."""
        self._removal = TenantRemoval(guard, self._close_room, self._forget)
        use: Callable[[Guard], None] | None = getattr(self._own, "use_guard", None)
        if use:
            use(guard)
        tenants: Callable[[Inside], None] | None = getattr(self._own, "use_tenants", None)
        if tenants:
            tenants(self._inside)

    async def start(self) -> None:
        """See `Service`."""
        await self._own.start()
        if self._removal is not None and self._removing is None:
            # What a crash cut short is finished before anybody calls.
            await self._removal.look()
            self._removing = asyncio.create_task(self._removal.run(), name="tenants-removed")

    def register(self, server: grpc.aio.Server) -> None:
        """See `Service`."""
        collected: Any = self._own_handlers
        self._own.register(collected)
        by_service: dict[str, dict[str, Any]] = {}
        for method, handler in self._own_handlers.by_method.items():
            service, name = method[1:].split("/")
            by_service.setdefault(service, {})[name] = self._dispatching(method, handler)
        add: Any = server
        for service, handlers in by_service.items():
            generic: Any = grpc.method_handlers_generic_handler(service, handlers)
            add.add_generic_rpc_handlers((generic,))

    async def check_ready(self) -> None:
        """See `Service`."""
        await self._own.check_ready()

    def begin_drain(self) -> None:
        """See `Service`."""
        for service in (self._own, *(room.service for room in self._open_rooms())):
            _begin_drain(service)

    async def close(self) -> None:
        """See `Service`."""
        if self._removing:
            self._removing.cancel()
            await asyncio.gather(self._removing, return_exceptions=True)
        await asyncio.gather(*self._rooms.values(), return_exceptions=True)
        for room in self._open_rooms():
            await room.service.close()
        await self._own.close()

    def _dispatching(self, method: str, handler: Any) -> Any:
        kind = "stream" if handler.request_streaming else "unary"
        if handler.response_streaming:
            name, call = f"{kind}_stream", self._stream_of(method, f"{kind}_stream")
        else:
            name, call = f"{kind}_unary", self._call_of(method, f"{kind}_unary")
        make: Any = getattr(grpc, f"{name}_rpc_method_handler")
        return make(
            call,
            request_deserializer=handler.request_deserializer,
            response_serializer=handler.response_serializer,
        )

    def _call_of(self, method: str, kind: str) -> Callable[..., Any]:
        async def call(request: Any, context: Any) -> Any:
            async with self._behaviour(method, kind) as behaviour:
                return await behaviour(request, context)

        return call

    def _stream_of(self, method: str, kind: str) -> Callable[..., Any]:
        async def call(request: Any, context: Any) -> AsyncIterator[Any]:
            async with self._behaviour(method, kind) as behaviour:
                if not inspect.isasyncgenfunction(behaviour):
                    await behaviour(request, context)
                    return
                async with aclosing(behaviour(request, context)) as responses:
                    async for response in responses:
                        yield response

        return call

    @asynccontextmanager
    async def _behaviour(self, method: str, kind: str) -> AsyncGenerator[Callable[..., Any]]:
        if tenant := current_tenant():
            async with self._visit(tenant) as room:
                yield getattr(room.handlers[method], kind)
        else:
            yield getattr(self._own_handlers.by_method[method], kind)

    @asynccontextmanager
    async def _inside(self, tenant: str) -> AsyncGenerator[Service]:
        async with self._visit(tenant) as room:
            yield room.service

    @asynccontextmanager
    async def _visit(self, tenant: str) -> AsyncGenerator[_Room]:
        room = await self._room(tenant)
        room.calls += 1
        room.idle.clear()
        try:
            yield room
        finally:
            room.calls -= 1
            if not room.calls:
                room.idle.set()

    async def _room(self, tenant: str) -> _Room:
        if self._removal is not None and self._removal.covers(tenant):
            raise PermissionDeniedError(NOT_ALLOWED)
        opening = self._rooms.get(tenant)
        if opening is None or (opening.done() and (opening.cancelled() or opening.exception())):
            if opening is None and len(self._rooms) >= self._most:
                raise ResourceExhaustedError("too many tenants for this suite", _RETRY_SECONDS)
            # A context of its own: what the tenant's tasks do later is not done for this request.
            opening = self._rooms[tenant] = asyncio.create_task(
                self._open(tenant), name=f"tenant-{tenant}", context=contextvars.Context()
            )
        return await asyncio.shield(opening)

    async def _open(self, tenant: str) -> _Room:
        handlers: Any = _Handlers()
        with working_for(tenant):
            service = self._make(tenant)
            service.register(handlers)
            try:
                await service.start()
            except BaseException:
                await service.close()
                raise
        _log.info("tenant", tenant=tenant, service=service.service_names[0])
        return _Room(service, handlers.by_method)

    async def _close_room(self, tenant: str) -> None:
        """Lets the calls of a tenant end, and closes its object; a place for another is free."""
        opening = self._rooms.get(tenant)
        if opening is None:
            return
        await asyncio.wait({opening})
        try:
            if opening.cancelled() or opening.exception():
                return
            room = opening.result()
            _begin_drain(room.service)
            if room.calls:
                with suppress(TimeoutError):
                    await asyncio.wait_for(room.idle.wait(), _GRACE_SECONDS)
            await room.service.close()
        finally:
            del self._rooms[tenant]

    def _open_rooms(self) -> list[_Room]:
        return [
            task.result()
            for task in self._rooms.values()
            if task.done() and not task.cancelled() and task.exception() is None
        ]


def _begin_drain(service: Service) -> None:
    begin: Callable[[], None] | None = getattr(service, "begin_drain", None)
    if begin:
        begin()
