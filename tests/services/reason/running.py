"""A reason service on a port of its own, and an NLU of a test's making beside it."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from services.reason.config import Settings
from services.reason.server import ReasonServer
from shared.server import start_server
from wherefore.nlu.v1 import nlu_service_pb2_grpc as nlu_grpc


@asynccontextmanager
async def reason_service(stub: Callable[[grpc.aio.Channel], Any]) -> AsyncIterator[Any]:
    """Gives a function that starts a service with the settings given and returns its stub."""
    async with AsyncExitStack() as running:

        async def serve(**settings: Any) -> Any:
            chosen = Settings(port=0, metrics_port=0, model="", **settings)
            server = await start_server(ReasonServer(chosen), chosen)
            running.push_async_callback(server.stop)
            await server.wait_ready(20)
            target = f"127.0.0.1:{server.port}"
            return stub(await running.enter_async_context(grpc.aio.insecure_channel(target)))

        yield serve


@asynccontextmanager
async def nlu_beside(fake: Any) -> AsyncIterator[Any]:
    """Serves an NLU that is healthy; `fake.port` tells where."""
    server = grpc.aio.server()
    nlu_grpc.add_NluServiceServicer_to_server(fake, server)
    checks = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(checks, server)
    await checks.set("wherefore.nlu.v1.NluService", health_pb2.HealthCheckResponse.SERVING)
    fake.port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    yield fake
    await server.stop(0)
