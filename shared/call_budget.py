"""How many calls may be sent on top of those that are asked for.

Retries and hedges help while few calls need them. When many do, the service behind is in trouble,
and more calls make it worse: so they are a share of the calls, and no more (the token bucket of
gRPC's retryThrottling; Finagle's retry budget).
"""


class CallBudget:
    """Extra calls, as a share of the calls.

    Args:
        share: Extra calls for each call.
        burst: Extra calls that may have been saved up; it starts full.
    """

    def __init__(self, share: float, burst: float = 10.0) -> None:
        self._share = share
        self._burst = burst
        self._tokens = burst

    def earn(self) -> None:
        """Notes a call."""
        self._tokens = min(self._burst, self._tokens + self._share)

    def spend(self) -> bool:
        """Takes an extra call; returns whether there is one."""
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True
