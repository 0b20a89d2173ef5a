from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from shared.server import RunningServer, start_server
from shared.settings import ServiceSettings
from tests.shared.toy_service import ToyService

Launch = Callable[..., Awaitable[RunningServer]]


@pytest.fixture
def toy() -> ToyService:
    return ToyService()


@pytest.fixture
async def launch(toy: ToyService) -> AsyncIterator[Launch]:
    """Starts `toy` on a free port; stops whatever was started."""
    running: list[RunningServer] = []

    async def start(*, wait: bool = True, **settings: object) -> RunningServer:
        server = await start_server(
            toy, ServiceSettings(port=settings.pop("port", 0), drain_seconds=2, **settings)
        )
        running.append(server)
        if wait:
            await server.wait_ready(10)
        return server

    yield start
    for server in running:
        await server.stop()
