"""Whether an acknowledged event survives kill -9: `python -m benchmarks.event_durability`.

An orchestrator of its own takes events of many writers at once and is killed at random points of
the run. Writers send again whatever was not acknowledged, under the same id, as a shop would. At
the end the log is read whole: each acknowledged id must be there once, as it was sent.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import numpy as np
from tqdm import tqdm

from benchmarks import report
from benchmarks.event_victim import Victim
from benchmarks.kill_options import figures, measured, provenance, read_options, tell
from shared.channel import open_channel
from wherefore.common.v1.user_event_pb2 import UserEvent, UserEventType
from wherefore.orchestrator.v1.event_log_service_pb2 import FollowRequest
from wherefore.orchestrator.v1.event_log_service_pb2_grpc import EventLogServiceStub
from wherefore.orchestrator.v1.user_event_service_pb2 import (
    UserEventServiceWriteRequest,
    UserEventServiceWriteResponse,
)
from wherefore.orchestrator.v1.user_event_service_pb2_grpc import UserEventServiceStub

KINDS = (
    UserEventType.USER_EVENT_TYPE_VIEW,
    UserEventType.USER_EVENT_TYPE_CLICK,
    UserEventType.USER_EVENT_TYPE_CART,
    UserEventType.USER_EVENT_TYPE_PURCHASE,
)
PROBE = UserEvent(id="probe", user_id="probe", type=UserEventType.USER_EVENT_TYPE_SEARCH)
FOR_NOW = (
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
)
CALL_SECONDS = 5.0
PAUSE_SECONDS = 0.05


@dataclass(slots=True)
class Run:
    """What came about.

    Attributes:
        acknowledged: Id -> payload as the server gave it back, serialised.
        repeats: Acknowledgements that said "was there already": the first one had been lost.
        kept: Id -> how often the log holds it.
        users: Id -> who did it.
        altered: Acknowledged ids whose event in the log differs from what was acknowledged. The log
            names users by pseudonyms: one for each is right, and the same in all of the events.
        kills: Events acknowledged when each kill came.
        restart_seconds: From each kill to the next acknowledgement.
        seconds: Of writing, kills included.
    """

    acknowledged: dict[str, bytes] = field(default_factory=dict[str, bytes])
    users: dict[str, str] = field(default_factory=dict[str, str])
    repeats: int = 0
    kept: Counter[str] = field(default_factory=Counter[str])
    altered: int = 0
    kills: list[int] = field(default_factory=list[int])
    restart_seconds: list[float] = field(default_factory=list[float])
    seconds: float = 0.0
    _advanced: asyncio.Event = field(default_factory=asyncio.Event)

    def acknowledge(self, answer: UserEventServiceWriteResponse) -> None:
        """Notes an answer of the server."""
        event = answer.event
        self.users[event.id] = event.user_id
        self.acknowledged[event.id] = _without_user(event)
        self.repeats += answer.duplicate
        self._advanced.set()

    async def reaches(self, count: int) -> None:
        """Returns once that many events are acknowledged."""
        while len(self.acknowledged) < count:
            self._advanced.clear()
            await self._advanced.wait()

    @property
    def lost(self) -> int:
        """Acknowledged events that the log does not hold."""
        return sum(1 for event_id in self.acknowledged if not self.kept[event_id])

    @property
    def doubled(self) -> int:
        """Events that the log holds more than once."""
        return sum(1 for count in self.kept.values() if count > 1)


def events(count: int, seed: int) -> Iterator[UserEvent]:
    """Events of 2,000 users over 500 products, each with an id of its own."""
    chance = np.random.default_rng(seed)
    for number in range(count):
        event = UserEvent(
            id=f"event-{number:08}",
            type=KINDS[chance.integers(len(KINDS))],
            user_id=f"u{chance.integers(2000)}",
        )
        event.products.add(product_id=f"p{chance.integers(500)}", quantity=1)
        yield event


async def measure(count: int, kills: int, writers: int, seed: int, folder: Path) -> Run:
    """Writes `count` events, killing the server `kills` times on the way."""
    run, victim = Run(), Victim(folder)
    # Points of the run by acknowledged events; the moment inside a commit is chance.
    chance = np.random.default_rng(seed + 1)
    points = sorted(int(n) for n in chance.choice(np.arange(1, count), kills, replace=False))
    source = events(count, seed)
    await victim.start()
    began = time.perf_counter()
    with tqdm(total=count, unit="event", mininterval=1) as bar:
        async with open_channel(victim.target) as channel:
            stub = UserEventServiceStub(channel)
            work = [asyncio.create_task(_write(stub, source, run, bar)) for _ in range(writers)]
            for point in points:
                await run.reaches(point)
                await _kill_and_restart(victim, run, count)
            await asyncio.gather(*work)
    run.seconds = time.perf_counter() - began
    # Once more, so that what is read comes from the disk alone.
    await victim.kill()
    await victim.start()
    try:
        async with open_channel(victim.target) as channel:
            await opened(UserEventServiceStub(channel))
            await read_log(EventLogServiceStub(channel), run)
    finally:
        await victim.kill()
    return run


async def _write(
    stub: UserEventServiceStub, source: Iterator[UserEvent], run: Run, bar: tqdm[None]
) -> None:
    for event in source:
        request = UserEventServiceWriteRequest(event=event)
        for attempt in itertools.count():
            try:
                answer = await stub.Write(request, timeout=CALL_SECONDS, wait_for_ready=True)
            except grpc.aio.AioRpcError as error:
                if error.code() not in FOR_NOW:
                    raise
                await asyncio.sleep(PAUSE_SECONDS * min(attempt + 1, 10))
                continue
            run.acknowledge(answer)
            bar.update()
            break


async def _kill_and_restart(victim: Victim, run: Run, count: int) -> None:
    await victim.kill()
    acknowledged = len(run.acknowledged)
    run.kills.append(acknowledged)
    began = time.perf_counter()
    await victim.start()
    await run.reaches(min(count, acknowledged + 1))
    run.restart_seconds.append(time.perf_counter() - began)


async def opened(stub: UserEventServiceStub) -> None:
    """Waits until the log takes events: one that is no part of the run tells."""
    while True:
        try:
            await stub.Write(
                UserEventServiceWriteRequest(event=PROBE),
                timeout=CALL_SECONDS,
                wait_for_ready=True,
            )
        except grpc.aio.AioRpcError as error:
            if error.code() not in FOR_NOW:
                raise
            await asyncio.sleep(PAUSE_SECONDS)
        else:
            return


async def read_log(stub: EventLogServiceStub, run: Run) -> None:
    """Reads the whole log, and compares it with what was acknowledged."""
    names: dict[str, str] = {}
    async for piece in stub.Follow(FollowRequest(), timeout=120, wait_for_ready=True):
        for event in piece.events:
            if event.id != PROBE.id:
                run.kept[event.id] += 1
            sent = run.acknowledged.get(event.id)
            if sent is None:
                continue
            name = names.setdefault(run.users[event.id], event.user_id)
            run.altered += name != event.user_id or sent != _without_user(event)
        if piece.sequence >= piece.last_sequence:
            break
    if len(set(names.values())) < len(names):
        raise RuntimeError("two users have one pseudonym")


def _without_user(event: UserEvent) -> bytes:
    rest = UserEvent()
    rest.CopyFrom(event)
    rest.ClearField("user_id")
    return rest.SerializeToString(deterministic=True)


def section(run: Run, arguments: argparse.Namespace) -> str:
    """The section of RESULTS.md."""
    restart = sorted(run.restart_seconds)
    rows = figures([run], "kill -9")
    if restart:
        rows.append(
            [
                "from a kill to the next acknowledgement, median / longest",
                f"{restart[len(restart) // 2]:.1f} / {restart[-1]:.1f} s",
            ]
        )
    return (
        "## Events under kill -9\n\n"
        f"{provenance('event_durability', arguments)}\n\n{report.table(['', 'figure'], rows)}\n\n"
        "The orchestrator is killed at random points of a run of single writes; writers send again,"
        " under the same id, what was not acknowledged. The log is read after one more kill and"
        " compared with what was acknowledged, event by event."
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the measurement; returns 1 where an event was lost, doubled or altered."""
    arguments = read_options(
        argv,
        __doc__,
        "python -m benchmarks.event_durability --events 5000 --kills 3 --dry-run",
        events=100_000,
        kills=20,
    )
    run = measured(measure, arguments)
    return tell([run], "event-durability", section(run, arguments), arguments)


if __name__ == "__main__":
    sys.exit(main())
