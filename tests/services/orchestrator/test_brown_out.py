"""What answers go without under pressure, and that it comes back."""

from collections.abc import Iterator

import pytest

from services.orchestrator.brown_out import STEPS, BrownOut, BrownOutSettings
from shared.errors import ResourceExhaustedError
from shared.pressure import current_pressure, set_pressure
from wherefore.common.v1.diagnostics_pb2 import DEGRADATION_CAUSE_OVERLOADED
from wherefore.common.v1.user_profile_pb2 import UserContext
from wherefore.orchestrator.v1.search_service_pb2 import SearchRequest
from wherefore.orchestrator.v1.search_service_pb2_grpc import SearchServiceStub


@pytest.fixture(autouse=True)
def calm_afterwards() -> Iterator[None]:
    """Other tests of the process are not under pressure."""
    yield
    set_pressure(lambda: 0.0)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def brown_out(**settings: float) -> tuple[BrownOut, Clock]:
    clock = Clock()
    return BrownOut(BrownOutSettings(**settings), clock), clock


def dropped(brown: BrownOut, pressure: float) -> list[str]:
    """The steps that an answer goes without under a pressure."""
    set_pressure(lambda: pressure)
    found: list[str] = []
    for step in STEPS:
        try:
            brown.check(step)
        except ResourceExhaustedError:
            found.append(step)
    return found


def for_seconds(brown: BrownOut, clock: Clock, pressure: float, seconds: float) -> list[int]:
    levels: list[int] = []
    for _ in range(round(seconds * 10)):
        clock.now += 0.1
        brown.note(pressure)
        if not levels or levels[-1] != brown.level:
            levels.append(brown.level)
    return levels


def test_steps_go_in_their_order_and_come_back_in_the_other() -> None:
    brown, clock = brown_out()
    assert for_seconds(brown, clock, 0.2, 60) == [0], "a few others are no pressure yet"
    assert for_seconds(brown, clock, 1.0, 5) == [0, 1, 2, 3]
    assert for_seconds(brown, clock, 0.0, 20) == [3, 2, 1, 0]


def test_one_moment_is_no_pressure() -> None:
    brown, clock = brown_out()
    clock.now += 0.05
    brown.note(1.0)
    assert brown.level == 0


def test_what_sways_around_a_limit_does_not_flicker() -> None:
    brown, clock = brown_out()
    for_seconds(brown, clock, 0.4, 10)
    assert brown.level == 1
    levels = [level for _ in range(50) for level in for_seconds(brown, clock, 0.3, 0.5)]
    assert set(levels) == {1}, "below the limit, but not by enough"
    assert for_seconds(brown, clock, 0.2, 10) == [1, 0]


def test_an_answer_goes_by_the_moment() -> None:
    brown, _ = brown_out()
    assert [dropped(brown, pressure) for pressure in (0.0, 0.34, 0.35, 0.7, 1.0, 0.1)] == [
        [], [], ["reason"], ["reason", "cross"], list(STEPS), [],
    ]  # fmt: skip


def test_the_moment_is_that_of_the_question() -> None:
    brown, _ = brown_out()
    pressures = iter([0.0, 1.0])
    set_pressure(lambda: next(pressures))
    brown.check("cross")
    with pytest.raises(ResourceExhaustedError):
        brown.check("reason")


def test_a_step_that_is_never_dropped_leaves_those_after_it() -> None:
    brown, _ = brown_out(reasons=0)
    assert dropped(brown, 1.0) == ["cross", "profile"]


def test_all_off() -> None:
    brown, clock = brown_out(reasons=0, cross=0, personalisation=0)
    assert for_seconds(brown, clock, 1.0, 10) == [0]


@pytest.mark.asyncio(loop_scope="module")
async def test_an_answer_under_pressure_is_whole_but_for_the_extras(running, monkeypatch) -> None:
    monkeypatch.setattr("services.orchestrator.brown_out.current_pressure", lambda: 1.0)
    stub = SearchServiceStub(running.channel)
    request = SearchRequest(query="cup", serving_config="precise", user=UserContext(user_id="u"))
    answer = await stub.Search(request, timeout=5)
    assert len(answer.results) == 20
    assert not any(result.HasField("reason") for result in answer.results)
    assert {d.stage for d in answer.degraded} == {"reason", "cross", "profile"}
    assert {d.cause for d in answer.degraded} == {DEGRADATION_CAUSE_OVERLOADED}
    monkeypatch.setattr("services.orchestrator.brown_out.current_pressure", current_pressure)
    assert not (await stub.Search(SearchRequest(query="cup"), timeout=5)).degraded
