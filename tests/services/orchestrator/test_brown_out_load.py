"""Less is answered before anything is refused: loads below and beyond capacity, in virtual time."""

import asyncio

import pytest

from services.orchestrator.brown_out import BrownOut, BrownOutSettings
from shared.admission import Admission
from shared.concurrency_limit import ConcurrencyLimit
from tests.shared.made_up_machine import Callers, Machine, Outcome, run_virtual

CORES = 2
WORK, EXTRA = 0.055, 0.02
"""Seconds of a core that an answer takes, and that its reasons take beyond that."""
WHOLE = CORES / (WORK + EXTRA)
"""Whole answers a second that the machine can do."""
BARE = CORES / WORK
SECONDS = 60.0


def at(factor: float, deadline: float = 1.0, cores: int = CORES, **settings: float) -> Outcome:
    """Returns what became of calls at a multiple of what can be answered whole."""
    whole = WHOLE * cores / CORES

    async def run() -> Outcome:
        clock = asyncio.get_running_loop().time
        admission = Admission(ConcurrencyLimit(64, 0.3), 128, clock)
        brown = BrownOut(BrownOutSettings(**settings), clock)
        machine = Machine(cores)

        def callers(rate: float) -> Callers:
            return Callers(
                rate, deadline, WORK, extra=EXTRA, check_extra=lambda: brown.check("reason")
            )

        for rate, seconds in ((1.0, 5.0), (0.5 * whole, 5.0), (factor * whole, 10.0)):
            await callers(rate).call(admission, machine, seconds)
        return await callers(factor * whole).call(admission, machine, SECONDS)

    return run_virtual(run())


def calls(outcome: Outcome) -> int:
    return len(outcome.admitted) + len(outcome.refused)


def test_with_room_to_spare_answers_are_whole():
    for half in (at(0.5), at(0.5, cores=16), at(0.75, cores=16)):
        assert not half.refused
        assert half.whole >= 0.97 * half.good


def test_at_capacity_answers_go_without_and_none_is_refused():
    one = at(1.0)
    assert len(one.refused) <= 0.015 * calls(one)
    assert one.whole >= 0.4 * one.good, "no more is left out than there is too much of"
    assert one.percentile(99) < 0.6


def test_it_is_the_extras_that_make_room():
    one, without = at(1.1), at(1.1, reasons=0, cross=0, personalisation=0)
    assert len(one.refused) < 0.2 * len(without.refused)
    assert one.goodput > without.goodput


@pytest.mark.parametrize(("factor", "refused"), [(1.25, 0.07), (1.5, 0.15)])
def test_beyond_it_little_more_is_refused_than_must_be(factor: float, refused: float):
    outcome = at(factor)
    assert len(outcome.refused) <= refused * calls(outcome)
    assert outcome.goodput >= 0.93 * min(factor * WHOLE, BARE)


def test_at_three_times_everything_goes_into_bare_answers():
    three = at(3.0)
    assert three.goodput >= 0.95 * BARE
    assert three.whole <= 0.05 * three.good
    assert three.late <= 0.01 * calls(three)


def test_who_has_time_is_answered_whole_for_longer():
    patient, pressed = at(1.1, deadline=10.0), at(1.1)
    assert not patient.refused
    assert patient.whole > 1.2 * pressed.whole
