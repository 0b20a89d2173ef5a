"""Wakes Triton's batcher where it sleeps on a request.

Where requests have priorities or timeouts, Triton (core 2.51, `DynamicBatchScheduler::Enqueue`)
wakes its batcher for a new request only while an instance of the model waits for work. A request
that comes in the moment between an answer and the instance's return to its place wakes nobody, and
lies there until the batcher looks by itself, every 500 ms, or until the next request comes. A
caller that sends one batch after the other meets this moment often: of 50 calls with four batches
each, on two busy cores, 22 stood still for 500 ms or more. So a request that is late, and behind
which no other was sent, is followed by a small one, whose answer nobody reads. Where the cores are
busy that one can meet the same moment: another follows, after twice the time.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any, Final, TypeVar

from tritonclient.utils import InferenceServerException

LEAST_PATIENCE: Final = 0.02
MOST_PATIENCE: Final = 0.15
"""Seconds that a request may take before it is thought to lie there: TIMES as long as usual,
within these bounds, so that a machine under load is not given more to do."""
TIMES: Final = 3.0
_SMOOTHING: Final = 0.1

_Answer = TypeVar("_Answer")


class BatcherWaker:
    """Watches the requests to one model. For one event loop."""

    def __init__(
        self, usual: float = MOST_PATIENCE / TIMES, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._usual = usual
        self._clock = clock
        self._sent = 0
        self._waking: set[asyncio.Task[None]] = set()

    async def watch(
        self,
        ask: Coroutine[Any, Any, _Answer],
        wake: Callable[[], Awaitable[object]],
    ) -> _Answer:
        """Returns the answer to a request.

        Args:
            ask: Sends it.
            wake: Sends a small one; called while no other request goes out, with growing pauses.
        """
        self._sent += 1
        started, patience = self._clock(), self.patience
        asking = asyncio.ensure_future(ask)
        try:
            while True:
                sent = self._sent
                await asyncio.wait({asking}, timeout=patience)
                if asking.done():
                    break
                if self._sent == sent:
                    self._start(wake)
                patience *= 2
            answer = await asking
        finally:
            asking.cancel()
        self._usual += _SMOOTHING * (self._clock() - started - self._usual)
        return answer

    @property
    def patience(self) -> float:
        """Seconds until a request is thought to lie there."""
        return min(MOST_PATIENCE, max(LEAST_PATIENCE, TIMES * self._usual))

    def _start(self, wake: Callable[[], Awaitable[object]]) -> None:
        async def send() -> None:
            # Whether the server is well, the request itself will tell.
            with suppress(InferenceServerException):
                await wake()

        waking = asyncio.ensure_future(send())
        self._waking.add(waking)
        waking.add_done_callback(self._waking.discard)

    def close(self) -> None:
        """Gives up what is still on its way."""
        for waking in self._waking:
            waking.cancel()
