from benchmarks.load.by_stage import Load
from benchmarks.precise_latency import Precise, english_queries, section
from wherefore.common.v1.diagnostics_pb2 import (
    DEGRADATION_CAUSE_OVERLOADED,
    Degradation,
    StageTiming,
)
from wherefore.orchestrator.v1.search_service_pb2 import SearchResponse


def answer(cross, ranking, **degraded):
    return SearchResponse(
        timings=[
            StageTiming(stage="cross", duration_nanos=int(cross * 1e6)),
            StageTiming(stage="ranking", duration_nanos=int(ranking * 1e6)),
            StageTiming(stage="total", duration_nanos=10**9),
        ],
        degraded=[Degradation(**degraded)] if degraded else [],
    )


def measured():
    one = Precise(4)
    one.take_down(answer(130, 20))
    one.take_down(answer(1, 10, stage="cross", cause=DEGRADATION_CAUSE_OVERLOADED))
    one.take_down(answer(150, 20, stage="reason"))
    one.load = Load(4, seconds=2.0, milliseconds=[200.0, 50.0, 220.0])
    return one


def test_searches_that_were_read_and_those_that_were_not_stand_apart():
    one = measured()
    assert one.milliseconds == [150.0, 170.0]
    assert one.refused == [11.0]
    assert one.causes == {"overloaded": 1}
    row = one.row("by turns")
    assert row[:4] == ["by turns", "4", "67%", "160"]
    assert row[5:7] == ["11", "1 overloaded"]
    assert row[-2:] == ["1.5", "1.0"]


def test_a_load_that_was_read_in_full_gives_no_reason():
    one = Precise(1)
    one.take_down(answer(130, 20))
    one.load = Load(1, seconds=1.0, milliseconds=[200.0])
    assert one.row("all at once")[5:7] == ["–", "–"]
    assert "| all at once | 1 | 100% |" in section([measured()], [one], 1)


def test_only_queries_that_the_model_reads_are_sent():
    queries = english_queries()
    assert len(queries) == 32
    assert all(query.isascii() for query in queries)
