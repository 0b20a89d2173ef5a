import grpc
import pytest

from benchmarks import ranking_latency
from wherefore.common.v1.diagnostics_pb2 import StageTiming
from wherefore.ranking.v1.ranked_result_pb2 import RankedResult
from wherefore.ranking.v1.ranking_service_pb2 import RankRequest, RankResponse
from wherefore.ranking.v1.ranking_service_pb2_grpc import (
    RankingServiceServicer,
    add_RankingServiceServicer_to_server,
)
from wherefore.retrieval.v1.candidate_pb2 import Candidate


class FakeRanking(RankingServiceServicer):
    def __init__(self):
        self.contributions = []
        self.lost = 0

    async def Rank(self, request, context):  # noqa: N802 - named by the contract
        self.contributions.append(request.include_contributions)
        kept = request.candidates[self.lost :]
        return RankResponse(
            results=[RankedResult(product_id=c.product.id) for c in kept],
            timings=[
                StageTiming(stage="ranking", duration_nanos=2_500_000),
                StageTiming(stage="ranking.part", duration_nanos=9_000_000),
            ],
        )


@pytest.fixture
async def fake():
    servicer = FakeRanking()
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    add_RankingServiceServicer_to_server(servicer, server)
    servicer.port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    yield servicer
    await server.stop(None)


def asked(queries=3, candidates=4):
    request = RankRequest()
    for n in range(candidates):
        request.candidates.append(Candidate())
        request.candidates[-1].product.id = f"p{n}"
    return [request] * queries


async def test_warm_up_is_not_counted_and_the_stage_is_read(fake):
    times = await ranking_latency.measure(
        f"127.0.0.1:{fake.port}", asked(), contributions=True, rounds=5
    )
    assert len(times.round_trip) == len(times.in_service) == 15
    assert fake.contributions == [True] * 3 * (5 + ranking_latency.WARM_UP)
    assert times.in_service == [2.5] * 15
    assert times.row()[:2] == ["4", "yes"]


async def test_an_answer_that_lacks_results_is_no_measurement(fake):
    fake.lost = 1
    with pytest.raises(RuntimeError, match="3 results, not 4"):
        await ranking_latency.measure(
            f"127.0.0.1:{fake.port}", asked(), contributions=False, rounds=1
        )


@pytest.mark.parametrize(("median", "verdict"), [(14.9, "; met with"), (15.1, "not met with")])
def test_the_section_says_whether_the_wish_is_met(median, verdict):
    times = ranking_latency.Times(200, contributions=False)
    times.round_trip = [median] * 3
    times.in_service = [1.0] * 3
    assert verdict in ranking_latency.section([times], rounds=1)
