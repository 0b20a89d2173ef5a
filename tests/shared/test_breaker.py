from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import REGISTRY

from shared.breaker import BreakerState, CircuitBreaker


class _Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def _breaker(clock: _Clock, threshold: int = 3) -> CircuitBreaker:
    return CircuitBreaker(
        "toy", failure_threshold=threshold, window_seconds=10, reset_seconds=2, clock=clock
    )


def _fail(breaker: CircuitBreaker, times: int) -> None:
    for _ in range(times):
        breaker.record_failure()


def test_opens_after_failures_in_a_row():
    breaker = _breaker(_Clock())
    _fail(breaker, 2)
    assert breaker.allow()
    breaker.record_failure()
    assert breaker.state is BreakerState.OPEN
    assert not breaker.allow()
    assert REGISTRY.get_sample_value("wherefore_breaker_state", {"dependency": "toy"}) == 2


def test_a_success_starts_the_count_again():
    breaker = _breaker(_Clock())
    _fail(breaker, 2)
    breaker.record_success()
    _fail(breaker, 2)
    assert breaker.state is BreakerState.CLOSED


def test_old_failures_do_not_count():
    clock = _Clock()
    breaker = _breaker(clock)
    _fail(breaker, 2)
    clock.now += 11
    breaker.record_failure()
    assert breaker.state is BreakerState.CLOSED


def test_half_open_lets_one_probe_through_and_closes_on_its_success():
    clock = _Clock()
    breaker = _breaker(clock)
    _fail(breaker, 3)
    clock.now += 2
    assert breaker.state is BreakerState.HALF_OPEN
    assert breaker.allow()
    assert not breaker.allow()
    breaker.record_success()
    assert breaker.state is BreakerState.CLOSED
    assert breaker.allow()


def test_a_failed_probe_opens_it_again():
    clock = _Clock()
    breaker = _breaker(clock)
    _fail(breaker, 3)
    clock.now += 2
    assert breaker.allow()
    breaker.record_failure()
    assert breaker.state is BreakerState.OPEN
    clock.now += 1.9
    assert not breaker.allow()


def test_a_lost_probe_is_replaced():
    clock = _Clock()
    breaker = _breaker(clock)
    _fail(breaker, 3)
    clock.now += 2
    assert breaker.allow()
    clock.now += 2
    assert breaker.allow()


def test_a_late_answer_does_not_close_it():
    breaker = _breaker(_Clock())
    _fail(breaker, 3)
    breaker.record_success()
    assert breaker.state is BreakerState.OPEN


@given(st.lists(st.tuples(st.sampled_from(["allow", "ok", "fail"]), st.floats(0, 5)), max_size=60))
def test_it_is_never_open_without_enough_failures_and_always_recovers(steps):
    clock = _Clock()
    breaker = _breaker(clock)
    since_success = 0
    for action, wait in steps:
        clock.now += wait
        before = breaker.state
        if action == "allow":
            assert breaker.allow() or before is not BreakerState.CLOSED
        elif action == "ok":
            breaker.record_success()
            if before is not BreakerState.OPEN:
                since_success = 0
                assert breaker.state is BreakerState.CLOSED
        else:
            breaker.record_failure()
            since_success += 1
        if breaker.state is not BreakerState.CLOSED:
            assert since_success >= 3
    clock.now += 2 + 1e-9 * clock.now  # which was added up of floats
    assert breaker.state is not BreakerState.OPEN
    clock.now += 2
    assert breaker.allow()
    breaker.record_success()
    assert breaker.state is BreakerState.CLOSED
