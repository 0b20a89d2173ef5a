"""The demo page in a real browser before a real orchestrator."""

from types import SimpleNamespace

import pytest_asyncio

from services.orchestrator.config import OrchestratorSettings
from services.orchestrator.server import OrchestratorService
from shared.server import start_server
from tests.browser import open_page
from tests.services.orchestrator import fake_backends
from tests.services.orchestrator.web.talkative import Talkative


@pytest_asyncio.fixture(loop_scope="module")
async def talkative(monkeypatch, tmp_path):
    """An orchestrator of its own with the page on."""
    monkeypatch.setattr(fake_backends, "Backends", Talkative)
    async with fake_backends.serve_backends() as backends:
        parts = ("nlu", "retrieval", "ranking", "reason")
        settings = OrchestratorSettings(
            port=0,
            http_enabled=True,
            http_port=0,
            lame_duck_seconds=0,
            data_dir=tmp_path,
            breaker_reset_seconds=0.1,
            # Tests say when the time for reasons is over, not how busy the machine is.
            default_deadline_seconds=60,
            budgets={"reason": {"seconds": 50, "reserve": 0.01}},  # type: ignore[arg-type]
            **{f"{part}_target": backends.target for part in parts},  # type: ignore[arg-type]
        )
        service = OrchestratorService(settings)
        server = await start_server(service, settings)
        try:
            await server.wait_ready(10)
            yield SimpleNamespace(port=service.http_port, fake=backends.fake)
        finally:
            await server.stop()


@pytest_asyncio.fixture(loop_scope="module")
async def page(talkative):
    """A visitor's page."""
    async with open_page(talkative.port, reduced_motion="reduce") as page:
        await page.goto("/")
        yield page
