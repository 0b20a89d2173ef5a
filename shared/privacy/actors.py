"""Whose something is: the user, or the visit where nobody is signed in."""

from collections.abc import Iterator
from typing import Final

from wherefore.common.v1.user_event_pb2 import UserEvent
from wherefore.common.v1.user_profile_pb2 import UserContext

_USER: Final = "u:"
_VISIT: Final = "s:"


def actor_of(user_id: str, session_id: str) -> str:
    """Returns the key under which a user's or a visitor's data is found; empty for nobody.

    The kind is part of it, so that a session called like a user is not that user.
    """
    if user_id:
        return f"{_USER}{user_id}"
    return f"{_VISIT}{session_id}" if session_id else ""


def session_of(actor: str) -> str:
    """Returns the visit that a key is of; empty where it is a user's."""
    return actor[len(_VISIT) :] if actor.startswith(_VISIT) else ""


def actors_named(user: UserContext) -> Iterator[str]:
    """Yields the keys of the user and of the visit that a request names."""
    if user.user_id:
        yield actor_of(user.user_id, "")
    if user.session_id:
        yield actor_of("", user.session_id)


def event_seconds(event: UserEvent) -> float:
    """Returns when an event happened, in seconds since 1970."""
    return event.event_time.seconds + event.event_time.nanos * 1e-9
