"""The log of a running suite, read once from its start to its end."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

from shared.cli import failures

if TYPE_CHECKING:
    import grpc.aio

    from wherefore.common.v1.user_event_pb2 import DataPurpose
    from wherefore.orchestrator.v1.event_log_service_pb2 import FollowResponse


async def log_pieces(
    channel: grpc.aio.Channel,
    purpose: DataPurpose.ValueType,
    timeout: float,  # noqa: ASYNC109 - a gRPC deadline, kept by the call itself
) -> AsyncGenerator[FollowResponse]:
    """Yields the log piece by piece, to the end that it has when that is reached.

    Args:
        channel: To the orchestrator.
        purpose: What the events are wanted for: those of users who refuse it do not come.
        timeout: Seconds for all of it.
    """
    from wherefore.orchestrator.v1.event_log_service_pb2 import FollowRequest
    from wherefore.orchestrator.v1.event_log_service_pb2_grpc import EventLogServiceStub

    follow = EventLogServiceStub(channel).Follow(FollowRequest(purpose=purpose), timeout=timeout)
    try:
        async for response in follow:
            yield response
            if response.sequence >= response.last_sequence:
                break
            failures.say(f"{response.sequence:,} of {response.last_sequence:,} events")
    finally:
        follow.cancel()
