"""What is held of one user in the log: found, erased, and what they refuse."""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from services.orchestrator.event_files.desk import Holding
from services.orchestrator.event_files.sealed_log import StoredEvent
from services.orchestrator.event_files.subjects import Subject
from services.orchestrator.event_stream.link import Bytes
from services.orchestrator.event_stream.session import TRIES, LogSession
from services.orchestrator.event_stream.wiper import Wiper
from shared.errors import UnavailableError
from shared.privacy.actors import actor_of, actors_named
from wherefore.common.v1.user_profile_pb2 import UserContext

_PAGE: Final = 500
_ALWAYS: Final = 9e99
"""A time after every erasure."""


class People:
    """Looks after users of a log in Redis.

    Args:
        session: Of the log.
        wiper: Told of erasures.
    """

    def __init__(self, session: LogSession, wiper: Wiper) -> None:
        self._session = session
        self._wiper = wiper

    async def holding(self, user: UserContext) -> Holding:
        """See `EventStore.holding`."""
        actors = await self._actors(user)
        return Holding(actors, tuple(subject for subject, _ in await self._find(actors)))

    async def of(self, holding: Holding, after: int, limit: int) -> list[StoredEvent]:
        """See `EventStore.of`."""
        return await self._events(holding.subject_ids, after, limit)

    async def count(self, holding: Holding) -> int:
        """See `EventStore.count`."""
        found = await self._find([subject.actor for subject in holding.subjects])
        return sum(count for _, count in found)

    async def refused(self, actor: str) -> int:
        """See `EventStore.refused`."""
        found = await self._find([actor])
        return found[0][0].refused if found else 0

    async def erase(self, user: UserContext) -> tuple[Holding, list[StoredEvent]]:
        """See `EventStore.erase`."""
        session = self._session
        gone: dict[int, StoredEvent] = {}
        subjects: dict[int, Subject] = {}
        for _ in range(TRIES):
            log_id = session.log_id
            actors = await self._actors(user)
            found = await self._find(actors)
            async for stored in self._all([subject.id for subject, _ in found]):
                gone[stored.sequence] = stored
            subjects |= {subject.id: subject for subject, _ in found}
            answer = await session.acknowledge("erase", log_id, self._erasure(actors, found))
            if answer[0] == b"ok":
                session.roster.forget(subjects)
                session.place.advance(answer[1])
                self._wiper.want()
                return Holding(actors, tuple(subjects.values())), list(gone.values())
            # They did something meanwhile, which may name another visit of theirs.
        raise UnavailableError("the user to erase does something all the time")

    async def refuse(self, user: UserContext, refused: int) -> tuple[Holding, Mapping[int, int]]:
        """See `EventStore.refuse`."""
        session = self._session
        actors = tuple(actors_named(user))
        for _ in range(TRIES):
            log_id = session.log_id
            subjects = list((await session.subjects(dict.fromkeys(actors, _ALWAYS))).values())
            told = (part for subject in subjects for part in self._told(subject))
            answer = await session.acknowledge("refuse", log_id, (refused, *told))
            if answer[0] != b"ok":
                session.roster.forget(map(int, answer[1:]))
                continue
            session.place.advance(answer[1])
            newly = {subject.id: more for subject, more in zip(subjects, answer[2], strict=True)}
            return Holding(actors, tuple(subjects)), newly
        raise UnavailableError("the user is erased all the time")

    def _told(self, subject: Subject) -> tuple[Bytes, ...]:
        return subject.id, self._session.vault.alias(subject.actor), int(subject.is_user)

    def _erasure(
        self, actors: Sequence[str], found: Sequence[tuple[Subject, int]]
    ) -> Iterator[Bytes]:
        yield repr(time.time())
        yield len(actors)
        yield from (self._session.vault.erased_digest(actor) for actor in actors)
        for subject, count in found:
            yield from (*self._told(subject), count)

    async def _actors(self, user: UserContext) -> tuple[str, ...]:
        """Returns who a user is in the log: themselves, and the visits that their events name."""
        named = dict.fromkeys(actors_named(user))
        if user.user_id and (found := await self._find([actor_of(user.user_id, "")])):
            async for stored in self._all([found[0][0].id]):
                if stored.event.session_id:
                    named[actor_of("", stored.event.session_id)] = None
        return tuple(named)

    async def _find(self, actors: Sequence[str]) -> list[tuple[Subject, int]]:
        """Returns those that the log knows, with how many events they have."""
        session = self._session
        answer = await session.read("locate", lambda: map(session.vault.alias, actors))
        taken = ((session.roster.take(session.vault, e), e[3]) for e in answer[1] if e is not None)
        return [(subject, count) for subject, count in taken if subject is not None]

    async def _events(
        self, subject_ids: Iterable[int], after: int, limit: int
    ) -> list[StoredEvent]:
        wanted = list(subject_ids)
        if not wanted:
            return []
        answer = await self._session.read("of", lambda: (after, limit, *wanted))
        return self._session.opened(answer[1], answer[2])

    async def _all(self, subject_ids: Sequence[int]):
        place = 0
        while page := await self._events(subject_ids, place, _PAGE):
            for stored in page:
                yield stored
            place = page[-1].sequence
