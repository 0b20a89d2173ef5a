"""How fast one caller may call: a token bucket for each.

Written as GCRA (ITU-T I.371): one number a caller, the time at which its bucket is full again.
"""

import time
from collections.abc import Callable
from typing import Final

from cachetools import LRUCache

_MOST_CALLERS: Final = 100_000
_ROUNDING: Final = 1e-9


class RateLimiter:
    """Token buckets by caller.

    Callers beyond 100,000 push out the one that was quiet for longest, whose bucket is full again.

    Args:
        burst: Calls in a full bucket.
        clock: Seconds that only grow.
    """

    def __init__(self, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._burst = burst
        self._clock = clock
        self._full_at: LRUCache[str, float] = LRUCache(_MOST_CALLERS)

    def take(self, caller: str, per_second: float) -> float:
        """Takes a call out of a caller's bucket.

        Args:
            caller: Whose.
            per_second: Calls that flow in each second; above 0.

        Returns:
            0 where there was one; else the seconds until there is, and nothing was taken.
        """
        now = self._clock()
        full_at = max(now, self._full_at.get(caller, now)) + 1 / per_second
        wait = full_at - now - self._burst / per_second
        if wait > _ROUNDING:
            return wait
        self._full_at[caller] = full_at
        return 0.0
