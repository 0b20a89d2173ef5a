"""The limit against machines that are made up: so many cores, so long a call."""

import math
from collections.abc import Callable

import pytest

from shared.concurrency_limit import ConcurrencyLimit

Clock = list[float]


def run(
    limit: ConcurrencyLimit,
    seconds_at: Callable[[int], float],
    *,
    offered: int = 1000,
    rounds: int = 200,
    start: float = 0.0,
    remaining: float = math.inf,
) -> float:
    """Keeps as many calls under way as the limit lets; returns the time at the end.

    Args:
        limit: What is tried.
        seconds_at: How long calls take, by how many are under way.
        offered: Calls that would be under way without a limit.
        rounds: How often all that are under way end and others begin.
        start: Time at the beginning.
        remaining: Seconds to the deadline of each call.
    """
    now = start
    for _ in range(rounds):
        count = min(offered, limit.value)
        ended = now + seconds_at(count)
        for beside in range(count):
            limit.note(
                "m",
                started=now,
                ended=ended,
                remaining=remaining,
                beside=beside,
                alone=count == 1,
            )
        now = ended
    return now


def cores(count: int, seconds: float) -> Callable[[int], float]:
    """A machine with so many cores, on which a call takes so long alone."""
    return lambda under_way: seconds * max(1.0, under_way / count)


def test_a_fixed_limit_stays():
    limit = ConcurrencyLimit(64)
    run(limit, cores(1, 5.0))
    assert limit.value == 64


@pytest.mark.parametrize("count", [2, 4, 16])
def test_the_limit_finds_where_calls_become_slow(count: int):
    limit = ConcurrencyLimit(200, target_seconds=0.4)
    run(limit, cores(count, 0.1))
    # At four times as many calls as cores each takes 0.4 s.
    assert 0.6 * 4 * count <= limit.value <= 4 * count + 1


def test_it_grows_back_when_the_machine_is_quick_again():
    limit = ConcurrencyLimit(64, target_seconds=0.4)
    now = run(limit, cores(2, 0.4))
    assert limit.value <= 4
    run(limit, cores(64, 0.1), start=now)
    assert limit.value == 64


def test_a_limit_that_nobody_reaches_does_not_grow():
    limit = ConcurrencyLimit(400, target_seconds=0.4)
    before = limit.value
    run(limit, cores(64, 0.01), offered=3)
    assert limit.value == before == 100


def test_what_is_slow_by_nature_is_not_taken_for_overload():
    limit = ConcurrencyLimit(40, target_seconds=0.4)
    now = run(limit, lambda _: 1.5, offered=1, rounds=3)
    run(limit, lambda _: 1.6, start=now)
    assert limit.value == 40


def test_calls_must_leave_time_of_their_deadlines():
    limit = ConcurrencyLimit(64, target_seconds=10.0)
    run(limit, cores(2, 0.1), remaining=0.6)
    # 0.3 s of 0.6 s are allowed: six calls at once on two cores.
    assert 3 <= limit.value <= 7


def test_it_never_falls_below_the_least():
    limit = ConcurrencyLimit(64, target_seconds=0.4, least=2)
    values: set[int] = set()
    now = 0.0
    for _ in range(100):
        now = run(limit, cores(1, 3.0), remaining=1.0, rounds=1, start=now)
        values.add(limit.value)
    assert min(values) == 2
    assert limit.value <= 4


def test_one_slow_call_is_chance():
    limit = ConcurrencyLimit(40, target_seconds=0.4)
    before = limit.value
    for number in range(20):
        seconds = 9.0 if number == 7 else 0.1
        limit.note("m", started=0.0, ended=seconds, remaining=math.inf, beside=number)
    assert limit.value == before + 1


def test_fewer_at_once_are_no_help_where_others_do_not_make_calls_slow():
    limit = ConcurrencyLimit(64, target_seconds=0.4)
    now = run(limit, lambda _: 0.5, remaining=1.0, rounds=100)
    assert limit.value > 2
    run(limit, lambda _: 0.5, remaining=1.0, start=now)
    assert limit.value == 64


def test_crowding_is_by_how_much_slower_than_alone_calls_are():
    limit = ConcurrencyLimit(64, target_seconds=0.4)
    # None has been alone: by the time after which a call is slow.
    assert [limit.crowding("m", seconds) for seconds in (0.0, 0.1, 0.8)] == [0.0, 0.25, 1.0]
    run(limit, cores(2, 0.1), offered=1, rounds=20)
    found = [limit.crowding("m", seconds) for seconds in (0.05, 0.1, 0.125, 0.15, 1.0)]
    assert found == pytest.approx([0.0, 0.0, 0.5, 1.0, 1.0])
    assert ConcurrencyLimit(64).crowding("m", 0.1) == 1.0


def test_a_first_call_that_is_slow_does_not_stand_for_all():
    limit = ConcurrencyLimit(64, target_seconds=0.4)
    limit.note("m", started=0.0, ended=2.0, remaining=math.inf, beside=0, alone=True)
    assert limit.crowding("m", 0.5) == 0.0
    run(limit, cores(8, 0.1), offered=4, rounds=50, start=2.0)
    assert limit.crowding("m", 0.1) < 0.1
    assert limit.crowding("m", 0.2) == 1.0
    run(limit, cores(2, 0.1), rounds=50, start=10.0)
    assert limit.value <= 10
