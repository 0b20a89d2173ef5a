"""A discrete-event simulation of a plan: does it keep what the formulas promise?

Searches arrive one by one or in bursts, go through the same legs as the formulas know, choose a
replica for each visit, wait in its queue and fan out over the shards, all by chance from the
measured distributions. The formulas' approximations (independent waits, exponential tails, a node
that works on a search's shards as if they were one) are not made here. simpy runs the events.
"""

from __future__ import annotations

import math
import random
from bisect import bisect_right
from collections.abc import Callable, Generator
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

import simpy

from shared.planning.demand import SearchKind
from shared.planning.distribution import PROBABILITIES, mean
from shared.planning.plan import Deployment
from shared.planning.pools import Pool

Choice = Literal["round-robin", "random", "least-loaded"]
WARM_UP: Final = 0.2
"""Share of the searches that fill the queues and are not counted."""
_REPLICAS_OF_PART: Final = 3
_LATENCIES: Final = 8
"""So many times the 99th percentile lasts a simulation at least."""
_BURST_FACTOR: Final = 1.5
_BURST_SECONDS: Final = 1.0
_BEFORE_INDEX: Final = 2
"""The leg after which the shards are asked: the orchestrator's, understanding, retrieval's own."""
_Step = Generator[Any, Any, None]


@dataclass(slots=True)
class Simulated:
    """What a simulation found."""

    searches: int
    seconds: float
    """Of simulated time."""
    milliseconds: list[float] = field(default_factory=list[float])
    busy: dict[str, float] = field(default_factory=dict[str, float])
    """Utilisation by pool."""

    def percentile(self, percent: float) -> float:
        """Returns a percentile of the latency of searches, 0 to 100, milliseconds."""
        ordered = sorted(self.milliseconds)
        return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


class _Replicas:
    """Replicas of a pool, each with a queue of its own."""

    def __init__(
        self,
        env: simpy.Environment,
        pool: Pool,
        servers: int,
        choice: Choice,
        chance: random.Random,
    ) -> None:
        # simpy's own types leave out what a queue holds.
        self.queues: list[Any] = [simpy.Resource(env, servers) for _ in range(pool.replicas)]
        self.stretch = pool.load.stretched_ms / pool.load.service_ms
        self.held_ms = 0.0
        self.servers = servers * pool.replicas
        self._choice = choice
        self._chance = chance
        self._turn = 0

    def pick(self) -> Any:
        """Returns the replica that serves the next call.

        Least-loaded takes the better of two by chance, as balancers do that do not ask everybody
        (Mitzenmacher, "The power of two choices in randomized load balancing", 2001).
        """
        count = len(self.queues)
        if count == 1:
            return self.queues[0]
        if self._choice == "round-robin":
            self._turn = (self._turn + 1) % count
            return self.queues[self._turn]
        first = self.queues[self._chance.randrange(count)]
        if self._choice == "random":
            return first
        second = self.queues[self._chance.randrange(count)]
        return min(first, second, key=lambda queue: queue.count + len(queue.queue))


class Simulation:
    """One plan under simulated searches.

    Args:
        deployment: What is deployed.
        qps: Searches a second.
        choice: How a replica is chosen: `random` is what the formulas take for granted, many
            callers that take turns from places of their own.
        part: Simulate one part of so many: as much of every pool, and of the searches. What one
            replica gets stays the same, but for the rounding of their number.
        bursts: Whether searches come half as fast again in every other second.
        seed: Of all chance.
    """

    def __init__(
        self,
        deployment: Deployment,
        qps: float,
        *,
        choice: Choice = "random",
        part: int = 1,
        bursts: bool = False,
        seed: int = 1,
    ) -> None:
        self._chance = random.Random(seed)  # noqa: S311 - load, not secrets
        self._deployment = deployment
        self._qps, self._bursts = qps / part, bursts
        self._env = simpy.Environment()
        self._pools = {
            name: _Replicas(self._env, _part(pool, part), pool.servers, choice, self._chance)
            for name, pool in deployment.pools.items()
        }
        index = deployment.index
        self._nodes = [
            _Replicas(
                self._env,
                _part(index.pool, part),
                max(1, int(index.pool.cores / index.width)),
                choice,
                self._chance,
            )
            for _ in range(index.groups)
        ]
        self._done: list[float] = []

    def run(self, searches: int, tell: Callable[[int], None] = lambda _: None) -> Simulated:
        """Simulates so many searches, those that fill the queues included.

        Args:
            searches: How many.
            tell: Told of every search that is done, by the number of all that are.
        """
        env, first = self._env, int(searches * WARM_UP)

        def arrive() -> _Step:
            for number in range(searches):
                yield env.timeout(self._gap(env.now))
                env.process(self._search(self._kind(), number >= first, tell))

        env.process(arrive())
        env.run()
        found = Simulated(len(self._done), env.now / 1e3, self._done)
        for name, pool in self._pools.items():
            found.busy[name] = pool.held_ms / env.now / pool.servers
        held = sum(node.held_ms for node in self._nodes)
        found.busy["qdrant"] = held / env.now / sum(node.servers for node in self._nodes)
        return found

    def _gap(self, now: float) -> float:
        """Milliseconds to the next search."""
        rate = self._qps / 1e3
        if self._bursts:
            high = int(now / 1e3 / _BURST_SECONDS) % 2 == 0
            rate *= _BURST_FACTOR if high else 2 - _BURST_FACTOR
        return self._chance.expovariate(rate)

    def _kind(self) -> SearchKind:
        kinds = self._deployment.demand.kinds
        return self._chance.choices(kinds, [kind.share for kind in kinds])[0]

    def _search(self, kind: SearchKind, counted: bool, tell: Callable[[int], None]) -> _Step:
        env = self._env
        begun = env.now
        for visit in kind.aside:
            env.process(self._visit(visit.pool, self._chance.expovariate(1 / visit.service_ms)))
        for place, leg in enumerate(kind.legs):
            took = self._drawn(leg.quantiles)
            each = took / mean(leg.quantiles)
            for visit in leg.visits:
                if visit.service_ms > 0:
                    yield from self._visit(visit.pool, visit.service_ms * each)
            rest = took - each * sum(visit.service_ms for visit in leg.visits)
            yield env.timeout(max(0.0, rest))
            if place == _BEFORE_INDEX:
                yield from self._fan_out()
        if counted:
            self._done.append(env.now - begun)
        tell(len(self._done))

    def _visit(self, pool: str, milliseconds: float) -> _Step:
        replicas = self._pools[pool]
        held = milliseconds * replicas.stretch
        replicas.held_ms += held
        with replicas.pick().request() as turn:
            yield turn
            yield self._env.timeout(held)

    def _fan_out(self) -> _Step:
        index = self._deployment.index
        groups = self._nodes
        if index.asked < len(groups):
            groups = self._chance.sample(groups, index.asked)
        parts: list[simpy.Event] = []
        for group in groups:
            node = group.pick()
            for _ in range(index.shards_per_node):
                took = self._drawn(index.quantiles)
                group.held_ms += took
                parts.append(self._env.process(self._hold(node, took)))
        yield simpy.AllOf(self._env, parts)

    def _hold(self, node: Any, milliseconds: float) -> _Step:
        with node.request() as turn:
            yield turn
            yield self._env.timeout(milliseconds)

    def _drawn(self, quantiles: tuple[float, ...]) -> float:
        at = self._chance.random()
        place = min(bisect_right(PROBABILITIES, at), len(PROBABILITIES) - 1)
        low, high = PROBABILITIES[place - 1], PROBABILITIES[place]
        share = (at - low) / (high - low)
        return quantiles[place - 1] + share * (quantiles[place] - quantiles[place - 1])


def parts(deployment: Deployment) -> int:
    """Returns of how many parts one may be simulated: every pool keeps some replicas in it."""
    waited = {visit.pool for kind in deployment.demand.kinds for leg in kind.legs
              for visit in leg.visits if visit.service_ms > 0}  # fmt: skip
    fewest = min(deployment.pools[name].replicas for name in waited)
    return max(1, min(fewest, deployment.index.copies) // _REPLICAS_OF_PART)


def searches_needed(qps: float, p99_ms: float, part: int) -> int:
    """Returns the searches that a steady state needs: queues fill, and then are looked at."""
    return math.ceil(qps / part * _LATENCIES * p99_ms / 1e3)


def _part(pool: Pool, part: int) -> Pool:
    return replace(pool, replicas=max(1, round(pool.replicas / part)))
