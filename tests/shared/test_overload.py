"""Overload in virtual time: what gets done, how long it takes, and how soon the rest is refused."""

import asyncio
from collections.abc import Sequence

import pytest

from shared.admission import Admission
from shared.concurrency_limit import ConcurrencyLimit
from tests.shared.made_up_machine import Callers, Machine, Outcome, run_virtual

TARGET = 0.3
SECONDS = 20.0
PEAK = (0.75, 1.0, 1.25)
"""Loads at which most can get done, as multiples of what the machine can do."""


def at_loads(
    factors: Sequence[float],
    *,
    cores: int = 2,
    work: float = 0.04,
    deadline: float = 1.0,
    target: float = TARGET,
) -> list[Outcome]:
    """Returns what became of calls at multiples of a machine's capacity, each on a new one."""

    async def run(factor: float) -> Outcome:
        clock = asyncio.get_running_loop().time
        admission = Admission(ConcurrencyLimit(64, target), 128, clock)
        machine = Machine(cores)
        await Callers(0.5 * cores / work, deadline, work).call(admission, machine, 5.0)
        callers = Callers(factor * cores / work, deadline, work)
        return await callers.call(admission, machine, SECONDS)

    return [run_virtual(run(factor)) for factor in factors]


@pytest.mark.parametrize(
    ("cores", "work", "deadline"),
    [(2, 0.04, 1.0), (2, 0.04, 0.5), (2, 0.04, 10.0), (16, 0.1, 1.0), (16, 0.1, 0.5)],
)
def test_goodput_at_three_times_the_capacity(cores: int, work: float, deadline: float):
    *below, three = at_loads((*PEAK, 3.0), cores=cores, work=work, deadline=deadline)
    peak = max(outcome.goodput for outcome in below)
    assert three.goodput >= 0.85 * peak
    assert peak >= 0.9 * cores / work
    assert three.late <= 0.025 * len(three.admitted)


def test_the_slowest_of_a_hundred_makes_its_deadline_and_the_rest_is_told_at_once():
    (three,) = at_loads((3.0,))
    assert three.percentile(99) < 1.0
    assert len(three.refused) > 1500
    assert max(three.refused) == 0.0


def test_nothing_is_refused_well_below_the_capacity():
    half, most = at_loads((0.5, 0.75))
    assert not half.refused
    assert not half.late
    assert len(most.refused) + most.late <= 0.01 * most.good


def test_a_fixed_limit_does_not_stand_overload():
    """The measure is one: it tells the two apart."""
    one, three = at_loads((1.0, 3.0), target=0.0)
    assert three.goodput < 0.7 * one.goodput
    assert three.percentile(99) == 1.0


def test_calls_that_are_slow_by_nature_leave_the_cores_at_work():
    # One in twenty takes longer than half of the deadline on a machine with nothing else to do.
    (three,) = at_loads((3.0,), cores=16, work=0.1, deadline=0.3)
    assert three.goodput >= 0.75 * 16 / 0.1
