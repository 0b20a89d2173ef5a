"""One thread's access to the log: its connection, and what it does in several steps."""

import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from services.orchestrator.event_files.files import connect, wipe_traces
from services.orchestrator.event_files.migration import seal_plain_events
from services.orchestrator.event_files.sealed_log import SealedLog, StoredEvent
from services.orchestrator.event_files.subjects import Subject, Subjects
from services.orchestrator.event_files.vault import Vault
from shared.privacy.actors import actor_of, actors_named
from shared.privacy.sealing import KeyRing
from wherefore.common.v1.user_event_pb2 import UserEvent
from wherefore.common.v1.user_profile_pb2 import UserContext

_PAGE: Final = 1_000
_log: structlog.stdlib.BoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Holding:
    """Of whom the log holds something: a user with the visits that their events name.

    Attributes:
        actors: All that were looked for, whether known or not.
        subjects: Those that are known.
    """

    actors: tuple[str, ...]
    subjects: tuple[Subject, ...]

    @property
    def subject_ids(self) -> list[int]:
        """Ids of the subjects."""
        return [subject.id for subject in self.subjects]

    @property
    def refused(self) -> int:
        """All that one of them refuses, as a mask."""
        mask = 0
        for subject in self.subjects:
            mask |= subject.refused
        return mask


class Desk:
    """What one thread does with the log. Make it with `open`, on the thread that writes."""

    def __init__(self, connection: sqlite3.Connection, vault: Vault, *, writes: bool) -> None:
        self._connection = connection
        self.vault = vault
        self.subjects = Subjects(connection, vault, writes=writes)
        self.log = SealedLog(connection, self.subjects, vault)

    @classmethod
    def open(cls, path: Path, ring: KeyRing) -> "Desk":
        """Opens the files for the thread that writes, and brings them up to date.

        Raises:
            sqlite3.Error: They are damaged.
            ValueError: The keys do not open them.
        """
        connection = connect(path)
        try:
            vault = Vault(ring)
            vault.load(connection)
            desk = cls(connection, vault, writes=True)
            desk.subjects.load()
            if count := seal_plain_events(connection, desk.log):
                _log.info("events_sealed", count=count)
            desk.log.finish_erasures()
            wipe_traces(connection)
        except BaseException:
            connection.close()
            raise
        return desk

    def second(self, path: Path) -> "Desk":
        """Opens them once more, for a thread that only reads."""
        return Desk(connect(path), self.vault, writes=False)

    def append(self, groups: Sequence[Sequence[UserEvent]]) -> tuple[list[list[StoredEvent]], int]:
        """Writes events; returns what became of them, and the last place of the log."""
        return self.log.append(groups), self.log.last_sequence()

    def place(self) -> tuple[str, int]:
        """Returns the id of the log and its last place."""
        return self.log.log_id(), self.log.last_sequence()

    def holding(self, user: UserContext) -> Holding:
        """Returns whom the log knows of a user."""
        named = dict.fromkeys(actors_named(user))
        if user.user_id and (subject := self.subjects.find(actor_of(user.user_id, ""))):
            for stored in self._all(subject):
                if stored.event.session_id:
                    named[actor_of("", stored.event.session_id)] = None
        found = (self.subjects.find(actor) for actor in named)
        return Holding(tuple(named), tuple(s for s in found if s is not None))

    def of(self, holding: Holding, after: int, limit: int) -> list[StoredEvent]:
        """Returns events of who is held behind a place, in the order of the log."""
        found = [e for s in holding.subjects for e in self.log.of_subject(s, after, limit)]
        return sorted(found, key=lambda stored: stored.sequence)[:limit]

    def erase(self, user: UserContext, at: float) -> tuple[Holding, list[StoredEvent]]:
        """Erases who is held of a user; returns them with their events, for counts in memory."""
        holding = self.holding(user)
        gone = [stored for subject in holding.subjects for stored in self._all(subject)]
        self.subjects.erase(holding.subjects, holding.actors, at)
        self.log.finish_erasures()
        return holding, gone

    def refuse(self, user: UserContext, refused: int) -> tuple[Holding, Mapping[int, int]]:
        """Sets what a user refuses; returns who it is, and what each subject refuses newly."""
        actors = tuple(actors_named(user))
        self.subjects.make(actors)
        subjects = tuple(s for s in map(self.subjects.find, actors) if s is not None)
        newly = {subject.id: refused & ~subject.refused for subject in subjects}
        with self._connection:
            for subject in subjects:
                self.subjects.refuse(subject, refused)
                if more := newly[subject.id]:
                    alias = self.vault.alias(subject.actor)
                    self.log.tell_forgotten(alias, is_user=subject.is_user, purposes=more)
        self.subjects.forget(newly)
        return Holding(actors, subjects), newly

    def tidy(self, erased_before: float, *, renew_log: bool) -> None:
        """See `SqliteEventStore.tidy`."""
        self.subjects.drop_empty()
        self.subjects.forget_erasures(erased_before)
        if renew_log:
            self.log.log_id(new=True)
        wipe_traces(self._connection)

    def begin_epoch(self, oldest_seconds: float) -> bool:
        """See `SqliteEventStore.begin_epoch`."""
        if time.time() - self.vault.epoch_began <= oldest_seconds:
            return False
        # First: a process that dies between the two comes back here.
        self.log.log_id(new=True)
        self.subjects.begin_epoch()
        _log.info("alias_epoch_began", epoch=self.vault.epoch)
        return True

    def wipe_traces(self) -> None:
        """See `files.wipe_traces`; what a reader holds back is wiped at the next occasion."""
        if not wipe_traces(self._connection):
            _log.info("traces_kept", reason="a reader is at work")

    def close(self) -> None:
        """Closes the connection."""
        self._connection.close()

    def _all(self, subject: Subject) -> Iterator[StoredEvent]:
        place = 0
        while page := self.log.of_subject(subject, place, _PAGE):
            yield from page
            place = page[-1].sequence
