"""How far a log of events reaches, and who waits for it to reach further."""

import asyncio


class LogPlace:
    """The end of a log. For one event loop."""

    def __init__(self) -> None:
        self._arrival = asyncio.Event()
        self._set_back = 0
        self.waits_ended = False
        """Whether nobody is to wait for events any more."""
        self.last_sequence = 0
        """Place of the last event that was acknowledged; 0 while there is none."""

    def advance(self, sequence: int) -> None:
        """Notes that the log reaches a place, and wakes those who wait for one before."""
        if sequence > self.last_sequence:
            self.last_sequence = sequence
            self._wake()

    def set_back(self, sequence: int) -> None:
        """Notes that the log ends before where it was known to reach: it is another one."""
        self.last_sequence = sequence
        self._set_back += 1
        self._wake()

    async def wait_past(self, sequence: int) -> None:
        """Returns once the log reaches beyond a place, is another one, or waits are ended."""
        before = self._set_back
        while self.last_sequence <= sequence and not self.waits_ended:
            if self._set_back != before:
                return
            await self._arrival.wait()

    def end_waits(self) -> None:
        """Lets all who wait go, for good."""
        self.waits_ended = True
        self._arrival.set()

    def _wake(self) -> None:
        arrived, self._arrival = self._arrival, asyncio.Event()
        arrived.set()
