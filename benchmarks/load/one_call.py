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
        into.outcomes["late"] += 1
        into.codes["not sent"] += 1
        return
    try:
        response = await call(channel, remaining)
    except grpc.aio.AioRpcError as error:
        code = error.code()
        into.codes[code.name] += 1
        into.outcomes["shed" if code is _SHED else "late" if code is _LATE else "failed"] += 1
        if code is _SHED:
            into.shed.add(time.perf_counter() - sent)
        return
    into.codes["OK"] += 1
    into.answered.add(time.perf_counter() - due)
    into.outcomes["degraded" if getattr(response, "degraded", ()) else "whole"] += 1
