"""How many calls are worked on at once: a fixed number, or one that follows what a machine can do.

More calls at once than there are cores to work on them make all of them slower and none of them
sooner done: past some number they only eat up each other's deadlines. That number differs by
machine, by load and by what else runs, so it is found as TCP finds its window: one more while calls
are quick, a good deal fewer once they are slow (additive increase, multiplicative decrease; Chiu
and Jain 1989; for calls of services: Netflix's concurrency-limits).
"""

import math
from typing import Final

_SLOW_SHARE: Final = 0.05
"""Share of slow calls at which there are too many at once: what is asked of an overloaded service
is that the slowest of a hundred still makes its deadline."""
_CROWDED: Final = 1.5
"""How much slower than alone calls are that others beside them make slow. Where they are not, fewer
at once would be as slow, and less would get done."""
_DECREASE: Final = 0.8
_LEAST_CALLS: Final = 20
_LEAST_SLOW: Final = 2
"""Calls, and slow ones, on which a change rests at least: one in ten may be chance."""
_IDLE_SMOOTHING: Final = 0.1
_USUAL_CALLS: Final = 50
"""Calls over which a method's usual time is averaged."""
_IDLE_FACTOR: Final = 2.0
"""How much slower than alone a call may be that is slow by nature."""
_DEADLINE_SHARE: Final = 0.5
"""What working on a call may take of its deadline; waiting and the way back need the rest."""


class ConcurrencyLimit:
    """A number of calls that may be worked on at once.

    Args:
        most: The number, or the highest one of a limit that adapts.
        target_seconds: Time that a call may take before it counts as slow; 0 for a fixed limit.
        least: The lowest number of a limit that adapts.
    """

    def __init__(self, most: int, target_seconds: float = 0.0, least: int = 2) -> None:
        self._most = most
        self._least = min(least, most)
        self._target_seconds = target_seconds
        # A quarter of the highest: a start in overload hurts less than a slow start.
        self._value = float(most if not target_seconds else max(self._least, most // 4))
        self._changed_at = -math.inf
        self._calls = 0
        self._slow = 0
        self._seconds = 0.0
        self._alone = 0.0
        self._reached = False
        self._alone_seconds: dict[str, float] = {}
        self._usual: dict[str, tuple[int, float]] = {}

    @property
    def value(self) -> int:
        """Calls that may be worked on at once, now."""
        return int(self._value)

    @property
    def follows(self) -> bool:
        """Whether the number follows what the machine can do."""
        return self._target_seconds > 0

    def crowding(self, method: str, seconds: float) -> float:
        """Returns how much others beside them slow calls of a method down that take so long.

        From 0, as long as alone, to 1, so slow that a limit which adapts would fall. While none has
        been alone, by the time after which a call counts as slow; 1 of a fixed limit.
        """
        if not self.follows:
            return 1.0
        if alone := self._alone_seconds.get(method):
            return min(1.0, max(0.0, (seconds / alone - 1) / (_CROWDED - 1)))
        return min(1.0, seconds / self._target_seconds)

    def note(
        self,
        method: str,
        *,
        started: float,
        ended: float,
        remaining: float,
        beside: int,
        alone: bool = False,
    ) -> None:
        """Learns from one call.

        Args:
            method: What was called: some methods are slow by nature.
            started: When work on it began, in seconds of any monotonic clock.
            ended: When it was done.
            remaining: Seconds to its deadline when work began; may be infinite.
            beside: Calls that were worked on beside it when its work began.
            alone: Whether there were none, neither then nor at its end.
        """
        if not self.follows:
            return
        seconds = ended - started
        if alone or self.value <= self._least:
            before = self._alone_seconds.get(method, seconds)
            self._alone_seconds[method] = before + _IDLE_SMOOTHING * (seconds - before)
        self._note_usual(method, seconds)
        # What began under the limit before says nothing of the present one.
        if started < self._changed_at:
            return
        self._calls += 1
        self._slow += seconds > self._allowed(method, remaining)
        self._seconds += seconds
        self._alone += self._alone_seconds.get(method, 0.0)
        self._reached |= beside + 1 >= self.value
        if self._calls >= max(_LEAST_CALLS, self.value):
            self._adapt(ended)

    def _note_usual(self, method: str, seconds: float) -> None:
        """Others make no call quicker: what the usual one takes beside them it takes alone at most.

        Else the first call of a process, which finds its caches empty, would stand for all where
        none comes alone again.
        """
        calls, usual = self._usual.get(method, (0, 0.0))
        calls = min(calls + 1, _USUAL_CALLS)
        usual += (seconds - usual) / calls
        self._usual[method] = calls, usual
        if calls == _USUAL_CALLS and usual < self._alone_seconds.get(method, 0.0):
            self._alone_seconds[method] = usual

    def _allowed(self, method: str, remaining: float) -> float:
        by_nature = _IDLE_FACTOR * self._alone_seconds.get(method, 0.0)
        return min(max(self._target_seconds, by_nature), _DEADLINE_SHARE * remaining)

    def _adapt(self, now: float) -> None:
        slow = self._slow > max(_LEAST_SLOW - 1, _SLOW_SHARE * self._calls)
        if slow and self._seconds > _CROWDED * self._alone:
            self._value = max(self._least, self._value * _DECREASE)
            self._changed_at = now
        elif self._reached:
            # A limit that nobody reached says nothing of what lies above it.
            self._value = min(self._most, self._value + 1)
        self._calls = self._slow = 0
        self._seconds = self._alone = 0.0
        self._reached = False
