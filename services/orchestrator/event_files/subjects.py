"""Whom the log holds events of: a sealed key for each, without which nobody reads them."""

import math
import secrets
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from services.orchestrator.event_files.vault import Vault
from shared.privacy.sealing import KEY_BYTES, DataKey, UnsealError

_KEPT: Final = 100_000
"""Subjects in memory, at about 500 bytes each."""
_USER: Final = "u:"


@dataclass(slots=True)
class Subject:
    """A user or a visitor.

    Attributes:
        id: On disk; never given out again.
        actor: As by `actor_of`.
        key: Seals their events.
        refused: Purposes that they refuse, as by `purposes.mask_of`.
    """

    id: int
    actor: str
    key: DataKey
    refused: int

    @classmethod
    def of_text(cls, subject_id: int, text: bytes, refused: int) -> "Subject":
        """Returns a subject from what is kept of it, unsealed."""
        key = DataKey(text[:KEY_BYTES])
        return cls(subject_id, actor_in(text), key, refused)

    @property
    def is_user(self) -> bool:
        """Whether it is a user, not a visit."""
        return self.actor.startswith(_USER)


class Subjects:
    """Finds and makes subjects for one thread, which has its connection.

    Args:
        connection: To both files.
        vault: Loaded.
        writes: Whether this thread is the one that makes and erases subjects. No other may keep
            who is who: what it kept could be erased meanwhile.
    """

    def __init__(self, connection: sqlite3.Connection, vault: Vault, *, writes: bool) -> None:
        self._connection = connection
        self._vault = vault
        self._writes = writes
        self._by_actor: dict[str, Subject] = {}
        self._by_id: dict[int, Subject] = {}
        self._erased: dict[bytes, float] = {}

    def load(self) -> None:
        """Reads who was erased, and seals anew what is under an old key of the key file."""
        self._erased = dict(self._connection.execute("SELECT who, at FROM keys.erased").fetchall())
        current = bytes.fromhex(self._vault.ring.current)
        rows = self._connection.execute(
            "SELECT id, sealed FROM keys.subjects WHERE substr(sealed, 1, 8) <> ?", (current,)
        ).fetchall()
        with self._connection:
            self._connection.executemany(
                "UPDATE keys.subjects SET sealed = ? WHERE id = ?",
                ((self._vault.ring.seal(text, b"subject"), i) for i, text in self._opened(rows)),
            )

    def find(self, actor: str) -> Subject | None:
        """Returns the subject of an actor, if there is one."""
        if self._writes and (known := self._by_actor.get(actor)) is not None:
            return known
        row = self._connection.execute(
            "SELECT id FROM keys.subjects WHERE alias = ?", (self._vault.alias(actor),)
        ).fetchone()
        return self.of_id(row[0]) if row else None

    def of_id(self, subject_id: int) -> Subject | None:
        """Returns a subject by its id; None once it was erased."""
        if (known := self._by_id.get(subject_id)) is not None:
            return known
        row = self._connection.execute(
            "SELECT id, sealed, refused FROM keys.subjects WHERE id = ?", (subject_id,)
        ).fetchone()
        return self._remember(*row) if row else None

    def make(self, actors: Iterable[str]) -> None:
        """Makes the subjects that are missing. Durable when it returns."""
        missing = [a for a in dict.fromkeys(actors) if self.find(a) is None]
        if not missing:
            return
        with self._connection:
            for actor in missing:
                text = new_text(actor)
                # A row that is there and does not open is damaged, and its events with it.
                self._connection.execute(
                    "INSERT OR REPLACE INTO keys.subjects (alias, sealed) VALUES (?, ?)",
                    (self._vault.alias(actor), self._vault.ring.seal(text, b"subject")),
                )

    def refuse(self, subject: Subject, refused: int) -> None:
        """Sets what a subject refuses, inside the caller's transaction."""
        self._connection.execute(
            "UPDATE keys.subjects SET refused = ? WHERE id = ?", (refused, subject.id)
        )

    def erase(self, subjects: Sequence[Subject], actors: Iterable[str], at: float) -> None:
        """Destroys keys, and notes that nothing of before `at` may come back of these actors.

        Durable when it returns, with a note that events of these subjects are still there.
        """
        noted = {self._vault.erased_digest(actor): at for actor in actors}
        with self._connection as connection:
            connection.executemany(
                "INSERT OR REPLACE INTO keys.erased VALUES (?, ?)", list(noted.items())
            )
            for subject in subjects:
                connection.execute(
                    "INSERT OR IGNORE INTO keys.unfinished VALUES (?, ?, ?)",
                    (subject.id, self._vault.alias(subject.actor), subject.is_user),
                )
                connection.execute("DELETE FROM keys.subjects WHERE id = ?", (subject.id,))
        self._erased |= noted
        self.forget(subject.id for subject in subjects)

    def erased_at(self, actor: str) -> float:
        """Returns when an actor was erased last, in seconds since 1970; -inf for never."""
        if not self._erased:
            return -math.inf
        return self._erased.get(self._vault.erased_digest(actor), -math.inf)

    def forget_erasures(self, before: float) -> None:
        """Forgets who was erased before a time, when events of then are no longer taken."""
        with self._connection:
            self._connection.execute("DELETE FROM keys.erased WHERE at < ?", (before,))
        self._erased = {who: at for who, at in self._erased.items() if at >= before}

    def drop_empty(self) -> int:
        """Destroys the keys of subjects without events or refusals; returns how many."""
        rows = self._connection.execute(
            "SELECT id FROM keys.subjects AS s WHERE refused = 0 AND NOT EXISTS"
            " (SELECT 1 FROM sealed_events WHERE subject = s.id)"
        ).fetchall()
        with self._connection:
            self._connection.executemany("DELETE FROM keys.subjects WHERE id = ?", rows)
        self.forget(subject_id for (subject_id,) in rows)
        return len(rows)

    def begin_epoch(self) -> None:
        """Gives every subject a new alias, in one transaction."""
        rows = self._connection.execute("SELECT id, sealed FROM keys.subjects").fetchall()
        epoch = self._vault.new_epoch()
        with self._connection as connection:
            epoch.keep(connection)
            connection.executemany(
                "UPDATE keys.subjects SET alias = ? WHERE id = ?",
                ((epoch.alias(actor_in(text)), i) for i, text in self._opened(rows)),
            )
        # A reader may look between the two for an alias of before, and find nothing that once.
        epoch.begin()

    def forget(self, subject_ids: Iterable[int]) -> None:
        """Drops what is in memory of subjects: they are erased, or have changed."""
        for subject_id in subject_ids:
            if (known := self._by_id.pop(subject_id, None)) is not None:
                self._by_actor.pop(known.actor, None)

    def _remember(self, subject_id: int, sealed: bytes, refused: int) -> Subject | None:
        try:
            text = self._vault.ring.open(sealed, b"subject")
        except UnsealError:
            return None
        subject = Subject.of_text(subject_id, text, refused)
        if len(self._by_id) >= _KEPT:
            self._by_id.clear()
            self._by_actor.clear()
        self._by_id[subject_id] = subject
        if self._writes:
            self._by_actor[subject.actor] = subject
        return subject

    def _opened(self, rows: Iterable[tuple[int, bytes]]) -> Iterator[tuple[int, bytes]]:
        """Yields what opens: a damaged row must not keep the log from opening."""
        for subject_id, sealed in rows:
            try:
                yield subject_id, self._vault.ring.open(sealed, b"subject")
            except UnsealError:
                continue


def new_text(actor: str) -> bytes:
    """Returns what is kept, sealed, of a new subject: a key of its own, and who it is."""
    return secrets.token_bytes(KEY_BYTES) + actor.encode()


def actor_in(text: bytes) -> str:
    """Returns who it is, from what is kept, unsealed."""
    return text[KEY_BYTES:].decode()
