"""Where user events are kept: the port, whose adapters are sealed files and Redis streams."""

import hashlib
import secrets
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Final, Protocol

from services.orchestrator.event_files.desk import Holding
from services.orchestrator.event_files.sealed_log import Forgotten, Piece, StoredEvent
from services.orchestrator.log_place import LogPlace
from shared.privacy.actors import actor_of, event_seconds
from wherefore.common.v1.user_event_pb2 import UserEvent
from wherefore.common.v1.user_profile_pb2 import UserContext

__all__ = [
    "EventStore",
    "Forgotten",
    "Holding",
    "LogPlace",
    "Piece",
    "StoredEvent",
    "actor_hash",
    "actor_of",
    "age_seconds",
    "event_seconds",
]

_HASH_KEY: Final = secrets.token_bytes(16)


class EventStore(Protocol):
    """Keeps events. What `append` returns is durable and seen by the next `recent`.

    All that asks the log raises UnavailableError where it cannot be read or written; what was
    begun then may be done or not, and may be asked again.
    """

    @property
    def shared(self) -> bool:
        """Whether other processes write to the log too. What they do is told by `after` alone."""
        ...

    @property
    def place(self) -> LogPlace:
        """The end of the log."""
        ...

    @property
    def problem(self) -> str:
        """Why nothing can be written, and counts may be old; empty while all is well."""
        ...

    @property
    def log_id(self) -> str:
        """Id of the log, from `open` on; one that was thrown away and begun anew has another."""
        ...

    async def open(self) -> None:
        """Opens the log, made where there is none; finishes erasures that were begun.

        Raises:
            ValueError: The key file does not open it, or is none; or it would not be durable.
            OSError: The key file cannot be read.
            UnavailableError: It cannot be reached, or is damaged; may be tried again.
        """
        ...

    async def append(self, events: Sequence[UserEvent]) -> list[StoredEvent]:
        """Writes events, in order; an id that is there already is left as it is."""
        ...

    async def recent(self, actor: str, limit: int) -> list[UserEvent]:
        """Returns an actor's events, newest first, of those that may personalise answers."""
        ...

    def since(self, at: float) -> AsyncIterator[StoredEvent]:
        """Yields all events from `at` (seconds since 1970) on, oldest first."""
        ...

    async def after(self, sequence: int, limit: int) -> Piece:
        """Returns the events behind a place in the log, in order, and the place reached."""
        ...

    async def holding(self, user: UserContext) -> Holding:
        """Returns whom the log knows of a user, with the visits that their events name."""
        ...

    async def of(self, holding: Holding, after: int, limit: int) -> list[StoredEvent]:
        """Returns events of who is held, behind a place, in the order of the log."""
        ...

    async def erase(self, user: UserContext) -> tuple[Holding, list[StoredEvent]]:
        """Erases who is held of a user; returns them with their events.

        Durable when it returns; done again it finds nothing.
        """
        ...

    async def count(self, holding: Holding) -> int:
        """Returns how many events there are of who is held, damaged ones included."""
        ...

    async def refused(self, actor: str) -> int:
        """Returns what an actor refuses, as a mask."""
        ...

    async def refuse(self, user: UserContext, refused: int) -> tuple[Holding, Mapping[int, int]]:
        """Sets what a user refuses, as a mask.

        Returns:
            Who it is, and by id of the subject what it refuses newly.
        """
        ...

    async def delete_before(self, at: float, limit: int) -> list[StoredEvent] | None:
        """Deletes the oldest events before a time and returns them; None when none were left."""
        ...

    async def tidy(self, erased_before: float, *, renew_log: bool) -> None:
        """Ends a sweep: drops keys of nobody, and wipes what deletions left.

        Args:
            erased_before: Erasures of before, in seconds since 1970, need not be known any more.
            renew_log: Whether followers are to learn anew, without what was deleted.
        """
        ...

    async def begin_epoch(self, oldest_seconds: float) -> bool:
        """Gives all a new alias if those in use are older; returns whether it did."""
        ...

    def alias(self, user: UserContext) -> UserContext:
        """Returns a user under the pseudonyms that followers of the log know."""
        ...

    async def close(self) -> None:
        """Closes the store."""
        ...


def actor_hash(actor: str) -> bytes:
    """Returns 8 bytes that tell an actor from others, for counts that need not know who it is.

    Keyed anew in every process: they say nothing outside of it.
    """
    return hashlib.blake2b(actor.encode(), digest_size=8, key=_HASH_KEY).digest()


def age_seconds(event: UserEvent, now: float | None = None) -> float:
    """Returns how long ago an event happened, at least 0."""
    return max(0.0, (time.time() if now is None else now) - event_seconds(event))
