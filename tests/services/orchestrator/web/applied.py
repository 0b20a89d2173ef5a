"""The demo page with customer service and opinion monitoring behind it, both the services' own."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from services.assistant.config import Settings as AssistantSettings
from services.assistant.server import AssistantServer
from services.insight.config import Settings as InsightSettings
from services.insight.server import InsightServer
from services.orchestrator.config import OrchestratorSettings
from services.orchestrator.server import OrchestratorService
from shared.server import RunningServer, start_server
from tests.services.assistant.conftest import LABELS
from tests.services.assistant.peers import Nlu, Retrieval, peers, reasons
from tests.services.assistant.standing_in import lamp
from tests.services.orchestrator import fake_backends


@asynccontextmanager
async def page_with(tmp_path: Path, **targets: str) -> AsyncIterator[Any]:
    """An orchestrator whose page calls these targets of applications."""
    async with fake_backends.serve_backends() as backends:
        parts = ("nlu", "retrieval", "ranking", "reason")
        settings = OrchestratorSettings(
            port=0,
            http_enabled=True,
            http_port=0,
            lame_duck_seconds=0,
            data_dir=tmp_path / "orchestrator",
            **{f"{part}_target": backends.target for part in parts},  # type: ignore[arg-type]
            **targets,  # type: ignore[arg-type]
        )
        service = OrchestratorService(settings)
        server = await start_server(service, settings)
        try:
            await server.wait_ready(10)
            yield SimpleNamespace(port=service.http_port, service=service, server=server)
        finally:
            await server.stop()


@asynccontextmanager
async def assistant(tmp_path: Path) -> AsyncIterator[RunningServer]:
    """Customer service with two lamps in its catalogue."""
    async with AsyncExitStack() as stack:
        lamps = Retrieval([lamp("white"), lamp("black", 249)])
        found = await stack.enter_async_context(peers(Nlu(LABELS, "Lumoria"), lamps))
        found["reason_target"] = await stack.enter_async_context(reasons(found["nlu_target"]))
        settings = AssistantSettings(
            port=0,
            metrics_port=0,
            lame_duck_seconds=0,
            data_dir=tmp_path / "assistant",
            **found,  # type: ignore[arg-type]
        )
        service = AssistantServer(settings)
        server = await start_server(service, settings)
        try:
            await server.wait_ready(20)
            await service.caught_up()
            yield server
        finally:
            await server.stop()


@asynccontextmanager
async def insight(tmp_path: Path, port: int = 0) -> AsyncIterator[RunningServer]:
    """Opinion monitoring without texts."""
    settings = InsightSettings(
        port=port, metrics_port=0, lame_duck_seconds=0, data_dir=tmp_path / "insight"
    )
    server = await start_server(InsightServer(settings), settings)
    try:
        await server.wait_ready(20)
        yield server
    finally:
        await server.stop()
