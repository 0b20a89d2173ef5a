"""A second call where the first one is late, of which the sooner answers.

One replica of several that stands still (a collection of garbage, a busy disk) then costs a caller
the 95th percentile of the method and one more call, not its whole deadline (Dean and Barroso, "The
Tail at Scale", 2013). For reads only, and within a share of the calls.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, TypeVar

from shared.call_budget import CallBudget
from shared.latency import LatencyWindow
from shared.metrics import HEDGES

_Response = TypeVar("_Response")

_QUANTILE: Final = 0.95
_LEAST_SECONDS: Final = 0.002
"""A hedge sooner than this is noise."""


class Hedge:
    """Hedges of the calls to one service. For one event loop.

    Args:
        name: Of the service, in metrics.
        share: Hedges for each call; 0 for none.
    """

    def __init__(self, name: str, share: float) -> None:
        self._name = name
        self._share = share
        self._budget = CallBudget(share)
        self._windows: dict[object, LatencyWindow] = {}

    async def call(
        self, method: object, send: Callable[[float], Awaitable[_Response]], seconds: float
    ) -> _Response:
        """Makes a call, and a second one where the first takes longer than most do.

        Args:
            method: Whose times are learnt, apart from those of others.
            send: Makes the call within the seconds that it is given.
            seconds: For both.

        Raises:
            Exception: As the call that answers does; of two that fail, the later.
        """
        if not self._share:
            return await send(seconds)
        window = self._windows.setdefault(method, LatencyWindow())
        started = time.monotonic()
        response = await self._ask(send, seconds, window.quantile(_QUANTILE))
        window.add(time.monotonic() - started)
        return response

    async def _ask(
        self,
        send: Callable[[float], Awaitable[_Response]],
        seconds: float,
        patience: float | None,
    ) -> _Response:
        self._budget.earn()
        if patience is None or patience >= seconds:
            return await send(seconds)
        patience = max(patience, _LEAST_SECONDS)
        first = asyncio.ensure_future(_as_coroutine(send, seconds))
        calls: list[asyncio.Future[_Response]] = [first]
        try:
            await asyncio.wait(calls, timeout=patience)
            if first.done():
                return first.result()
            if not self._budget.spend():
                HEDGES.labels(self._name, "refused").inc()
                return await first
            second = asyncio.ensure_future(_as_coroutine(send, seconds - patience))
            calls.append(second)
            winner = await _sooner(calls)
            HEDGES.labels(self._name, "won" if winner is second else "lost").inc()
            return winner.result()
        finally:
            for call in calls:
                call.cancel()
                call.add_done_callback(_look_at)


async def _as_coroutine(send: Callable[[float], Awaitable[_Response]], seconds: float) -> _Response:
    return await send(seconds)


async def _sooner(calls: Sequence[asyncio.Future[_Response]]) -> asyncio.Future[_Response]:
    """Returns the first that answers, or the last when none does."""
    waiting = set(calls)
    while True:
        done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for call in done:
            if not call.cancelled() and call.exception() is None:
                return call
        if not waiting:
            return done.pop()


def _look_at(call: asyncio.Future[Any]) -> None:
    """An error that nobody asks for would be logged."""
    if not call.cancelled():
        call.exception()
