"""Who did it and when, as the log has it."""

from wherefore.common.v1.user_event_pb2 import UserEvent


def actor_of(user_id: str, session_id: str) -> str:
    """Returns the key under which a user's or a visitor's events are found; empty for nobody.

    The kind is part of it, so that a session called like a user is not that user.
    """
    if user_id:
        return f"u:{user_id}"
    return f"s:{session_id}" if session_id else ""


def event_seconds(event: UserEvent) -> float:
    """Returns when an event happened, in seconds since 1970."""
    return event.event_time.seconds + event.event_time.nanos * 1e-9
