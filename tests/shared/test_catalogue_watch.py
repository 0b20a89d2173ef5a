"""When the catalogue's terms are read again."""

from collections.abc import AsyncIterator

import grpc
import pytest

from shared.catalogue_watch import CatalogueWatch
from wherefore.retrieval.v1.retrieval_service_pb2 import StatsRequest, StatsResponse, TermCount
from wherefore.retrieval.v1.retrieval_service_pb2_grpc import (
    RetrievalServiceServicer,
    add_RetrievalServiceServicer_to_server,
)


class Retrieval(RetrievalServiceServicer):
    """Answers Stats; a reading of the terms takes `seconds` on its clock."""

    def __init__(self) -> None:
        self.version = 1
        self.reads = 0
        self.seconds = 0.0
        self.now = 1_000.0

    async def Stats(self, request: StatsRequest, context: object) -> StatsResponse:  # noqa: N802
        response = StatsResponse(index_version=self.version)
        if request.include_terms:
            self.reads += 1
            self.now += self.seconds
            response.brands.append(TermCount(term=f"Brand {self.version}", count=1))
        return response


class Rig:
    """A watch over a retrieval service that answers over a real port."""

    def __init__(self, retrieval: Retrieval, channel: grpc.aio.Channel) -> None:
        self.retrieval = retrieval
        self.terms: list[StatsResponse] = []
        self.watch = CatalogueWatch(
            channel,
            self.terms.append,
            poll_seconds=5,
            timeout_seconds=5,
            clock=lambda: retrieval.now,
        )

    async def look(self, *, after: float = 5.0) -> None:
        self.retrieval.now += after
        await self.watch.look()


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    retrieval = Retrieval()
    server = grpc.aio.server()
    add_RetrievalServiceServicer_to_server(retrieval, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield Rig(retrieval, channel)
    await server.stop(None)


async def test_the_first_look_reads_and_the_same_version_is_not_read_again(rig: Rig) -> None:
    await rig.look()
    await rig.look()
    assert rig.retrieval.reads == 1
    assert [brand.term for brand in rig.terms[0].brands] == ["Brand 1"]


async def test_a_growing_index_is_let_settle(rig: Rig) -> None:
    await rig.look()
    for _ in range(5):
        rig.retrieval.version += 1
        await rig.look()
    assert rig.retrieval.reads == 1
    await rig.look()
    assert rig.retrieval.reads == 2
    assert rig.terms[-1].index_version == rig.retrieval.version


async def test_a_long_import_is_not_waited_for_for_ever(rig: Rig) -> None:
    await rig.look()
    for _ in range(14):
        rig.retrieval.version += 1
        await rig.look()
    assert rig.retrieval.reads == 2


async def test_a_costly_reading_is_made_rarely(rig: Rig) -> None:
    rig.retrieval.seconds = 4.0  # at most a twentieth of the time: every 80 s
    await rig.look()
    rig.retrieval.version += 1
    for _ in range(15):
        await rig.look()
    assert rig.retrieval.reads == 1
    await rig.look()
    assert rig.retrieval.reads == 2
