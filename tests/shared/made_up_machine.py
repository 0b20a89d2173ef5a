"""A machine and its callers in virtual time: seconds of load pass in no time, always the same."""

import asyncio
import heapq
import random
import selectors
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from itertools import count
from typing import Any, TypeVar

from shared.admission import Admission
from shared.deadline import Deadline, set_current_deadline
from shared.errors import DeadlineExceededError, ResourceExhaustedError
from shared.pressure import set_pressure

T = TypeVar("T")


class _NoWaiting(selectors.SelectSelector):
    """Moves the clock of its loop where another would wait."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            raise RuntimeError("everything waits, and nothing will happen")
        self.now += timeout
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time passes only while all its tasks wait."""

    def __init__(self) -> None:
        self._virtual = _NoWaiting()
        super().__init__(self._virtual)
        self._clock_resolution = 1e-9

    def time(self) -> float:
        return self._virtual.now


def run_virtual(main: Coroutine[Any, Any, T]) -> T:
    """Runs a coroutine in virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)


class Machine:
    """Cores that all work under way shares evenly."""

    def __init__(self, cores: int) -> None:
        self._cores = cores
        self._loop = asyncio.get_running_loop()
        self._at = self._loop.time()
        self._served = 0.0
        self._heap: list[tuple[float, int, asyncio.Future[None]]] = []
        self._numbers = count()
        self._under_way = 0
        self._timer: asyncio.TimerHandle | None = None

    async def work(self, seconds: float) -> None:
        """Returns when so many seconds of a core have been spent on it."""
        self._advance()
        self._under_way += 1
        done = self._loop.create_future()
        heapq.heappush(self._heap, (self._served + seconds, next(self._numbers), done))
        self._arm()
        try:
            await done
        except asyncio.CancelledError:
            self._advance()
            if done.cancelled():
                self._under_way -= 1
                self._arm()
            raise

    def _speed(self) -> float:
        return min(1.0, self._cores / self._under_way)

    def _advance(self) -> None:
        now = self._loop.time()
        if self._under_way:
            self._served += (now - self._at) * self._speed()
        self._at = now

    def _arm(self) -> None:
        if self._timer:
            self._timer.cancel()
        while self._heap and self._heap[0][2].done():
            heapq.heappop(self._heap)
        if self._heap:
            wait = max(0.0, self._heap[0][0] - self._served) / self._speed()
            self._timer = self._loop.call_later(wait + 1e-9, self._finish)

    def _finish(self) -> None:
        self._advance()
        while self._heap and (self._heap[0][2].done() or self._heap[0][0] <= self._served + 1e-9):
            _, _, done = heapq.heappop(self._heap)
            if not done.done():
                done.set_result(None)
                self._under_way -= 1
        self._arm()


@dataclass(slots=True)
class Outcome:
    """What became of calls."""

    seconds: float
    good: int = 0
    whole: int = 0
    """Of those, with what may be left out."""
    late: int = 0
    admitted: list[float] = field(default_factory=list[float])
    """Seconds that each took that was not refused; its deadline for one that was late."""
    refused: list[float] = field(default_factory=list[float])
    """Seconds until each was refused."""

    @property
    def goodput(self) -> float:
        """Answers within the deadline, a second."""
        return self.good / self.seconds

    def percentile(self, percent: float) -> float:
        """Returns a percentile of `admitted`."""
        ordered = sorted(self.admitted)
        return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


@dataclass(frozen=True, slots=True)
class Callers:
    """Independent callers, each with as long for its answer as any."""

    rate: float
    """Calls a second."""
    deadline: float
    work: float
    """Seconds of a core that a call takes, on average; some take several times as much."""
    spread: float = 0.5
    seed: int = 5
    extra: float = 0.0
    """Seconds of a core beyond that for what may be left out, likewise."""
    check_extra: Callable[[], None] = lambda: None
    """Raises ResourceExhaustedError where it is."""

    async def call(self, admission: Admission, machine: Machine, seconds: float) -> Outcome:
        """Has them call for so long, and waits for the last answer."""
        loop = asyncio.get_running_loop()
        chance = random.Random(self.seed)  # noqa: S311 - load, not secrets
        found = Outcome(seconds)
        at, end = loop.time(), loop.time() + seconds
        async with asyncio.TaskGroup() as group:
            while (at := at + chance.expovariate(self.rate)) < end:
                await asyncio.sleep(max(0.0, at - loop.time()))
                work = self.work * chance.lognormvariate(-(self.spread**2) / 2, self.spread)
                group.create_task(self._one(admission, machine, work, found))
        return found

    async def _one(
        self, admission: Admission, machine: Machine, work: float, into: Outcome
    ) -> None:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        set_current_deadline(Deadline.after(self.deadline, loop.time))
        try:
            async with asyncio.timeout(self.deadline), admission.admit("Search"):
                set_pressure(lambda: admission.pressure("Search"))
                await machine.work(work)
                whole = await self._extra(machine, work)
        except ResourceExhaustedError:
            into.refused.append(loop.time() - begun)
        except (TimeoutError, DeadlineExceededError):
            into.late += 1
            into.admitted.append(self.deadline)
        else:
            into.good += 1
            into.whole += whole
            into.admitted.append(loop.time() - begun)

    async def _extra(self, machine: Machine, work: float) -> bool:
        try:
            self.check_extra()
        except ResourceExhaustedError:
            return False
        if self.extra:
            await machine.work(work * self.extra / self.work)
        return True
