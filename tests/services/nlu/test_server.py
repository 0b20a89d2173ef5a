"""The service over a real port, with encoders that answer, fail, dawdle and are real."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import grpc.aio
import numpy as np
import pytest
import pytest_asyncio

from services.nlu.catalogue_terms import CatalogueTerms
from services.nlu.server import NluService
from shared.errors import InvalidArgumentError, UnavailableError, error_from_rpc
from shared.inference import InferenceSettings
from shared.server import RunningServer, start_server
from tests.services.nlu.hash_encoder import HashEncoder, settings_of
from wherefore.common.v1.diagnostics_pb2 import DegradationCause
from wherefore.nlu.v1 import nlu_service_pb2 as pb
from wherefore.nlu.v1 import query_understanding_pb2 as understanding_pb
from wherefore.nlu.v1.nlu_service_pb2_grpc import NluServiceStub
from wherefore.retrieval.v1 import retrieval_service_pb2 as retrieval_pb
from wherefore.retrieval.v1.retrieval_service_pb2_grpc import (
    RetrievalServiceServicer,
    add_RetrievalServiceServicer_to_server,
)


@pytest.fixture
def encoder() -> HashEncoder:
    return HashEncoder()


@pytest_asyncio.fixture
async def running(encoder: HashEncoder) -> AsyncIterator[tuple[RunningServer, NluService]]:
    settings = settings_of(embedding_budget_seconds=1.0)
    service = NluService(settings, encoder)
    server = await start_server(service, settings)
    await server.wait_ready()
    yield server, service
    await server.stop()


@pytest_asyncio.fixture
async def stub(running: tuple[RunningServer, NluService]) -> AsyncIterator[NluServiceStub]:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{running[0].port}") as channel:
        yield NluServiceStub(channel)


async def test_parse_answers_with_understanding_vector_and_timings(stub: NluServiceStub) -> None:
    response = await stub.Parse(pb.ParseRequest(query="Black kettle under 20"), timeout=5)
    understanding = response.understanding
    assert understanding.filter == "price <= 20"
    assert understanding.search_text == "black kettle"
    assert understanding.intent.type == understanding_pb.INTENT_TYPE_PRODUCT_SEARCH
    assert [e.type for e in understanding.entities] == [
        understanding_pb.ENTITY_TYPE_COLOUR,
        understanding_pb.ENTITY_TYPE_PRODUCT_TYPE,
        understanding_pb.ENTITY_TYPE_PRICE,
    ]
    assert understanding.vector.model == "letters@1"
    assert np.linalg.norm(understanding.vector.values) == pytest.approx(1.0, abs=1e-5)
    stages = {timing.stage: timing for timing in response.timings}
    assert stages["nlu.embedding"].inference_nanos == 22
    assert stages["nlu.rules"].duration_nanos > 0
    assert not response.degraded


async def test_a_repeated_query_costs_no_forward_pass(
    stub: NluServiceStub, encoder: HashEncoder
) -> None:
    first = await stub.Parse(pb.ParseRequest(query="kettle"), timeout=5)
    second = await stub.Parse(pb.ParseRequest(query="kettle"), timeout=5)
    assert encoder.calls == [["kettle"]]
    assert first.understanding == second.understanding


async def test_parse_without_a_vector_asks_no_encoder(
    stub: NluServiceStub, encoder: HashEncoder
) -> None:
    response = await stub.Parse(pb.ParseRequest(query="kettle", skip_vector=True), timeout=5)
    assert not response.understanding.HasField("vector")
    assert not response.degraded
    assert encoder.calls == []


async def test_a_lost_encoder_degrades_and_opens_the_breaker(
    running: tuple[RunningServer, NluService], stub: NluServiceStub, encoder: HashEncoder
) -> None:
    encoder.fails = True
    causes: list[int] = []
    for number in range(8):
        response = await stub.Parse(pb.ParseRequest(query=f"kettle number {number}"), timeout=5)
        assert response.understanding.search_text == f"kettle number {number}"
        assert not response.understanding.HasField("vector")
        [degraded] = response.degraded
        assert (degraded.stage, degraded.fallback) == ("nlu.embedding", "no semantic vector")
        causes.append(degraded.cause)
    assert causes[0] == DegradationCause.DEGRADATION_CAUSE_UNAVAILABLE
    assert causes[-1] == DegradationCause.DEGRADATION_CAUSE_CIRCUIT_OPEN
    await running[1].check_ready()  # still in service


async def test_a_slow_encoder_degrades_within_the_deadline(
    stub: NluServiceStub, encoder: HashEncoder
) -> None:
    encoder.dawdles = True
    response = await stub.Parse(pb.ParseRequest(query="kettle"), timeout=5)
    assert response.degraded[0].cause == DegradationCause.DEGRADATION_CAUSE_DEADLINE


async def test_batch_shares_one_forward_pass(stub: NluServiceStub, encoder: HashEncoder) -> None:
    requests = [
        pb.ParseRequest(query="kettle"),
        pb.ParseRequest(query="mouse", skip_vector=True),
        pb.ParseRequest(query="水壶"),
        pb.ParseRequest(query="lamp"),
    ]
    response = await stub.ParseBatch(pb.ParseBatchRequest(requests=requests), timeout=5)
    assert [r.understanding.query for r in response.responses] == [
        "kettle",
        "mouse",
        "水壶",
        "lamp",
    ]
    has_vector = [r.understanding.HasField("vector") for r in response.responses]
    assert has_vector == [True, False, True, True]
    assert encoder.calls == [["kettle", "lamp"]]


async def test_match_ranks_what_is_alike(stub: NluServiceStub) -> None:
    pairs = [pb.TextPair(left="kettle", right=right) for right in ("kettle", "kettles", "zoo bag")]
    response = await stub.Match(pb.MatchRequest(pairs=pairs), timeout=5)
    same, close, far = response.scores
    assert same == pytest.approx(1.0, abs=1e-5)
    assert 1.0 >= same > close > far
    assert response.model == "letters@1"


async def test_embed_splits_long_lists_and_keeps_order(
    stub: NluServiceStub, encoder: HashEncoder
) -> None:
    texts = ["a" * (1 + index % 3) + "bz"[index % 2] for index in range(200)]
    response = await stub.Embed(pb.EmbedRequest(texts=texts), timeout=5)
    assert len(response.vectors) == 200
    assert [len(call) for call in encoder.calls] == [128, 72]
    one = await stub.Embed(pb.EmbedRequest(texts=[texts[41]]), timeout=5)
    assert response.vectors[41].values == pytest.approx(one.vectors[0].values)


async def test_embed_says_unavailable_when_the_model_is_gone(
    stub: NluServiceStub, encoder: HashEncoder
) -> None:
    encoder.fails = True
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.Embed(pb.EmbedRequest(texts=["kettle"]), timeout=5)
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


BAD_REQUESTS = [
    ("Parse", pb.ParseRequest(query=""), "query"),
    ("Parse", pb.ParseRequest(query="  \t "), "query"),
    ("Parse", pb.ParseRequest(query="x" * 1001), "query"),
    ("Parse", pb.ParseRequest(query="ket\x00tle"), "query"),
    ("Parse", pb.ParseRequest(query="ket\x9btle"), "query"),
    ("Parse", pb.ParseRequest(query="kettle", language_code="not a tag"), "language_code"),
    ("ParseBatch", pb.ParseBatchRequest(), "requests"),
    ("ParseBatch", pb.ParseBatchRequest(requests=[pb.ParseRequest(query="x")] * 129), "requests"),
    (
        "ParseBatch",
        pb.ParseBatchRequest(requests=[pb.ParseRequest(query="x"), pb.ParseRequest()]),
        "requests[1].query",
    ),
    ("Match", pb.MatchRequest(), "pairs"),
    ("Match", pb.MatchRequest(pairs=[pb.TextPair(left="x")]), "pairs[0].right"),
    ("Embed", pb.EmbedRequest(), "texts"),
    ("Embed", pb.EmbedRequest(texts=["x"] * 257), "texts"),
    ("Embed", pb.EmbedRequest(texts=["x", ""]), "texts[1]"),
    ("Embed", pb.EmbedRequest(texts=["x" * 20_001]), "texts[0]"),
]


@pytest.mark.parametrize(("method", "request_", "field_"), BAD_REQUESTS)
async def test_bad_requests_name_the_field(
    stub: NluServiceStub, method: str, request_: object, field_: str
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await getattr(stub, method)(request_, timeout=5)
    error = error_from_rpc(caught.value)
    assert isinstance(error, InvalidArgumentError)
    assert field_ in [violation.field for violation in error.violations]


async def test_new_terms_are_used_by_the_next_query(
    running: tuple[RunningServer, NluService], stub: NluServiceStub
) -> None:
    request = pb.ParseRequest(query="acme kettle", skip_vector=True)
    before = await stub.Parse(request, timeout=5)
    running[1].use_terms(CatalogueTerms(version=1, brands=("Acme",)))
    after = await stub.Parse(request, timeout=5)
    assert [e.source for e in before.understanding.entities] == ["lexicon"]
    assert [e.source for e in after.understanding.entities] == ["catalogue", "lexicon"]


class CountingRetrieval(RetrievalServiceServicer):
    """Answers Stats only, with a version that tests move."""

    def __init__(self) -> None:
        self.version = 3
        self.full_reads = 0

    async def Stats(self, request: Any, context: Any) -> Any:  # noqa: N802
        self.full_reads += request.include_terms
        terms = [retrieval_pb.TermCount(term=f"Maker{self.version}", count=4)]
        return retrieval_pb.StatsResponse(
            index_version=self.version, brands=terms if request.include_terms else []
        )


async def test_terms_follow_the_index(encoder: HashEncoder) -> None:
    retrieval = CountingRetrieval()
    backend = grpc.aio.server()
    add_RetrievalServiceServicer_to_server(retrieval, backend)
    port = backend.add_insecure_port("127.0.0.1:0")
    await backend.start()
    settings = settings_of(retrieval_target=f"127.0.0.1:{port}", terms_poll_seconds=0.02)
    server = await start_server(NluService(settings, encoder), settings)
    try:
        await server.wait_ready()
        async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
            stub = NluServiceStub(channel)
            for version in (3, 4):
                retrieval.version = version
                request = pb.ParseRequest(query=f"maker{version} kettle", skip_vector=True)
                async with asyncio.timeout(10):
                    while True:
                        response = await stub.Parse(request, timeout=5)
                        if response.understanding.entities[0].source == "catalogue":
                            break
                        await asyncio.sleep(0.02)
        assert retrieval.full_reads == 2
    finally:
        await server.stop()
        await backend.stop(None)


async def test_not_ready_before_the_encoder_answered(encoder: HashEncoder) -> None:
    encoder.fails = True
    service = NluService(settings_of(), encoder)
    await service.start()
    with pytest.raises(UnavailableError):
        await service.check_ready()
    encoder.fails = False
    await service.check_ready()
    encoder.fails = True
    await service.check_ready()
    await service.close()


REAL = InferenceSettings(backend="onnx", threads=1)


@pytest.mark.skipif(
    not (REAL.version_dir / "model.onnx").is_file(), reason="the model was not made: make models"
)
async def test_with_the_real_model() -> None:
    settings = settings_of(inference=REAL, embedding_budget_seconds=5)
    server = await start_server(NluService(settings), settings)
    try:
        await server.wait_ready()
        async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
            stub = NluServiceStub(channel)
            parsed = await stub.Parse(pb.ParseRequest(query="无线鼠标"), timeout=20)
            embedded = await stub.Embed(pb.EmbedRequest(texts=["wireless mouse"]), timeout=20)
            pairs = [
                pb.TextPair(left="cheap notebook", right=right)
                for right in ("inexpensive laptop computer", "garden hose")
            ]
            matched = await stub.Match(pb.MatchRequest(pairs=pairs), timeout=20)
        # A Chinese query is read by its English gloss.
        assert parsed.understanding.vector.values == pytest.approx(
            embedded.vectors[0].values, abs=1e-4
        )
        assert len(parsed.understanding.vector.values) == 384
        assert matched.scores[0] > matched.scores[1] + 0.2
    finally:
        await server.stop()
