"""Reads and writes sealed events. One instance for each thread."""

import secrets
import sqlite3
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from google.protobuf.message import DecodeError
from prometheus_client import Counter

from services.orchestrator.event_files.subjects import Subject, Subjects
from services.orchestrator.event_files.vault import DIGEST_BYTES, Vault
from services.orchestrator.purposes import mask_of
from shared.privacy.actors import actor_of, event_seconds
from shared.privacy.sealing import UnsealError
from wherefore.common.v1.user_event_pb2 import UserEvent

UNREADABLE: Final = Counter(
    "wherefore_events_unreadable_total", "Rows of the log of events that did not open when read."
)
_ROW: Final = "SELECT sequence, id, subject, payload FROM sealed_events"


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event, and what became of it.

    Attributes:
        event: As it is kept; where an id was there before, the event that has it.
        duplicate: Whether one of its id was there before.
        refused: Purposes that it must not be used for, as by `purposes.mask_of`.
        sequence: Its place in the log; 0 where it was not written.
        erased: Whether it was not written, as it is from before its user's erasure.
    """

    event: UserEvent
    duplicate: bool
    refused: int = 0
    sequence: int = 0
    erased: bool = False


@dataclass(frozen=True, slots=True)
class Forgotten:
    """An actor of whom followers must forget what they learnt, for some purposes."""

    alias: str
    is_user: bool
    purposes: int


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of the log, in order.

    Attributes:
        events: With what they must not be used for.
        forgotten: Before the events.
        sequence: Place up to which the log was read.
    """

    events: list[StoredEvent] = field(default_factory=list[StoredEvent])
    forgotten: list[Forgotten] = field(default_factory=list[Forgotten])
    sequence: int = 0


class SealedLog:
    """The tables of events.

    Args:
        connection: To both files.
        subjects: Of this thread.
        vault: Loaded.
    """

    def __init__(self, connection: sqlite3.Connection, subjects: Subjects, vault: Vault) -> None:
        self._connection = connection
        self._subjects = subjects
        self._vault = vault

    def append(self, groups: Sequence[Sequence[UserEvent]]) -> list[list[StoredEvent]]:
        """Writes events, in one transaction beside that of new keys. Durable when it returns."""
        events = [event for group in groups for event in group]
        self._subjects.make(actor_of(e.user_id, e.session_id) for e in events if not self._late(e))
        with self._connection:
            return [[self._insert(event) for event in group] for group in groups]

    def recent(self, actor: str, limit: int) -> list[StoredEvent]:
        """Returns an actor's events, newest first; of one time, in an order of their ids."""
        subject = self._subjects.find(actor)
        if subject is None:
            return []
        rows = self._connection.execute(
            f"{_ROW} WHERE subject = ? ORDER BY at DESC, id DESC LIMIT ?", (subject.id, limit)
        )
        # Hashes of ids are of this log alone: another log of the same events has the same order.
        newest = self._events(rows)
        return sorted(newest, key=lambda e: (event_seconds(e.event), e.event.id), reverse=True)

    def since(
        self, at: float, after: bytes, limit: int
    ) -> tuple[list[StoredEvent], tuple[float, bytes] | None]:
        """Returns events behind a time and, of that time, an id; and where the next ones begin."""
        rows = self._connection.execute(
            "SELECT sequence, id, subject, payload, at FROM sealed_events"
            " WHERE (at, id) > (?, ?) ORDER BY at, id LIMIT ?",
            (at, after, limit),
        ).fetchall()
        following = (rows[-1][4], rows[-1][1]) if len(rows) == limit else None
        return self._events(row[:4] for row in rows), following

    def after(self, sequence: int, limit: int) -> Piece:
        """Returns what is behind a place in the log."""
        with self._reading():
            last = self.last_sequence()
            rows = self._connection.execute(
                f"{_ROW} WHERE sequence > ? ORDER BY sequence LIMIT ?", (sequence, limit)
            ).fetchall()
            # The last ones may be gone again: the place is behind them all the same.
            place = rows[-1][0] if len(rows) == limit else max(last, sequence)
            forgotten = self._connection.execute(
                "SELECT alias, is_user, purposes FROM forgotten"
                " WHERE sequence > ? AND sequence <= ? ORDER BY sequence",
                (sequence, place),
            ).fetchall()
        gone = [Forgotten(alias.hex(), bool(user), mask) for alias, user, mask in forgotten]
        return Piece(self._events(rows), gone, place)

    def of_subject(self, subject: Subject, after: int, limit: int) -> list[StoredEvent]:
        """Returns events of a subject behind a place, in the order of the log."""
        rows = self._connection.execute(
            f"{_ROW} WHERE subject = ? AND sequence > ? ORDER BY sequence LIMIT ?",
            (subject.id, after, limit),
        )
        return self._events(rows)

    def count(self, subject_ids: Iterable[int]) -> int:
        """Returns how many rows there are of subjects."""
        count = "SELECT COUNT(*) FROM sealed_events WHERE subject = ?"
        return sum(self._connection.execute(count, (i,)).fetchone()[0] for i in subject_ids)

    def delete_before(self, at: float, limit: int) -> list[StoredEvent] | None:
        """Deletes the oldest events before a time; None when there were none left."""
        rows = self._connection.execute(
            f"{_ROW} WHERE at < ? ORDER BY at, id LIMIT ?", (at, limit)
        ).fetchall()
        if not rows:
            return None
        gone = self._events(rows)
        with self._connection:
            self._connection.executemany(
                "DELETE FROM sealed_events WHERE sequence = ?", ((row[0],) for row in rows)
            )
        return gone

    def finish_erasures(self) -> None:
        """Deletes the events of subjects whose keys were destroyed, and tells followers."""
        rows = self._connection.execute(
            "SELECT subject, alias, is_user FROM keys.unfinished"
        ).fetchall()
        if not rows:
            return
        with self._connection:
            for subject_id, alias, is_user in rows:
                self._connection.execute(
                    "DELETE FROM sealed_events WHERE subject = ?", (subject_id,)
                )
                self.tell_forgotten(alias, is_user=bool(is_user), purposes=0)
        with self._connection:
            self._connection.executemany(
                "DELETE FROM keys.unfinished WHERE subject = ?", ((row[0],) for row in rows)
            )

    def tell_forgotten(self, alias: bytes, *, is_user: bool, purposes: int) -> None:
        """Tells followers to forget an actor, inside the caller's transaction.

        Args:
            alias: As followers know the actor.
            is_user: Whether it is a user, not a visit.
            purposes: For which; 0 for all.
        """
        self._connection.execute(
            "INSERT INTO forgotten VALUES (?, ?, ?, ?)",
            (self._draw_place(), alias, is_user, purposes),
        )

    def last_sequence(self) -> int:
        """Returns the last place given out; 0 for none."""
        row = self._connection.execute(
            "SELECT seq FROM sqlite_sequence WHERE name = 'sealed_events'"
        ).fetchone()
        return row[0] if row else 0

    def log_id(self, *, new: bool = False) -> str:
        """Returns the id of the log, made where there is none.

        Args:
            new: Whether to take another one, so that all followers learn anew.
        """
        row = self._connection.execute("SELECT id FROM log").fetchone()
        if row is None or new:
            row = (uuid.uuid4().hex,)
            with self._connection:
                self._connection.execute("DELETE FROM log")
                self._connection.execute("INSERT INTO log VALUES (?)", row)
                if new:
                    self._draw_place()  # so that followers wake up and see it
                    # Whoever learns anew has nothing to forget.
                    self._connection.execute("DELETE FROM forgotten")
        return row[0]

    def _draw_place(self) -> int | None:
        """Takes a place of the log that no event has, inside the caller's transaction."""
        place = self._connection.execute(
            "INSERT INTO sealed_events (id, subject, at, payload) VALUES (?, 0, 0, x'')",
            (secrets.token_bytes(2 * DIGEST_BYTES),),
        ).lastrowid
        self._connection.execute("DELETE FROM sealed_events WHERE sequence = ?", (place,))
        return place

    def _insert(self, event: UserEvent) -> StoredEvent:
        if self._late(event):
            return StoredEvent(event, duplicate=False, erased=True)
        subject = self._subjects.find(actor_of(event.user_id, event.session_id))
        if subject is None:
            raise RuntimeError("an event came without its subject")
        refused = subject.refused | mask_of(event.refused_purposes)
        digest = self._vault.event_digest(event.id)
        # Not by INSERT OR IGNORE, which takes a place of the log all the same.
        known = self._connection.execute(f"{_ROW} WHERE id = ?", (digest,)).fetchall()
        if known:
            found = self._events(known)
            return StoredEvent(found[0].event if found else event, True, refused)
        payload = subject.key.seal(event.SerializeToString(), digest)
        place = self._connection.execute(
            "INSERT INTO sealed_events (id, subject, at, payload) VALUES (?, ?, ?, ?)",
            (digest, subject.id, event_seconds(event), payload),
        ).lastrowid
        return StoredEvent(event, False, refused, place or 0)

    def _late(self, event: UserEvent) -> bool:
        actor = actor_of(event.user_id, event.session_id)
        return event_seconds(event) <= self._subjects.erased_at(actor)

    def _events(self, rows: Iterable[tuple[int, bytes, int, bytes]]) -> list[StoredEvent]:
        """Opens rows; those that do not open are counted and left out."""
        opened: list[StoredEvent] = []
        for sequence, digest, subject_id, payload in rows:
            subject = self._subjects.of_id(subject_id)
            try:
                if subject is None:
                    raise UnsealError("no key")  # noqa: TRY301 - one place that counts
                event = UserEvent.FromString(subject.key.open(payload, digest))
            except (UnsealError, DecodeError):
                UNREADABLE.inc()
                continue
            refused = subject.refused | mask_of(event.refused_purposes)
            opened.append(StoredEvent(event, False, refused, sequence))
        return opened

    def _reading(self) -> "_Snapshot":
        return _Snapshot(self._connection.execute)


class _Snapshot:
    """A transaction that reads: its statements see one state."""

    def __init__(self, execute: Callable[[str], object]) -> None:
        self._execute = execute

    def __enter__(self) -> None:
        self._execute("BEGIN")

    def __exit__(self, *_: object) -> None:
        self._execute("ROLLBACK")
