"""Queues of one station, from the field's standard approximations.

Utilisation law: a station whose calls need `service` seconds of it, of which `rate` come a second,
is busy for rate x service / servers of the time (Denning and Buzen, "The operational analysis of
queueing network models", ACM Computing Surveys 10(3), 1978).

Waits: Allen-Cunneen for G/G/c (Allen, "Probability, Statistics, and Queueing Theory", 2nd ed.,
1990, section 5.4), which for Poisson arrivals and one server is Pollaczek-Khinchine and exact.
Who waits at all waits exponentially long, about: exact for M/M/c, the heavy-traffic limit of G/G/c
(Kingman, "The heavy traffic approximation in the theory of queues", 1965).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Wait:
    """What a call waits at a station before it is served."""

    probability: float
    """That it waits at all."""
    mean_ms: float
    """Of all calls, those that do not wait included."""

    @property
    def mean_if_any_ms(self) -> float:
        """Of those that wait."""
        return self.mean_ms / self.probability if self.probability > 0 else 0.0


NO_WAIT: Final = Wait(0.0, 0.0)


def erlang_c(servers: int, load: float) -> float:
    """Returns the probability that a call of M/M/c waits.

    Args:
        servers: How many.
        load: Calls a second times seconds of service (erlangs), below `servers`.
    """
    # Erlang B by its recursion, which neither overflows nor loses digits.
    blocked = 1.0
    for number in range(1, servers + 1):
        blocked = load * blocked / (number + load * blocked)
    busy = load / servers
    return blocked / (1 - busy + busy * blocked)


def wait(
    rate: float, service_ms: float, servers: int, scv: float, arrival_scv: float = 1.0
) -> Wait:
    """Returns the wait at a station with one queue before its servers.

    Args:
        rate: Calls a second.
        service_ms: Milliseconds that a call keeps a server, on average.
        servers: How many.
        scv: Squared coefficient of variation of the time of service.
        arrival_scv: The same of the time between arrivals; 1 of a Poisson process.

    Returns:
        The wait; an endless one where more comes than can be served.
    """
    load = rate * service_ms / 1e3
    if load >= servers:
        return Wait(1.0, math.inf)
    if load <= 0:
        return NO_WAIT
    probability = erlang_c(servers, load)
    exponential = probability * service_ms / (servers - load)
    return Wait(probability, exponential * (scv + arrival_scv) / 2)
