"""An assistant on a port of its own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
from google.rpc.error_details_pb2 import BadRequest

from services.assistant.config import Settings
from services.assistant.server import AssistantServer
from shared.server import start_server
from shared.status_details import detail_of, status_of
from wherefore.assistant.v1 import assistant_service_pb2 as pb
from wherefore.assistant.v1.assistant_service_pb2_grpc import AssistantServiceStub
from wherefore.assistant.v1.learnt_service_pb2_grpc import LearntServiceStub
from wherefore.assistant.v1.user_data_service_pb2_grpc import UserDataServiceStub


class Stubs(AssistantServiceStub, LearntServiceStub, UserDataServiceStub):  # type: ignore[misc]
    """All services of one assistant.

    Attributes:
        target: HOST:PORT of it.
    """

    target: str

    def __init__(self, channel: Any) -> None:
        for stub in (AssistantServiceStub, LearntServiceStub, UserDataServiceStub):
            stub.__init__(self, channel)


@asynccontextmanager
async def assistant(folder: Path, **targets: Any) -> AsyncIterator[Any]:
    settings = Settings(port=0, metrics_port=0, data_dir=folder, **targets)
    running = await start_server(AssistantServer(settings), settings)
    try:
        await running.wait_ready(20)
        async with grpc.aio.insecure_channel(f"127.0.0.1:{running.port}") as channel:
            stubs = Stubs(channel)
            stubs.target = f"127.0.0.1:{running.port}"
            yield stubs
    finally:
        await running.stop()


@asynccontextmanager
async def caught_up(folder: Path, targets: dict[str, str]) -> AsyncIterator[Any]:
    async with assistant(folder, **targets) as found:
        await until_whole(found, "hello there")
        yield found


async def until_whole(stub: Any, question: str) -> pb.AskResponse:
    """Asks until the vectors of the templates are there; returns the answer."""
    for _ in range(200):
        response = await stub.Ask(pb.AskRequest(question=question))
        if not response.degraded:
            break
        await asyncio.sleep(0.05)
    assert not response.degraded
    return response


def fields_of(error: grpc.aio.AioRpcError) -> list[str]:
    status = status_of(error)
    assert status is not None
    bad = detail_of(status, BadRequest)
    assert bad is not None
    return [each.field for each in bad.field_violations]
