"""An insight service on a port of its own, and posts for it."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc

from services.insight.config import Settings
from services.insight.domain import Mention, Mood
from services.insight.messages import time_message
from services.insight.server import InsightServer
from shared.server import RunningServer, start_server
from wherefore.insight.v1 import insight_service_pb2 as pb
from wherefore.insight.v1.insight_service_pb2_grpc import InsightServiceStub
from wherefore.insight.v1.opinion_pb2 import Post

TEXTS = {
    Mood.NEGATIVE: "Terrible quality, the screen cracked on arrival",
    Mood.POSITIVE: "I love it, works great",
}


@asynccontextmanager
async def running(
    data: Path, **settings: Any
) -> AsyncIterator[tuple[RunningServer, InsightServiceStub]]:
    """Runs a service and gives it and its stub."""
    quick = {"alert_warm_hours": 0.5, "idle_seconds": 0.2}
    chosen = Settings(port=0, metrics_port=0, data_dir=data, **quick | settings)
    server = await start_server(InsightServer(chosen), chosen)
    try:
        await server.wait_ready(20)
        async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
            yield server, InsightServiceStub(channel)
    finally:
        await server.stop()


@asynccontextmanager
async def serving(data: Path, **settings: Any) -> AsyncIterator[InsightServiceStub]:
    """Runs a service and gives its stub."""
    async with running(data, **settings) as (_, stub):
        yield stub


def post_of(mention: Mention) -> Post:
    """Returns a made-up mention as a text that reads like it."""
    return Post(
        id=mention.id,
        event_time=time_message(mention.at_ms),
        text=TEXTS[mention.mood],
        product_id=mention.cell.product_id,
        brand=mention.cell.brand,
    )


async def ingest(stub: InsightServiceStub, posts: Sequence[Post], size: int = 100):
    """Sends texts in messages of some size."""

    async def requests() -> AsyncIterator[pb.IngestRequest]:
        for at in range(0, len(posts), size):
            yield pb.IngestRequest(posts=posts[at : at + size])

    return await stub.Ingest(requests(), timeout=60)
