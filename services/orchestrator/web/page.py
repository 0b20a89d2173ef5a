"""The demo page's port: the page, its routes, and those of tenants while security is on."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, cast

import structlog
from starlette.applications import Starlette
from starlette.types import ASGIApp

from services.orchestrator.config import OrchestratorSettings
from services.orchestrator.web.app import Api, api_routes, make_app
from shared.security.guard import Guard
from shared.tenant_service import Inside
from shared.web.serve import WebServer

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class DemoPage:
    """Serves the page, once there is something that answers.

    Attributes:
        api: Answers from the data of this object's tenant; None before it is registered.
        guard: Lets calls in while security is on.
        inside: Lends the object of another tenant, which has a page too.
    """

    def __init__(self, settings: OrchestratorSettings) -> None:
        self.api: Api | None = None
        self.guard: Guard | None = None
        self.inside: Inside | None = None
        self._settings = settings
        self._web: WebServer | None = None
        self._routes: ASGIApp | None = None

    @property
    def port(self) -> int:
        """Port once started; 0 when it is off."""
        return self._web.port if self._web else 0

    @property
    def routes(self) -> ASGIApp:
        """What answers from data, without a door: for callers who are in already."""
        if self._routes is None:
            self._routes = Starlette(routes=api_routes(cast("Api", self.api)))
        return self._routes

    async def start(self) -> None:
        """Opens the port, unless it is off or open."""
        settings = self._settings
        if not settings.http_enabled or self._web is not None or self.api is None:
            return
        security = settings.security
        self._web = WebServer(
            make_app(self.api, self.guard, self._of_tenant if self.inside else None),
            settings.host,
            settings.http_port,
            security.pair("orchestrator") if security.enabled and security.edge_tls else None,
        )
        await self._web.start()
        _log.info("demo page", url=f"http://{settings.host}:{self._web.port}/")

    def begin_drain(self) -> None:
        """Ends the streams that have no end of their own."""
        if self.api is not None:
            self.api.applications.end_following()

    async def stop(self) -> None:
        """Closes the port, and what the page alone calls."""
        self.begin_drain()  # of whoever came back meanwhile
        if self._web:
            await self._web.stop()
        if self.api is not None:
            await self.api.applications.close()

    @asynccontextmanager
    async def _of_tenant(self, tenant: str) -> AsyncGenerator[ASGIApp]:
        assert self.inside is not None  # noqa: S101 - else nobody was handed this
        async with self.inside(tenant) as service:
            theirs: Any = service
            yield theirs.page.routes
