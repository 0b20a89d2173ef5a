"""A circuit breaker: stop asking a dependency that keeps failing, and find out when it is back.

    CLOSED --(threshold consecutive failures within the window)--> OPEN
    OPEN --(reset_seconds pass)--> HALF_OPEN: one probe at a time is let through
    HALF_OPEN --(probe succeeds)--> CLOSED, --(probe fails)--> OPEN

After Nygard, "Release It!" (2nd edition, chapter 5). Failures in a row, rather than a rate, because
at low traffic a rate says nothing; the window keeps failures of an hour ago from counting.
"""

import time
from collections.abc import Callable
from enum import IntEnum

from shared.metrics import BREAKER_STATE


class BreakerState(IntEnum):
    """State of a breaker; the numbers are those of the `wherefore_breaker_state` metric."""

    CLOSED = 0
    HALF_OPEN = 1
    OPEN = 2


class CircuitBreaker:
    """Guards one dependency. Not thread-safe: use it from one event loop.

    Call `allow()` before each attempt and exactly one of `record_success()` and `record_failure()`
    after an attempt that says something about the dependency. An attempt cut short by its caller
    records nothing; a probe so lost is replaced after `reset_seconds`.

    Args:
        name: Name of the dependency in metrics.
        failure_threshold: Failures in a row that open it.
        window_seconds: The first and the last of them are at most this far apart.
        reset_seconds: How long it stays open before a probe.
        clock: Monotonic seconds; tests inject their own.
    """

    def __init__(
        self,
        name: str,
        *,
        failure_threshold: int = 5,
        window_seconds: float = 10.0,
        reset_seconds: float = 2.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if failure_threshold < 1:
            raise ValueError("failure_threshold must be at least 1")
        self.name = name
        self._threshold = failure_threshold
        self._window = window_seconds
        self._reset = reset_seconds
        self._clock = clock
        self._failures: list[float] = []
        self._opened_at: float | None = None
        self._probe_at: float | None = None
        self._publish()

    @property
    def state(self) -> BreakerState:
        """The state now."""
        if self._opened_at is None:
            return BreakerState.CLOSED
        if self._clock() - self._opened_at >= self._reset:
            return BreakerState.HALF_OPEN
        return BreakerState.OPEN

    def allow(self) -> bool:
        """Returns whether to ask the dependency now."""
        state = self.state
        if state is BreakerState.CLOSED:
            return True
        if state is BreakerState.OPEN:
            return False
        now = self._clock()
        if self._probe_at is not None and now - self._probe_at < self._reset:
            return False
        self._probe_at = now
        self._publish()
        return True

    def record_success(self) -> None:
        """Notes that the dependency answered."""
        # An answer to a call sent before it opened, arriving late, is no proof of recovery.
        if self.state is BreakerState.OPEN:
            return
        self._failures.clear()
        self._opened_at = None
        self._probe_at = None
        self._publish()

    def record_failure(self) -> None:
        """Notes that the dependency failed to answer."""
        state = self.state
        now = self._clock()
        if state is BreakerState.OPEN:
            return
        if state is BreakerState.HALF_OPEN:
            self._open(now)
            return
        self._failures = [*(at for at in self._failures if now - at <= self._window), now]
        if len(self._failures) >= self._threshold:
            self._open(now)

    def _open(self, now: float) -> None:
        self._opened_at = now
        self._probe_at = None
        self._failures.clear()
        self._publish()

    def _publish(self) -> None:
        BREAKER_STATE.labels(self.name).set(self.state.value)
