"""The load generator against servers whose behaviour is known."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from itertools import islice, pairwise

import grpc
import grpc.aio
import pytest

from benchmarks.load.bystander import refusals_seen
from benchmarks.load.calls import Material, calls
from benchmarks.load.loops import arrival_times, closed_loop, open_loop
from benchmarks.load.measured import Latencies, Measured
from benchmarks.load.one_call import send
from benchmarks.load.overhead import Overhead, covered_nanos
from benchmarks.load.overload import Overload
from benchmarks.load.queries import cold
from benchmarks.load.sections import overhead_section, overload_section, soak_section, table
from benchmarks.load.soak import Soak, SoakCutShortError, soak
from wherefore.common.v1.diagnostics_pb2 import Degradation, StageTiming
from wherefore.orchestrator.v1.search_service_pb2 import SearchRequest, SearchResponse
from wherefore.orchestrator.v1.search_service_pb2_grpc import (
    SearchServiceServicer,
    add_SearchServiceServicer_to_server,
)

SEARCH = {"search": 1.0}
MATERIAL = Material(["blue cup"], ["p1", "p2"])


class Scripted(SearchServiceServicer):
    """Answers what its script says for each call in turn, then whole answers."""

    def __init__(self) -> None:
        self.script: list[str] = []
        self.calls = 0
        self.under_way = 0
        self.most_under_way = 0
        self.stall = 0.0
        self.tenth_call = asyncio.Event()

    async def Search(self, request: SearchRequest, context) -> SearchResponse:  # noqa: N802
        kind = self.script[self.calls] if self.calls < len(self.script) else "whole"
        self.calls += 1
        if self.calls == 10:
            self.tenth_call.set()
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            if kind == "shed":
                await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "full")
            if kind == "failed":
                await context.abort(grpc.StatusCode.UNAVAILABLE, "gone")
            await asyncio.sleep(30 if kind == "late" else self.stall)
        finally:
            self.under_way -= 1
        degraded = [Degradation(stage="reason")] if kind == "degraded" else []
        return SearchResponse(degraded=degraded)


@pytest.fixture
async def service() -> AsyncIterator[tuple[Scripted, str]]:
    scripted = Scripted()
    server = grpc.aio.server()
    add_SearchServiceServicer_to_server(scripted, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    yield scripted, f"127.0.0.1:{port}"
    await server.stop(None)


def test_fixed_arrivals_have_equal_gaps():
    times = list(arrival_times(10, 1.0, "fixed", 1))
    assert len(times) == 9
    assert all(b - a == pytest.approx(0.1) for a, b in pairwise(times))


def test_poisson_arrivals_have_the_rate_and_the_spread_of_a_poisson_process():
    times = list(arrival_times(100, 200.0, "poisson", 1))
    gaps = [b - a for a, b in pairwise(times)]
    mean = sum(gaps) / len(gaps)
    variance = sum((gap - mean) ** 2 for gap in gaps) / len(gaps)
    assert mean == pytest.approx(0.01, rel=0.05)
    assert variance**0.5 == pytest.approx(mean, rel=0.05)  # as of an exponential distribution
    assert times == list(arrival_times(100, 200.0, "poisson", 1))


async def test_health_and_the_own_loop_are_watched_beside_a_load(service):
    _, target = service

    async def block() -> None:
        for _ in range(6):
            await asyncio.sleep(0.1)
            time.sleep(0.05)  # noqa: ASYNC251 - stands for a generator that is busy

    load, _ = await asyncio.gather(
        open_loop(target, calls(SEARCH, MATERIAL, 1), rate=20, seconds=1, deadline=5), block()
    )
    assert 5 <= len(load.health) <= 21
    assert load.own_lag.milliseconds(100) >= 40
    assert load.own_lag.milliseconds(10) < 40


async def test_a_client_beside_a_load_times_refusals_alone(service):
    scripted, target = service
    scripted.script = ["whole", *["shed"] * 10_000]
    seen = Latencies()
    async with refusals_seen(target, seen):
        async with asyncio.timeout(30):
            await scripted.tenth_call.wait()
    assert 5 <= len(seen) <= scripted.calls - 1
    assert 0 < seen.milliseconds(50) < 1_000


async def test_an_open_loop_does_not_wait_for_answers(service):
    scripted, target = service
    scripted.stall = 0.5
    load = await open_loop(
        target, calls(SEARCH, MATERIAL, 1), rate=100, seconds=0.3, deadline=10, arrivals="fixed"
    )
    assert load.outcomes == {"whole": 29}
    assert scripted.most_under_way == 29
    assert load.answered.milliseconds(50) >= 500


async def test_a_closed_loop_has_no_more_calls_than_clients(service):
    scripted, target = service
    scripted.stall = 0.01
    load = await closed_loop(
        target, calls(SEARCH, MATERIAL, 1), clients=3, seconds=0.2, deadline=10
    )
    assert scripted.most_under_way == 3
    assert load.calls == scripted.calls > 3
    assert load.goodput == pytest.approx(load.calls / load.seconds)


async def test_outcomes_are_told_apart(service):
    scripted, target = service
    scripted.script = ["whole", "degraded", "shed", "failed", "late"]
    load = await open_loop(
        target, calls(SEARCH, MATERIAL, 1), rate=10, seconds=0.55, deadline=1, arrivals="fixed"
    )
    assert load.outcomes == dict.fromkeys(["whole", "degraded", "shed", "failed", "late"], 1)
    assert load.codes["UNAVAILABLE"] == load.codes["DEADLINE_EXCEEDED"] == 1
    assert (len(load.answered), len(load.shed), len(load.sent_late)) == (2, 1, 5)
    # The late one is among those admitted, at its deadline.
    assert len(load.admitted) == 3
    assert load.admitted.milliseconds(100) >= 999
    assert load.answered.milliseconds(100) < 999
    assert load.share("shed") == pytest.approx(0.2)


async def test_what_comes_too_late_to_be_sent_counts_as_late(service):
    _, target = service
    measured = Measured(1)
    async with grpc.aio.insecure_channel(target) as channel:
        due = time.perf_counter() - 2
        await send(next(calls(SEARCH, MATERIAL, 1)), channel, due, 1.0, measured)
    assert measured.outcomes == {"late": 1}
    assert measured.codes == {"not sent": 1}
    assert measured.admitted.milliseconds(50) >= 1999


async def test_latency_counts_from_when_a_call_was_due(service):
    """The generator is held up for 0.3 s: the calls that were due meanwhile show it."""
    _, target = service

    async def hold_up() -> None:
        await asyncio.sleep(0.1)
        time.sleep(0.3)  # noqa: ASYNC251 - that is the point

    task = asyncio.create_task(hold_up())
    load = await open_loop(
        target, calls(SEARCH, MATERIAL, 1), rate=100, seconds=0.5, deadline=10, arrivals="fixed"
    )
    await task
    assert load.outcomes == {"whole": 49}
    assert load.answered.milliseconds(99) >= 200
    assert load.sent_late.milliseconds(99) >= 200


def test_latencies_are_those_of_the_histogram():
    latencies = Latencies()
    assert latencies.milliseconds(50) != latencies.milliseconds(50)  # NaN
    for value in range(1, 1001):
        latencies.add(value / 1e3)
    assert len(latencies) == 1000
    assert latencies.milliseconds(50) == pytest.approx(500, rel=0.002)
    assert latencies.milliseconds(99.9) == pytest.approx(999, rel=0.002)


class Recorder:
    """A channel that notes which methods are called."""

    def __init__(self) -> None:
        self.sent: Counter[str] = Counter()

    def unary_unary(self, path: str, **_: object):
        def call(request, timeout: float) -> None:
            self.sent[path.rpartition("/")[2]] += 1

        return call

    unary_stream = stream_unary = stream_stream = unary_unary


def test_a_mix_has_its_weights():
    channel = Recorder()
    sent = channel.sent
    mix = {"search": 6.0, "event": 3.0, "recommend": 1.0, "completion": 0.0}
    for call in islice(calls(mix, MATERIAL, 1), 500):
        call(channel, 1.0)
    assert set(sent) == {"Search", "Write", "Recommend"}
    assert 0.5 < sent["Search"] / 500 < 0.7
    assert sent["Write"] > sent["Recommend"]


@pytest.mark.parametrize("mix", [{}, {"serch": 1.0}, {"search": -1.0}, {"search": 0.0}])
def test_a_bad_mix_is_refused(mix):
    with pytest.raises(ValueError, match="a mix has weights"):
        next(calls(mix, MATERIAL, 1))


def test_cold_queries_are_all_different():
    queries = cold(["red kettle", "blue cup with lid", "lamp"], 3)
    assert len(queries) == len(set(queries)) > 100


def test_a_section_says_what_was_kept_of_the_peak():
    run = Overload(clients=8, capacity=40.0, deadline=1.0, seconds=1.0)
    for factor, whole, shed in ((1.0, 40, 0), (3.0, 36, 84)):
        load = Measured(40 * factor, seconds=1.0)
        load.outcomes.update({"whole": whole, "shed": shed})
        load.codes.update({"OK": whole, "RESOURCE_EXHAUSTED": shed})
        load.admitted.add(0.2)
        if shed:
            load.shed.add(0.004)
        run.loads[factor] = load
    run.seen_beside.add(0.003)
    text = overload_section("command", "data", {"as it is": run})
    assert "36.0/s, 90% of the peak of 40.0/s" in text
    assert "200 ms, inside the deadline" in text
    assert "p99 3.0 ms (wanted: below 10 ms); as the generator sees them" in text
    assert "p99 4.0 ms." in text
    run.loads[3.0].outcomes["degraded"] = 4
    run.loads[3.0].without.update({"reason": 3, "cross": 1})
    told = overload_section("command", "data", {"x": run})
    assert "40.0/s, 100% of the peak" in told
    assert "Whole are 36.0/s; the others go without reason (75%), cross (25%)." in told
    assert "84 RESOURCE_EXHAUSTED" in table("offered", {"3": run.loads[3.0]})
    run.loads[3.0].admitted.add(1.0)
    assert "1000 ms, beyond the deadline" in overload_section("command", "data", {"x": run})


def timing(stage: str, start: int, length: int) -> StageTiming:
    return StageTiming(
        stage=stage, start_offset_nanos=start * 1_000_000, duration_nanos=length * 1_000_000
    )


def test_time_that_two_stages_share_counts_once():
    nested = [timing("a", 1, 4), timing("b", 2, 1), timing("c", 4, 3), timing("d", 9, 1)]
    assert covered_nanos(nested) == 7_000_000
    assert covered_nanos([]) == 0


def test_overhead_is_the_whole_path_minus_the_stages():
    found = Overhead()
    found.add(0.014, [timing("total", 0, 10), timing("nlu", 1, 3), timing("retrieval", 4, 4)])
    assert found.orchestrator == pytest.approx([3.0])
    assert found.beyond == pytest.approx([7.0])
    assert "3.0 ms at p50 (wanted: below 4 ms)" in overhead_section("command", "data", found)


async def test_a_soak_tells_what_grows(service):
    _, target = service
    sizes = iter(range(1000))
    run = await soak(
        target,
        lambda: {"growing": 100.0 + next(sizes), "steady": 50.0},
        MATERIAL,
        rate=20,
        seconds=1.0,
        deadline=1.0,
        every=0.01,
    )
    assert run.load.calls > 5
    assert run.leaks == ["growing", "all"]
    assert run.growth("steady") == 0.0
    assert "Beyond that by themselves: growing." in soak_section("command", "data", run)


async def test_a_soak_ends_with_a_process_and_says_which(service):
    _, target = service
    readings = iter([{"nlu": 100.0, "triton": 700.0}, {"nlu": 100.0}])
    soaking = soak(
        target,
        lambda: next(readings),
        MATERIAL,
        rate=20,
        seconds=600.0,
        deadline=1.0,
        every=0.01,
    )
    with pytest.raises(SoakCutShortError, match="triton ended"):
        await asyncio.wait_for(soaking, 10)


def test_what_a_soak_does_while_caches_fill_is_no_leak():
    run = Soak(100.0, Measured(1))
    run.at = [float(at) for at in range(100)]
    run.memory = {"all": [100.0 + min(at, 30) for at in range(100)]}
    assert run.windows("all") == (130.0, 130.0)
    assert not run.leaks
