"""A made-up orchestrator behind the suite's own server, and both clients behind one face."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from shared.server import RunningServer, start_server
from shared.settings import ServiceSettings
from tests.clients.shop import Shop
from wherefore_client import AsyncClient, Client

Launch = Callable[..., Awaitable[RunningServer]]


class Caller:
    """Asks either client the same way: its methods awaited, its streams listed."""

    def __init__(self, client: Client | AsyncClient) -> None:
        self.client = client

    async def ask(self, method: str, *arguments: object, **options: object) -> Any:
        call = getattr(self.client, method)
        if isinstance(self.client, Client):
            return await asyncio.to_thread(call, *arguments, **options)
        return await call(*arguments, **options)

    async def list(self, method: str, *arguments: object, **options: object) -> list[Any]:
        answers = getattr(self.client, method)(*arguments, **options)
        if isinstance(self.client, Client):
            return await asyncio.to_thread(list, answers)
        return [answer async for answer in answers]

    async def first(self, method: str, *arguments: object, **options: object) -> Any:
        """The first answer of a stream, which is then given up."""
        answers = getattr(self.client, method)(*arguments, **options)
        if isinstance(self.client, Client):
            answer = await asyncio.to_thread(next, answers)
            answers.close()
        else:
            answer = await anext(answers)
            await answers.aclose()
        return answer


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
async def launch() -> AsyncIterator[Launch]:
    """Starts shops on free ports; stops whatever was started."""
    running: list[RunningServer] = []

    async def start(shop: Shop, **settings: Any) -> RunningServer:
        ready = shop.ready_error is None
        server = await start_server(
            shop, ServiceSettings(port=settings.pop("port", 0), drain_seconds=1, **settings)
        )
        running.append(server)
        if ready:
            await server.wait_ready(10)
        return server

    yield start
    for server in running:
        await server.stop()


@pytest.fixture(params=[Client, AsyncClient], ids=["sync", "asyncio"])
def kind(request: pytest.FixtureRequest) -> type[Client] | type[AsyncClient]:
    return request.param


@pytest.fixture
async def connect(
    kind: type[Client] | type[AsyncClient],
) -> AsyncIterator[Callable[..., Caller]]:
    """Makes clients of one kind; closes them."""
    made: list[Client | AsyncClient] = []

    def make(*arguments: Any, **options: Any) -> Caller:
        client = kind(*arguments, **options)
        made.append(client)
        return Caller(client)

    yield make
    for client in made:
        if isinstance(client, Client):
            client.close()
        else:
            await client.close()
