"""A disk that fills up: it is said, what was acknowledged stays, and with room all goes on."""

import asyncio
import os
import socket
import sys
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import grpc.aio
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from tests.chaos.conftest import SmallDisk
from tests.services.orchestrator.conftest import serve
from tests.services.orchestrator.fake_backends import DIMENSION, vector_of
from wherefore.common.v1.product_pb2 import Product
from wherefore.common.v1.user_event_pb2 import USER_EVENT_TYPE_REVIEW, ProductDetail, UserEvent
from wherefore.orchestrator.v1.search_service_pb2 import SearchRequest
from wherefore.orchestrator.v1.search_service_pb2_grpc import SearchServiceStub
from wherefore.orchestrator.v1.user_event_service_pb2 import UserEventServiceWriteRequest
from wherefore.orchestrator.v1.user_event_service_pb2_grpc import UserEventServiceStub
from wherefore.retrieval.v1 import retrieval_service_pb2 as retrieval_pb
from wherefore.retrieval.v1.retrieval_service_pb2_grpc import RetrievalServiceStub

pytestmark = pytest.mark.integration
ROOT = Path(__file__).parents[2]
ROWS = 50


def event(number: int) -> UserEventServiceWriteRequest:
    made = UserEvent(
        id=f"e{number}",
        type=USER_EVENT_TYPE_REVIEW,
        user_id=f"user {number}",
        rating=4,
        text="So it goes. " * 150,
        products=[ProductDetail(product_id="p01")],
    )
    return UserEventServiceWriteRequest(event=made)


async def test_events_on_a_full_disk(small_disk: SmallDisk):
    async with serve(small_disk.folder) as running:
        events = UserEventServiceStub(running.channel)
        acknowledged: list[int] = []
        refused: grpc.aio.AioRpcError | None = None
        for number in range(3_000):
            try:
                await events.Write(event(number), timeout=5)
            except grpc.aio.AioRpcError as error:
                refused = error
                break
            acknowledged.append(number)
        assert len(acknowledged) > 10
        assert refused is not None, "the disk never filled up"
        assert refused.code() is grpc.StatusCode.UNAVAILABLE
        status = rpc_status.from_call(refused)  # type: ignore[arg-type]
        assert any(d.Is(error_details_pb2.RetryInfo.DESCRIPTOR) for d in status.details)
        assert str(small_disk.folder) not in refused.details()
        # Who only searches is not concerned.
        request = SearchRequest(query="cup")
        assert (await SearchServiceStub(running.channel).Search(request, timeout=5)).results

        small_disk.resize(64)
        assert not (await events.Write(event(len(acknowledged)), timeout=5)).duplicate
        acknowledged.append(len(acknowledged))

    async with serve(small_disk.folder) as running:
        events = UserEventServiceStub(running.channel)
        for number in acknowledged:
            assert (await events.Write(event(number), timeout=5)).duplicate


@asynccontextmanager
async def retrieval(folder: Path) -> AsyncIterator[RetrievalServiceStub]:
    """Retrieval as a process, killed at the end of the block."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {key: value for key, value in os.environ.items() if "WHEREFORE" not in key}
    prefix = "WHEREFORE_RETRIEVAL_"
    environment |= {
        f"{prefix}PORT": str(port),
        f"{prefix}DATA_DIR": str(folder),
        f"{prefix}VECTOR_DIMENSION": str(DIMENSION),
        f"{prefix}LEAST_FREE_MIB": "72",
        f"{prefix}OPTIMIZE_AFTER": "1000000",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.retrieval",
        cwd=ROOT, env=environment, stdout=DEVNULL, stderr=DEVNULL,
    )  # fmt: skip
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            stub = RetrievalServiceStub(channel)
            async with asyncio.timeout(60):
                while True:
                    try:
                        await stub.Stats(retrieval_pb.StatsRequest(), wait_for_ready=True)
                        break
                    except grpc.aio.AioRpcError:
                        await asyncio.sleep(0.1)
            yield stub
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def documents(batch: int) -> list[retrieval_pb.IndexDocument]:
    made: list[retrieval_pb.IndexDocument] = []
    for row in range(ROWS):
        product = Product(id=f"{batch:04}-{row:03}", titles={"en": f"Kettle {batch} {row}"})
        product.descriptions["en"] = os.urandom(2_000).hex()
        made.append(retrieval_pb.IndexDocument(product=product, vector=vector_of(product.id)))
    return made


async def test_products_on_a_full_disk(small_disk: SmallDisk):
    small_disk.resize(128)
    acknowledged: list[str] = []
    async with retrieval(small_disk.folder) as stub:
        refused = None
        for batch in range(1_000):
            rows = documents(batch)
            try:
                request = retrieval_pb.IndexRequest(documents=rows)
                answer = await stub.Index(iter([request]), timeout=30)
            except grpc.aio.AioRpcError as error:
                refused = error
                break
            assert answer.indexed_count == ROWS
            acknowledged += [row.product.id for row in rows]
        assert acknowledged
        assert refused is not None, "the disk never filled up"
        assert refused.code() is grpc.StatusCode.UNAVAILABLE
        assert "nearly full" in (refused.details() or "")
        # What is there is still found, and may be deleted to make room.
        wanted = retrieval_pb.GetProductsRequest(product_ids=acknowledged[:1])
        assert len((await stub.GetProducts(wanted, timeout=10)).products) == 1
        gone = retrieval_pb.DeleteRequest(product_ids=[acknowledged.pop()])
        assert (await stub.Delete(gone, timeout=10)).deleted_count == 1
    small_disk.resize(512)
    async with retrieval(small_disk.folder) as stub:
        kept: set[str] = set()
        for at in range(0, len(acknowledged), 100):
            wanted = acknowledged[at : at + 100]
            found = await stub.GetProducts(
                retrieval_pb.GetProductsRequest(product_ids=wanted), timeout=10
            )
            kept |= {product.id for product in found.products}
        assert kept == set(acknowledged)
        request = retrieval_pb.IndexRequest(documents=documents(9_999))
        assert (await stub.Index(iter([request]), timeout=30)).indexed_count == ROWS
