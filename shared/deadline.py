"""Deadlines as budgets: one per request, shared out among its stages.

A timeout says how long one step may take; a deadline says when the whole answer is due. Every
downstream call gets the smaller of its own budget and what is left, less what later stages need.
"""

import math
import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import Self

Clock = Callable[[], float]


class Deadline:
    """A moment on a monotonic clock by which an answer is due."""

    __slots__ = ("_at", "_clock")

    def __init__(self, at: float, clock: Clock = time.monotonic) -> None:
        self._at = at
        self._clock = clock

    @classmethod
    def after(cls, seconds: float, clock: Clock = time.monotonic) -> Self:
        """Returns the deadline `seconds` from now; a negative number is already past."""
        return cls(clock() + seconds, clock)

    @classmethod
    def unlimited(cls) -> Self:
        """Returns the deadline that never comes."""
        return cls(math.inf)

    @property
    def limited(self) -> bool:
        """Whether it ever comes."""
        return self._at != math.inf

    @property
    def expired(self) -> bool:
        """Whether it has come."""
        return self.remaining() <= 0.0

    def remaining(self) -> float:
        """Returns the seconds left: at least 0, infinity when unlimited."""
        return max(0.0, self._at - self._clock())

    def stage_timeout(self, budget_s: float, reserve_s: float = 0.0) -> float:
        """Returns the seconds that one stage may take.

        Args:
            budget_s: What the stage may take at most, in seconds.
            reserve_s: What the stages after it need, in seconds.

        Returns:
            The smaller of `budget_s` and what remains less `reserve_s`; at least 0.
        """
        return max(0.0, min(budget_s, self.remaining() - reserve_s))


_current: ContextVar[Deadline | None] = ContextVar("deadline", default=None)


def current_deadline() -> Deadline:
    """Returns the deadline of the request being answered; unlimited outside any request."""
    return _current.get() or Deadline.unlimited()


def set_current_deadline(deadline: Deadline) -> None:
    """Makes `deadline` the one of everything that this task does from now on."""
    _current.set(deadline)
