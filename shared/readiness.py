"""Starts a service's own parts and keeps its health true to them."""

import asyncio
from typing import Protocol

import stamina
import structlog

from shared.errors import DeadlineExceededError, UnavailableError
from shared.folder_lock import FolderInUseError
from shared.health import Health
from shared.metrics import READY, STANDBY

STARTUP_INTERVAL_SECONDS = 0.2
CHECK_TIMEOUT_SECONDS = 5.0
TAKE_OVER_SECONDS = 0.05
"""Pause between looks of a process that stands by for another one's folder."""

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class Startable(Protocol):
    """The part of a service that readiness is about."""

    async def start(self) -> None:
        """Loads what the service needs."""
        ...

    async def check_ready(self) -> None:
        """Raises while the service cannot answer."""
        ...


class Readiness:
    """Runs `start()`, then polls `check_ready()` for ever.

    Args:
        service: What is started and asked.
        health: Where the answer is published.
        name: Name of the service in logs and metrics.
        interval_seconds: Time between checks once it has been ready.
    """

    def __init__(
        self, service: Startable, health: Health, name: str, interval_seconds: float
    ) -> None:
        self._service = service
        self._health = health
        self._name = name
        self._interval = interval_seconds
        self._reason = "not checked yet"
        self._ready = asyncio.Event()
        self._gauge = READY.labels(name)
        self._gauge.set(0)
        self._standby = STANDBY.labels(name)
        self._standby.set(0)

    @property
    def reason(self) -> str:
        """Why it is not ready; empty when it is."""
        return self._reason

    async def wait_ready(self) -> None:
        """Returns once the service is ready."""
        await self._ready.wait()

    async def run(self) -> None:
        """Runs until cancelled.

        Raises:
            Exception: What `start()` raised, unless it may pass (UnavailableError,
                DeadlineExceededError), which is retried with backoff for as long as it takes.
        """
        async for attempt in stamina.retry_context(
            on=(UnavailableError, DeadlineExceededError),
            attempts=None,
            timeout=None,
            wait_initial=STARTUP_INTERVAL_SECONDS,
            wait_max=5.0,
            wait_jitter=STARTUP_INTERVAL_SECONDS,
        ):
            with attempt:
                await self._start()
        interval = STARTUP_INTERVAL_SECONDS
        while True:
            await self._check()
            if self._ready.is_set():
                interval = self._interval
            await asyncio.sleep(interval)

    async def _start(self) -> None:
        self._reason = "starting"
        while True:
            try:
                await self._service.start()
            except FolderInUseError as error:
                if self._reason != error.message:
                    _log.info("standing by", service=self._name, reason=error.message)
                    self._standby.set(1)
                self._reason = error.message
                await asyncio.sleep(TAKE_OVER_SECONDS)
            else:
                self._standby.set(0)
                self._reason = "starting"
                return

    async def _check(self) -> None:
        try:
            async with asyncio.timeout(CHECK_TIMEOUT_SECONDS):
                await self._service.check_ready()
        except Exception as error:
            self._lost(f"{type(error).__name__}: {error}")
        else:
            self._gained()

    def _gained(self) -> None:
        if not self._ready.is_set():
            _log.info("ready", service=self._name)
        self._reason = ""
        self._publish(ready=True)

    def _lost(self, reason: str) -> None:
        # Said once at the first check, and again only when the service stops being ready.
        if self._ready.is_set() or self._reason == "starting":
            _log.warning("not ready", service=self._name, reason=reason)
        self._reason = reason
        self._publish(ready=False)

    def _publish(self, *, ready: bool) -> None:
        if ready:
            self._ready.set()
        else:
            self._ready.clear()
        self._gauge.set(int(ready))
        if self._health.serving != ready:
            self._health.set_serving(ready)
