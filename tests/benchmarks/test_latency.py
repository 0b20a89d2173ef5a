from collections import Counter

import grpc
import pytest

from benchmarks import latency
from wherefore.common.v1.diagnostics_pb2 import Degradation, StageTiming
from wherefore.orchestrator.v1.result_pb2 import Result
from wherefore.orchestrator.v1.search_service_pb2 import SearchResponse
from wherefore.orchestrator.v1.search_service_pb2_grpc import (
    SearchServiceServicer,
    add_SearchServiceServicer_to_server,
)
from wherefore.reason.v1.reason_pb2 import GENERATOR_MODEL, GENERATOR_TEMPLATE, Reason


class FakeSearch(SearchServiceServicer):
    def __init__(self):
        self.queries = []

    async def Search(self, request, context):  # noqa: N802 - named by the contract
        self.queries.append(request.query)
        if request.query == "fails":
            await context.abort(grpc.StatusCode.UNAVAILABLE, "gone")
        return SearchResponse(
            timings=[StageTiming(stage="nlu", duration_nanos=1_000_000)],
            degraded=[Degradation(stage="ranking")] if request.query == "poor" else [],
            results=[
                Result(reason=Reason(text="Steel.", generator=GENERATOR_MODEL)),
                Result(reason=Reason(text="Blue.", generator=GENERATOR_TEMPLATE)),
                Result(reason=Reason(generator=GENERATOR_TEMPLATE)),
            ],
        )


@pytest.fixture
async def fake():
    servicer = FakeSearch()
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    add_SearchServiceServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    yield servicer, f"127.0.0.1:{port}"
    await server.stop(None)


async def test_clients_share_the_queries_and_count_what_happened(fake):
    servicer, target = fake
    queries = ["a", "b", "poor", "fails", "c"]
    generators = Counter()
    load = await latency.run_load(target, 3, queries, generators)
    assert sorted(servicer.queries) == sorted(queries)
    assert len(load.milliseconds) == 4
    assert load.errors == {"UNAVAILABLE": 1}
    assert load.degraded == {"ranking": 1}
    assert load.stages["nlu"] == [1.0] * 4
    assert load.percentile(50) <= load.percentile(99)
    assert load.throughput > 0
    assert generators == {GENERATOR_MODEL: 4, GENERATOR_TEMPLATE: 4}
    found = {
        "the model": latency.Measured([load], [generators]),
        "templates": latency.Measured([load], [Counter()]),
    }
    rows = [line for line in latency.section(found, 5).splitlines() if line.startswith("| t")]
    assert [row.split(" | ")[6] for row in rows if "stage" not in row][:2] == ["50.0%", "–"]


def test_varied_queries_are_many_and_repeatable():
    queries = ["wireless mouse", "notebook", "toner cartridge"]
    sent = latency.varied(queries, 200)
    assert sent == latency.varied(queries, 200)
    assert len(sent) == 200
    assert len(set(sent)) > 60
    assert set(queries) & set(sent)
