"""One process at a time changes which collection of a Qdrant server answers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

import grpc
import grpc.aio
import pytest
from qdrant_client import QdrantClient

from services.retrieval.catalogue import Catalogue
from services.retrieval.config import RetrievalSettings
from services.retrieval.reindexing import Reindexer, Stage, Step
from services.retrieval.server import RetrievalService
from services.retrieval.store.layout import Layout
from services.retrieval.store.server import ServerStore
from services.retrieval.store.server_claim import SECONDS, ServerClaim
from shared.errors import AbortedError, UnavailableError
from shared.server import start_server
from tests.services.retrieval.conftest import QDRANT_URL
from tests.services.retrieval.test_index_admin import is_free, reindex
from tests.services.retrieval.test_reindexing import draft, nothing, titles
from wherefore.retrieval.v1 import index_admin_service_pb2 as pb
from wherefore.retrieval.v1.index_admin_service_pb2_grpc import IndexAdminServiceStub

pytestmark = pytest.mark.filterwarnings(
    "ignore:Local mode performs exact:UserWarning", "ignore:Payload indexes have no effect"
)
META = "claims_meta"


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Ticks:
    """An event that is set after some waits, each of which takes its time by the clock."""

    def __init__(self, clock: Clock, waits: int) -> None:
        self._clock = clock
        self._left = waits

    def wait(self, seconds: float) -> bool:
        self._clock.now += seconds
        self._left -= 1
        return self._left < 0


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["local", "server"])
def client(request: pytest.FixtureRequest) -> QdrantClient:
    if request.param == "local":
        return QdrantClient(":memory:")
    if not QDRANT_URL:
        pytest.skip("WHEREFORE_QDRANT_URL names no Qdrant server")
    client = QdrantClient(url=QDRANT_URL)
    client.delete_collection(META)
    return client


@pytest.fixture
def store(client: QdrantClient) -> ServerStore:
    store = ServerStore(client, "claims", Layout(8))
    store.drop()
    store.open()
    return store


def test_one_has_it_until_its_end(store: ServerStore, client: QdrantClient) -> None:
    with store.claim() as claim:
        assert claim.held
        with pytest.raises(AbortedError, match="another re-indexing is under way on"):
            store.claim().__enter__()
        assert claim.held
    assert not claim.held
    with ServerStore(client, "claims", Layout(8)).claim() as other:
        assert other.held
    assert store.read_meta() == {}


def test_it_runs_out_where_it_is_not_renewed(
    store: ServerStore, client: QdrantClient, clock: Clock
) -> None:
    dead, other, third = (ServerClaim(client, META, clock=clock) for _ in range(3))
    dead.renew()
    clock.now += SECONDS - 1
    assert not dead.held  # what it began now might not end in time
    with pytest.raises(AbortedError):
        other.renew()
    clock.now += 2
    with other.taken():
        assert other.held
        with pytest.raises(AbortedError):
            dead.renew()
        dead._give_back()  # of what is another's by now nothing is given back
        with pytest.raises(AbortedError):
            third.renew()
    third.renew()
    assert third.held


def test_it_is_renewed_as_long_as_the_work_takes(
    store: ServerStore, client: QdrantClient, clock: Clock
) -> None:
    claim, other = (ServerClaim(client, META, clock=clock) for _ in range(2))
    claim.renew()
    began = clock.now
    claim._keep_renewing(Ticks(clock, 40))  # type: ignore[arg-type]
    assert clock.now > began + 5 * SECONDS
    assert claim.held
    with pytest.raises(AbortedError):
        other.renew()


def test_a_server_that_is_away_for_a_moment_costs_nothing(
    store: ServerStore, client: QdrantClient, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = ServerClaim(client, META, clock=clock)
    claim.renew()
    renew, failures = claim.renew, [2]

    def away_twice() -> None:
        failures[0] -= 1
        if failures[0] >= 0:
            raise UnavailableError("the Qdrant server cannot be reached")
        renew()

    monkeypatch.setattr(claim, "renew", away_twice)
    claim._keep_renewing(Ticks(clock, 2))  # type: ignore[arg-type]
    assert claim.held
    claim._keep_renewing(Ticks(clock, 3))  # type: ignore[arg-type]
    assert failures[0] < 0
    assert claim.held


def catalogues(client: QdrantClient) -> tuple[Catalogue, Catalogue]:
    ours, theirs = (Catalogue(ServerStore(client, "claims", Layout(8)), 8) for _ in range(2))
    for each in (ours, theirs):
        each.open()
    ours.write([draft(number) for number in range(150)])
    theirs.refresh()
    return ours, theirs


@pytest.mark.parametrize("stage", list(Stage)[:-1])
def test_a_second_replica_is_refused_at_every_stage(
    store: ServerStore, client: QdrantClient, stage: Stage
) -> None:
    ours, theirs = catalogues(client)
    before = titles(ours)
    refused: list[str] = []

    def tell(step: Step) -> None:
        if step.stage is stage and not refused:
            for change in (
                lambda: Reindexer(theirs, nothing, 0).build(keep_former=False),
                Reindexer(theirs, nothing, 0).go_back,
                Reindexer(theirs, nothing, 0).drop_former,
            ):
                with pytest.raises(AbortedError) as error:
                    change()
                refused.append(error.value.message)

    Reindexer(ours, tell, 0).build(keep_former=True)
    assert len(refused) == 3
    assert titles(ours) == titles(theirs) == before
    Reindexer(theirs, nothing, 0).build(keep_former=False)
    assert titles(ours) == before


@pytest.mark.parametrize("stage", [Stage.COPYING, Stage.CHECKING, Stage.KEEPING])
def test_who_lost_the_claim_touches_nothing_more(
    store: ServerStore,
    client: QdrantClient,
    clock: Clock,
    stage: Stage,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    claims = partial(ServerClaim, clock=clock)
    monkeypatch.setattr("services.retrieval.store.server.ServerClaim", claims)
    ours, theirs = catalogues(client)
    before = titles(ours)
    another = claims(client, META)

    def stand_still(step: Step) -> None:
        if step.stage is stage and not another.held:
            clock.now += SECONDS + 1
            another.renew()
            there.extend(names(client))

    there: list[str] = []
    with pytest.raises(AbortedError, match="could not be kept"):
        Reindexer(ours, stand_still, 0).build(keep_former=False)
    assert names(client) == there  # the second one may be another's by now
    assert titles(ours) == before
    another._give_back()
    Reindexer(theirs, nothing, 0).build(keep_former=False)
    assert titles(ours) == titles(theirs) == before
    assert len(names(client)) == 2


def names(client: QdrantClient) -> list[str]:
    found = (each.name for each in client.get_collections().collections)
    return sorted(name for name in found if name.startswith("claims"))


@pytest.fixture
async def channels(
    store: ServerStore,
    client: QdrantClient,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[list[grpc.aio.Channel]]:
    """Two services over one server."""
    monkeypatch.setattr(client, "close", lambda: None)
    monkeypatch.setattr(
        "services.retrieval.server.open_store",
        lambda settings: ServerStore(client, "claims", Layout(8)),
    )
    ours, _ = catalogues(client)
    assert ours.store.count() == 150
    settings = RetrievalSettings(
        port=0, data_dir=tmp_path, vector_dimension=8, qdrant_url="", reindex_grace_seconds=60
    )
    async with AsyncExitStack() as stack:
        made: list[grpc.aio.Channel] = []
        for _ in range(2):
            server = await start_server(RetrievalService(settings), settings)
            stack.push_async_callback(server.stop)
            await server.wait_ready(60)
            target = f"127.0.0.1:{server.port}"
            made.append(await stack.enter_async_context(grpc.aio.insecure_channel(target)))
        yield made


async def test_of_two_services_one_reindexes(channels: list[grpc.aio.Channel]) -> None:
    one, other = channels
    call = IndexAdminServiceStub(one).Reindex(pb.ReindexRequest(), timeout=60)
    async for step in call:
        if step.stage == pb.REINDEX_STAGE_KEEPING:
            break
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await reindex(other)
    assert error.value.code() is grpc.StatusCode.ABORTED
    assert "another re-indexing is under way on" in (error.value.details() or "")
    call.cancel()
    async with asyncio.timeout(60):
        while True:
            if await is_free(other, action=pb.REINDEX_ACTION_DROP_FORMER):
                break
            await asyncio.sleep(0.05)
