import math

from hypothesis import given
from hypothesis import strategies as st

from shared.deadline import Deadline, current_deadline, set_current_deadline

_SECONDS = st.floats(-1e6, 1e6)
_POSITIVE = st.floats(0, 1e6)


class _Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@given(after=_SECONDS, passed=_POSITIVE, budget=_POSITIVE, reserve=_POSITIVE)
def test_a_stage_never_gets_more_than_its_budget_or_what_is_left(after, passed, budget, reserve):
    clock = _Clock()
    deadline = Deadline.after(after, clock)
    clock.now = passed
    timeout = deadline.stage_timeout(budget, reserve)
    assert 0 <= timeout <= budget
    assert timeout <= deadline.remaining()
    assert timeout == 0 or timeout + reserve <= deadline.remaining() * (1 + 1e-9) + 1e-9
    assert deadline.expired == (after - passed <= 0)


@given(after=_SECONDS, passed=_POSITIVE)
def test_remaining_only_falls(after, passed):
    clock = _Clock()
    deadline = Deadline.after(after, clock)
    before = deadline.remaining()
    clock.now = passed
    assert 0 <= deadline.remaining() <= before


def test_unlimited():
    deadline = Deadline.unlimited()
    assert deadline.remaining() == math.inf
    assert not deadline.expired
    assert not deadline.limited
    assert deadline.stage_timeout(3, reserve_s=1) == 3


async def test_the_current_deadline_is_unlimited_until_set():
    assert not current_deadline().limited
    deadline = Deadline.after(5)
    set_current_deadline(deadline)
    assert current_deadline() is deadline
