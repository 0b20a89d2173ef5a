"""A real orchestrator before the four services in small, all over real ports."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace

import grpc
import pytest
import pytest_asyncio

from services.orchestrator.config import OrchestratorSettings
from services.orchestrator.server import OrchestratorService
from shared.server import start_server
from tests.redis_server import RedisServer, running_redis
from tests.services.orchestrator.fake_backends import serve_backends


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    """One that keeps all that it acknowledged."""
    with running_redis(tmp_path, durable=True) as server:
        yield server


PATIENT = {"seconds": 1, "reserve": 0}


@asynccontextmanager
async def serve(folder: Path, **fields: object) -> AsyncIterator[SimpleNamespace]:
    async with serve_backends() as backends:
        target = backends.target
        settings = OrchestratorSettings(
            port=fields.pop("port", 0),  # type: ignore[arg-type]
            http_port=0,
            lame_duck_seconds=0,
            nlu_target=fields.pop("nlu_target", target),  # type: ignore[arg-type]
            retrieval_target=fields.pop("retrieval_target", target),  # type: ignore[arg-type]
            ranking_target=fields.pop("ranking_target", target),  # type: ignore[arg-type]
            reason_target=fields.pop("reason_target", target),  # type: ignore[arg-type]
            data_dir=folder,
            **{  # type: ignore[arg-type]
                "http_enabled": False,
                "breaker_reset_seconds": 0.1,
                "embed_reset_seconds": 0.1,
                "retrieval_patience_seconds": 0.1,
                # For parts that answer on a loaded machine, and for tests of parts that do not.
                "budgets": dict.fromkeys(("nlu", "ranking", "reason"), PATIENT),
                **fields,
            },
        )
        service = OrchestratorService(settings)
        server = await start_server(service, settings)
        try:
            await server.wait_ready(10)
            async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
                yield SimpleNamespace(
                    channel=channel, service=service, server=server, fake=backends.fake
                )
        finally:
            await server.stop()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def shop(tmp_path_factory) -> AsyncIterator[SimpleNamespace]:
    """One for all tests of a module, which must leave its parts whole."""
    async with serve(tmp_path_factory.mktemp("shop")) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def running(tmp_path: Path) -> AsyncIterator[SimpleNamespace]:
    """One of its own for a test that breaks parts."""
    async with serve(tmp_path) as each:
        yield each


@pytest_asyncio.fixture(loop_scope="module")
async def patient(tmp_path: Path) -> AsyncIterator[SimpleNamespace]:
    """One whose breakers, once open, stay so; and that waits long for its parts."""
    budget = {"seconds": 30, "reserve": 0.5}
    async with serve(
        tmp_path,
        breaker_reset_seconds=60,
        embed_reset_seconds=60,
        budgets=dict.fromkeys(("nlu", "retrieval", "ranking", "reason"), budget),
    ) as each:
        yield each


@pytest_asyncio.fixture(loop_scope="module")
async def hasty(tmp_path: Path) -> AsyncIterator[SimpleNamespace]:
    """One that gives retrieval little time, and goes on asking it."""
    budget = {"seconds": 1, "reserve": 0.05}
    budgets = dict.fromkeys(("retrieval", "products"), budget)
    async with serve(tmp_path, breaker_failures=100, budgets=budgets) as each:
        yield each
