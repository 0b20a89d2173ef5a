"""One way to run any service.

The port is bound first, with health NOT_SERVING; then the service starts its own parts and is asked
until it is ready. SIGTERM drains: health says NOT_SERVING, balancers get a moment to notice, new
calls are refused, calls in flight finish, and only then do the service's parts close.
"""

import asyncio
import gc
import signal
import sys
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from typing import Protocol

import grpc
import grpc.aio
import structlog
from prometheus_client import start_http_server

from shared.health import Health
from shared.interceptors import Pipeline, service_pipeline
from shared.logging import configure_logging
from shared.readiness import Readiness
from shared.reflection import register_reflection
from shared.security.guard import Guard
from shared.security.serving import ServerSecurity
from shared.server_ports import bind, serve_health, server_options
from shared.settings import ServiceSettings
from shared.tracing import start_tracing, stop_tracing

_log: structlog.stdlib.BoundLogger = structlog.get_logger()

# Calls that the transport has accepted but no handler has seen yet get this long to be counted.
_SETTLE_SECONDS = 0.05
_SWITCH_INTERVAL_SECONDS = 0.001
_LONGEST_START_SECONDS = 24 * 3600.0


class Service(Protocol):
    """What a service is to this module.

    A service may also have `lenient_methods: Collection[str]`, full method names
    ("/package.Service/Method") whose streams report a NaN as a bad row instead of failing;
    `light_methods`, likewise, that take next to no work and so wait behind none that do;
    `begin_drain()`, called at the start of a drain, to end calls that never end by themselves; and
    `use_guard(guard)`, called while security is on, to guard other ways in than gRPC.
    """

    @property
    def service_names(self) -> Sequence[str]:
        """Full names, such as ("wherefore.nlu.v1.NluService",), for health and reflection."""
        ...

    async def start(self) -> None:
        """Loads models, opens channels and stores. The port is bound; health is NOT_SERVING.

        Raises:
            UnavailableError: A dependency is not there yet; `start` is tried again.
            Exception: Anything else is for good, and ends the process with exit code 1.
        """
        ...

    def register(self, server: grpc.aio.Server) -> None:
        """Adds the servicers to `server`."""
        ...

    async def check_ready(self) -> None:
        """Raises while a model or a required dependency does not answer."""
        ...

    async def close(self) -> None:
        """Closes what `start` opened. Called once, also after a `start` that failed."""
        ...


class RunningServer:
    """A service behind a bound port. Made by `start_server`."""

    def __init__(
        self,
        *,
        service: Service,
        settings: ServiceSettings,
        server: grpc.aio.Server,
        pipeline: Pipeline,
        health: Health,
        port: int,
        inner_port: int | None = None,
        security: ServerSecurity | None = None,
        health_server: grpc.aio.Server | None = None,
    ) -> None:
        self.port = port
        """The port in use, also when the settings said 0."""
        self.inner_port = inner_port
        """The port for other services, where it is not the same."""
        self._security = security
        self._health_server = health_server
        self._service = service
        self._settings = settings
        self._server = server
        self._pipeline = pipeline
        self._health = health
        self._readiness = Readiness(
            service, health, service.service_names[0], settings.health_interval_seconds
        )
        self._supervision = asyncio.create_task(self._readiness.run(), name="readiness")
        self._stopped = False

    @property
    def in_flight(self) -> int:
        """Calls being answered now."""
        return self._pipeline.in_flight

    async def wait_ready(self, timeout: float = 30.0) -> None:  # noqa: ASYNC109 - the interface
        """Returns once health says SERVING.

        Raises:
            TimeoutError: It does not within `timeout` seconds; the text says why.
            Exception: What ended `start()` for good.
        """
        ready = asyncio.create_task(self._readiness.wait_ready())
        try:
            await asyncio.wait(
                {ready, self._supervision}, timeout=timeout, return_when=asyncio.FIRST_COMPLETED
            )
            if ready.done():
                return
            if self._supervision.done():
                self._supervision.result()
            raise TimeoutError(f"not ready after {timeout:g} s: {self._readiness.reason}")
        finally:
            ready.cancel()

    async def wait_failed(self) -> BaseException:
        """Returns the error that ended `start()` for good, if one ever does."""
        await asyncio.wait({self._supervision})
        return self._supervision.exception() or RuntimeError("readiness ended")

    async def stop(self, *, lame_duck_seconds: float = 0.0) -> None:
        """Drains and closes; calls in flight get `drain_seconds`. Safe to call twice."""
        if self._stopped:
            return
        self._stopped = True
        self._health.shut_down()
        self._supervision.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await self._supervision
        await asyncio.sleep(lame_duck_seconds)
        begin_drain: Callable[[], None] | None = getattr(self._service, "begin_drain", None)
        if begin_drain:
            begin_drain()
        await self._drain()
        await self._service.close()
        if self._security:
            self._security.close()
        if self._health_server:
            await self._health_server.stop(None)

    async def _drain(self) -> None:
        stopping = asyncio.create_task(self._server.stop(self._settings.drain_seconds))
        await asyncio.sleep(_SETTLE_SECONDS)
        idle = asyncio.create_task(self._pipeline.wait_idle())
        await asyncio.wait({stopping, idle}, return_when=asyncio.FIRST_COMPLETED)
        idle.cancel()
        # What is left are health watches and reflection, which never end by themselves.
        await self._server.stop(None)
        await stopping


async def start_server(service: Service, settings: ServiceSettings) -> RunningServer:
    """Binds the port and starts `service` behind it; does not wait until it is ready.

    Raises:
        OSError: The address cannot be bound, or security is on and a file of it is missing.
    """
    lenient: Collection[str] = getattr(service, "lenient_methods", frozenset[str]())
    security = None
    if settings.security.enabled:
        security = ServerSecurity(settings.security, service.service_names[0].split(".")[1])
        use_guard: Callable[[Guard], None] | None = getattr(service, "use_guard", None)
        if use_guard:
            use_guard(security.guard)
    light: Collection[str] = getattr(service, "light_methods", frozenset[str]())
    pipeline = service_pipeline(settings, lenient, security.guard if security else None, light)
    server = grpc.aio.server(interceptors=(pipeline,), options=server_options(settings))
    health = Health(service.service_names)
    health.register(server)
    register_reflection(server, service.service_names)
    service.register(server)
    port, inner_port = bind(server, settings, security)
    health_server = await serve_health(health, settings)
    await server.start()
    _log.info("listening", service=service.service_names[0], host=settings.host, port=port)
    return RunningServer(
        service=service,
        settings=settings,
        server=server,
        pipeline=pipeline,
        health=health,
        port=port,
        inner_port=inner_port,
        security=security,
        health_server=health_server,
    )


def run(service: Service, settings: ServiceSettings) -> int:
    """Runs `service` until SIGTERM or SIGINT; returns the exit code.

    0 after a drain; 1 when the port is taken or `start()` failed for good.
    """
    configure_logging(settings.log_level, settings.log_format)
    # A thread that computes may keep the loop waiting for so long, not for Python's 5 ms.
    sys.setswitchinterval(_SWITCH_INTERVAL_SECONDS)
    start_tracing(settings, service.service_names[0].split(".")[1])
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            return runner.run(_run(service, settings))
    finally:
        stop_tracing()


async def _run(service: Service, settings: ServiceSettings) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, stop.set)
    try:
        server = await start_server(service, settings)
        close_metrics = _serve_metrics(settings)
    except OSError as error:
        _log.error("cannot start", service=service.service_names[0], reason=str(error))
        return 1
    stopping = asyncio.create_task(stop.wait())
    failing = asyncio.create_task(server.wait_failed())
    settling = asyncio.create_task(_settle(server))
    await asyncio.wait({stopping, failing}, return_when=asyncio.FIRST_COMPLETED)
    code = 0
    if failing.done() and not stopping.done():
        error = failing.result()
        _log.error(
            "cannot start",
            service=service.service_names[0],
            reason=f"{type(error).__name__}: {error}",
        )
        _log.debug("cannot start", exc_info=error)
        code = 1
    else:
        _log.info("draining", service=service.service_names[0], in_flight=server.in_flight)
    for task in (stopping, failing, settling):
        task.cancel()
    await server.stop(lame_duck_seconds=settings.lame_duck_seconds if code == 0 else 0.0)
    close_metrics()
    _log.info("stopped", service=service.service_names[0])
    return code


async def _settle(server: RunningServer) -> None:
    """Keeps what a start leaves out of later collections, each of which would walk through it.

    Dictionaries of words alone are a quarter of a million objects, and the loop stands still for
    as long: some 80 ms, in which no call is answered and none is refused.
    """
    with suppress(Exception):  # a start that failed is told by whoever waits for that
        await server.wait_ready(_LONGEST_START_SECONDS)
        gc.collect()
        gc.freeze()


def _serve_metrics(settings: ServiceSettings) -> Callable[[], None]:
    if not settings.metrics_port:
        return lambda: None
    try:
        http, _thread = start_http_server(settings.metrics_port, settings.host)
    except OSError as error:
        raise OSError(f"cannot serve metrics on port {settings.metrics_port}: {error}") from error

    def close() -> None:
        http.shutdown()
        http.server_close()

    return close


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    if sys.platform == "win32":
        return None
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop
