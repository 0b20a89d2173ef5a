"""One call of a load: sent, timed and counted."""

from __future__ import annotations

import time

import grpc
import grpc.aio

from benchmarks.load.calls import Send
from benchmarks.load.measured import Measured

_SHED = grpc.StatusCode.RESOURCE_EXHAUSTED
_LATE = grpc.StatusCode.DEADLINE_EXCEEDED


async def send(
    call: Send, channel: grpc.aio.Channel, due: float, deadline: float, into: Measured
) -> None:
    """Sends a call and counts what became of it.

    Args:
        call: What to send.
        channel: Over which.
        due: When it was to be sent, on `time.perf_counter`. Its latency counts from then, so that
            a generator or a service that falls behind cannot hide it (coordinated omission).
        deadline: Seconds from `due` within which the answer is wanted.
        into: Where it is counted.
    """
    sent = time.perf_counter()
    into.sent_late.add(sent - due)
    remaining = deadline - (sent - due)
    if remaining <= 0:
        into.codes["not sent"] += 1
        _late(into, sent - due, deadline)
        return
    try:
        response = await call(channel, remaining)
    except grpc.aio.AioRpcError as error:
        ended = time.perf_counter()
        code = error.code()
        into.codes[code.name] += 1
        if code is _SHED:
            into.outcomes["shed"] += 1
            into.shed.add(ended - sent)
        elif code is _LATE:
            _late(into, ended - due, deadline)
        else:
            into.outcomes["failed"] += 1
        return
    took = time.perf_counter() - due
    into.codes["OK"] += 1
    if took > deadline:  # the timer of the call and its answer crossed
        _late(into, took, deadline)
        return
    into.answered.add(took)
    into.admitted.add(took)
    parts = {lost.stage for lost in getattr(response, "degraded", ())}
    into.outcomes["degraded" if parts else "whole"] += 1
    into.without.update(parts)


def _late(into: Measured, took: float, deadline: float) -> None:
    into.outcomes["late"] += 1
    into.admitted.add(max(took, deadline))
