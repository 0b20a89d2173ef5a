"""How long something takes, learnt from the last times that it did."""

from collections import deque
from typing import Final

_LEAST: Final = 30
"""Times below which nothing is said."""
_PAUSE: Final = 16
"""Times after which a quantile is looked up anew: sorting costs more than being a little late."""


class LatencyWindow:
    """The last times, and their quantiles. What changed shows within a window.

    Args:
        size: Times kept.
    """

    def __init__(self, size: int = 256) -> None:
        self._times: deque[float] = deque(maxlen=size)
        self._count = 0
        self._known: dict[float, tuple[int, float]] = {}

    def add(self, seconds: float) -> None:
        """Adds a time."""
        self._times.append(seconds)
        self._count += 1

    def quantile(self, share: float) -> float | None:
        """Returns what a share (0 to 1) of calls stay within; None while too few are known."""
        if len(self._times) < _LEAST:
            return None
        at, value = self._known.get(share, (-_PAUSE, 0.0))
        if self._count - at >= _PAUSE:
            times = sorted(self._times)
            value = times[min(len(times) - 1, int(share * len(times)))]
            self._known[share] = self._count, value
        return value
