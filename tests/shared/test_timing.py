import pytest

from shared.timing import StageTimer
from wherefore.common.v1.diagnostics_pb2 import StageTiming


class _Clock:
    def __init__(self) -> None:
        self.now = 1_000

    def __call__(self) -> int:
        return self.now


async def test_stages_are_timed_and_sorted_outer_first():
    clock = _Clock()
    timer = StageTimer(clock)
    async with timer.stage("nlu"):
        with timer.stage("nlu.embedding", queue_nanos=5) as stage:
            clock.now += 30
            stage.inference_nanos = 20
        clock.now += 10
    assert timer.timings() == [
        StageTiming(stage="nlu", duration_nanos=40),
        StageTiming(stage="nlu.embedding", duration_nanos=30, queue_nanos=5, inference_nanos=20),
    ]


def test_a_failed_stage_is_timed_too():
    clock = _Clock()
    timer = StageTimer(clock)

    def fail() -> None:
        with timer.stage("ranking"):
            clock.now += 7
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert [t.duration_nanos for t in timer.timings()] == [7]


def test_merging_moves_downstream_stages_to_this_clock():
    timer = StageTimer(_Clock())
    inner = StageTiming(stage="retrieval.dense", start_offset_nanos=3, duration_nanos=4)
    timer.merge([inner], start_offset_nanos=100)
    (merged,) = timer.timings()
    assert (merged.start_offset_nanos, merged.duration_nanos) == (103, 4)
    assert inner.start_offset_nanos == 3
