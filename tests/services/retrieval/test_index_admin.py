"""IndexAdminService over a real port."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import grpc.aio
import pytest

from services.retrieval.catalogue import Catalogue
from services.retrieval.config import RetrievalSettings
from services.retrieval.server import RetrievalService
from services.retrieval.store.edge import EdgeStore
from services.retrieval.store.layout import Layout
from shared.backup.archive import read, written
from shared.backup.create import BackupPlan, create
from shared.backup.products import add_products
from shared.backup.restore import restore
from shared.server import start_server
from tests.services.retrieval.serving import Make, MakeVector, fill
from wherefore.retrieval.v1 import index_admin_service_pb2 as pb
from wherefore.retrieval.v1.index_admin_service_pb2_grpc import IndexAdminServiceStub
from wherefore.retrieval.v1.retrieval_service_pb2 import StatsRequest
from wherefore.retrieval.v1.retrieval_service_pb2_grpc import RetrievalServiceStub


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
async def channel(
    home: Path, make_product: Make, make_vector: MakeVector
) -> AsyncIterator[grpc.aio.Channel]:
    settings = RetrievalSettings(
        port=0, data_dir=home / "data" / "retrieval", vector_dimension=8, qdrant_url="",
        reindex_grace_seconds=0.1,
    )  # fmt: skip
    server = await start_server(RetrievalService(settings), settings)
    await server.wait_ready(60)
    async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        await fill(RetrievalServiceStub(channel), make_product, make_vector)
        yield channel
    await server.stop()


async def reindex(channel: grpc.aio.Channel, **fields: object) -> list[pb.ReindexResponse]:
    request = pb.ReindexRequest(**fields)  # type: ignore[arg-type]
    return [step async for step in IndexAdminServiceStub(channel).Reindex(request, timeout=60)]


async def is_free(channel: grpc.aio.Channel, **fields: object) -> bool:
    """Whether nobody else re-indexes; it is done then."""
    try:
        await reindex(channel, **fields)
    except grpc.aio.AioRpcError as error:
        if error.code() is not grpc.StatusCode.ABORTED:
            raise
        return False
    return True


async def count(channel: grpc.aio.Channel) -> int:
    return (await RetrievalServiceStub(channel).Stats(StatsRequest())).product_count


async def test_it_tells_how_far_it_is(channel: grpc.aio.Channel, home: Path) -> None:
    steps = await reindex(channel, keep_former=True)
    assert [step.stage for step in steps][-1] == pb.REINDEX_STAGE_DONE
    assert (steps[1].done_count, steps[1].total_count) == (4, 4)
    assert steps[-1].agreement.search_count == 4
    assert steps[-1].agreement.exact_share == steps[-1].agreement.sparse_share == 1
    assert await count(channel) == 4
    back = await reindex(channel, action=pb.REINDEX_ACTION_GO_BACK)
    assert back[-1].stage == pb.REINDEX_STAGE_DONE
    await reindex(channel, action=pb.REINDEX_ACTION_DROP_FORMER)
    assert list((home / "data" / "retrieval").glob("index-*/")) == []
    assert await count(channel) == 4


async def test_bad_requests_are_told(channel: grpc.aio.Channel) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await reindex(channel, action=99)
    assert error.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await reindex(channel, action=pb.REINDEX_ACTION_GO_BACK)
    assert error.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert "no former index" in (error.value.details() or "")


async def test_one_at_a_time_and_given_up_by_its_caller(channel: grpc.aio.Channel) -> None:
    stub = IndexAdminServiceStub(channel)
    call = stub.Reindex(pb.ReindexRequest(), timeout=60)
    async for _ in call:
        break
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await reindex(channel)
    assert error.value.code() is grpc.StatusCode.ABORTED
    call.cancel()
    async with asyncio.timeout(60):
        while True:
            if await is_free(channel):
                break
            await asyncio.sleep(0.05)
    assert await count(channel) == 4


async def test_a_backup_of_the_running_service_is_a_store(
    channel: grpc.aio.Channel, home: Path, tmp_path: Path
) -> None:
    archive = tmp_path / "a.tar.gz"
    plan = BackupPlan(home, home / "security", archive, "1")
    manifest = await create(plan, channel, lambda _: None)
    assert manifest.products[""].product_count == 4
    assert manifest == read(archive)
    again = tmp_path / "again"
    restore(archive, again, again / "security", force=False)
    catalogue = Catalogue(EdgeStore(again / "data" / "retrieval", Layout(dimension=8)), 8)
    catalogue.open()
    assert catalogue.store.count(exact=True) == 4
    assert catalogue.version == manifest.products[""].index_version
    catalogue.close()
    assert list((home / "data" / "retrieval").glob("snapshot-*")) == []


async def test_snapshots_are_one_at_a_time(channel: grpc.aio.Channel, tmp_path: Path) -> None:
    call = IndexAdminServiceStub(channel).Snapshot(pb.SnapshotRequest(), timeout=60)
    async for _ in call:
        break
    with pytest.raises(grpc.aio.AioRpcError) as error, written(tmp_path / "a.tar.gz") as writer:
        await add_products(writer, channel, "")
    assert error.value.code() is grpc.StatusCode.ABORTED
    call.cancel()
