"""A pool: replicas of one service, the load on them and what it makes of a call's time."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from shared.planning.demand import Demand
from shared.planning.queueing import Wait, wait

ZONE_LOST_BUSY: Final = 0.9
"""How busy the replicas that are left may be while a zone is lost."""
FOLLOWS_MOST: Final = 0.5
"""Most of a replica that following the log of events may take: every replica reads all of it."""


@dataclass(frozen=True, slots=True)
class Load:
    """What comes to all replicas of a pool together."""

    pool: str
    rate: float
    """Visits a second."""
    service_ms: float
    """Of a visit, on average."""
    scv: float
    """Squared coefficient of variation of that."""
    width: float = 1.0
    """Processors that a server is."""
    follows: float = 0.0
    """Share of a processor that each replica needs for the log of events, whoever is asked what."""

    @property
    def stretched_ms(self) -> float:
        """Service, stretched by what each replica does for the log of events."""
        return self.service_ms / (1 - self.follows)


@dataclass(frozen=True, slots=True)
class Pool:
    """A sized pool."""

    load: Load
    replicas: int
    cores: float
    """Processors of a replica."""

    @property
    def servers(self) -> int:
        """Calls that a replica serves at once."""
        return max(1, int(self.cores / self.load.width + 1e-9))

    @property
    def busy(self) -> float:
        """Share of the time that a server is busy."""
        return self.load.rate * self.load.stretched_ms / 1e3 / (self.replicas * self.servers)

    def wait(self, replicas: int | None = None) -> Wait:
        """Returns the wait of a call, by the load that one replica gets.

        Many callers that go round the replicas in turn, each from its own place, make the
        arrivals at one of them a Poisson process, nearly; the queue is the replica's own.
        """
        rate = self.load.rate / (replicas or self.replicas)
        return wait(rate, self.load.stretched_ms, self.servers, self.load.scv)


def loads(
    demand: Demand, qps: float, events: float, event_ms: Mapping[str, float]
) -> dict[str, Load]:
    """Returns the load of every pool but the index.

    Args:
        demand: What searches ask.
        qps: Searches a second.
        events: User events a second.
        event_ms: Processor time of an event by process, milliseconds.
    """
    # Each process that follows the log does what recommend does for an event; the rest of the
    # orchestrator's time is the write, which one of them does.
    follows = events * event_ms.get("recommend", 0.0) / 1e3
    write_ms = max(0.0, event_ms.get("orchestrator", 0.0) - event_ms.get("recommend", 0.0))
    sums: dict[str, list[float]] = {}
    entries = [
        (qps * share, v.pool, v.service_ms, v.width, scv) for share, v, scv in demand.visits()
    ]
    if events > 0 and write_ms > 0:
        entries.append((events, "orchestrator", write_ms, 1.0, 1.0))
    for rate, pool, service, width, scv in entries:
        into = sums.setdefault(pool, [0.0, 0.0, 0.0, 0.0])
        into[0] += rate
        into[1] += rate * service
        into[2] += rate * service**2 * (1 + scv)
        into[3] += rate * service * width
    found: dict[str, Load] = {}
    for pool, (rate, first, second, work) in sums.items():
        if first <= 0:
            continue
        service = first / rate
        scv = max(0.0, second / rate / service**2 - 1)
        following = follows if pool in ("orchestrator", "recommend") else 0.0
        found[pool] = Load(pool, rate, service, scv, work / first, following)
    return found


def sized(load: Load, cores: float, busy_most: float, zones: int, least: int) -> Pool:
    """Returns the pool with as few replicas as keep it below a utilisation.

    With a zone lost the rest stay below ZONE_LOST_BUSY.

    Args:
        load: What comes to it; what it follows leaves room for it.
        cores: Processors of a replica.
        busy_most: Highest utilisation while all zones work.
        zones: Availability zones, over which replicas are spread evenly.
        least: Fewest replicas.
    """
    needed = Pool(load, 1, cores).busy
    count = max(least, math.ceil(needed / busy_most - 1e-9), 1)
    if zones > 1:
        while needed > ZONE_LOST_BUSY * left(count, zones):
            count += 1
    return Pool(load, count, cores)


def left(replicas: int, zones: int) -> int:
    """Returns the replicas that are left when the zone with most of them is lost."""
    return replicas - math.ceil(replicas / zones) if zones > 1 else replicas
