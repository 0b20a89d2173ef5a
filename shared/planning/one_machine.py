"""What a whole suite on one machine can answer: all processes share its processors.

Mean value analysis of a closed network with one queue, the processors (Reiser and Lavenberg, "Mean-
value analysis of closed multichain queueing networks", JACM 27(2), 1980), several of them as
Seidmann et al. approximate them ("Computerized closed queueing network models of flexible
manufacturing systems", Large Scale Systems 12, 1987): one that is as much faster, and a delay.

Calls also wait for what is no processor: for each other's threads of one process, mostly. That
grows with the others in flight, as the contention of Gunther's universal scalability law does
("Guerrilla Capacity Planning", Springer 2007), so the delay is a line through two measurements.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_HALVINGS: Final = 60


def answers_per_second(
    cpu_ms: Mapping[str, float], clients: int, cores: int, delay_ms: float = 0.0
) -> float:
    """Returns the answers a second of so many clients, each of which waits for its answer.

    Args:
        cpu_ms: Processor time of an answer by process, the clients' own included.
        clients: How many.
        cores: Processors of the machine.
        delay_ms: Time of an answer that no processor works on.
    """
    work = sum(cpu_ms.values()) / 1e3
    fast, slow = work / cores, work * (cores - 1) / cores + delay_ms / 1e3
    queued, rate = 0.0, 0.0
    for count in range(1, clients + 1):
        there = fast * (1 + queued)
        rate = count / (slow + there)
        queued = rate * there
    return rate


def delay_ms(
    cpu_ms: Mapping[str, float],
    clients: int,
    cores: int,
    rate: float,
    *,
    alone_ms: float,
    others: int,
) -> float:
    """Returns the time of an answer that no processor works on, by what one and some clients got.

    Args:
        cpu_ms: As of `answers_per_second`.
        clients: How many got `rate`; 2 or more.
        cores: Processors of the machine.
        rate: Answers a second that they got.
        alone_ms: Time of an answer to a single client.
        others: How many clients there are beside the one that waits.
    """
    alone = max(0.0, alone_ms - sum(cpu_ms.values()))
    among = _delay_among(cpu_ms, clients, cores, rate)
    return max(0.0, alone + (among - alone) * others / (clients - 1))


def _delay_among(cpu_ms: Mapping[str, float], clients: int, cores: int, rate: float) -> float:
    # 0 where they got more than without any.
    least, most = 0.0, 1e3 * clients / rate
    for _ in range(_HALVINGS):
        middle = (least + most) / 2
        if answers_per_second(cpu_ms, clients, cores, middle) > rate:
            least = middle
        else:
            most = middle
    return least
