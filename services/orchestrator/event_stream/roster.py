"""Whom the log holds events of, as one process knows them, and events opened with their keys."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from google.protobuf.message import DecodeError

from services.orchestrator.event_files.sealed_log import UNREADABLE, Forgotten, StoredEvent
from services.orchestrator.event_files.subjects import Subject
from services.orchestrator.event_files.vault import DIGEST_BYTES, Vault
from services.orchestrator.purposes import mask_of
from shared.privacy.sealing import UnsealError
from wherefore.common.v1.user_event_pb2 import UserEvent

_KEPT: Final = 100_000
"""Subjects in memory, at about 500 bytes each."""

Entry = Sequence[Any]
"""Of the stream: its id, and names and values of its fields in turn."""


class Roster:
    """Subjects by id and by actor.

    One may be erased by another process meanwhile: who writes has Redis look if it is there.
    """

    def __init__(self) -> None:
        self._by_actor: dict[str, Subject] = {}
        self._by_id: dict[int, Subject] = {}

    def find(self, actor: str) -> Subject | None:
        """Returns the subject of an actor, where it is known here."""
        return self._by_actor.get(actor)

    def take(self, vault: Vault, found: Sequence[Any]) -> Subject | None:
        """Returns a subject as Redis has it: id, sealed key, refused purposes.

        None where its key does not open.
        """
        number, sealed, refused = int(found[0]), found[1], int(found[2])
        subject = self._by_id.get(number)
        if subject is not None:
            subject.refused = refused
            return subject
        try:
            text = vault.ring.open(sealed, b"subject")
        except UnsealError:
            return None
        subject = Subject.of_text(number, text, refused)
        if len(self._by_id) >= _KEPT:
            self.clear()
        self._by_id[number] = self._by_actor[subject.actor] = subject
        return subject

    def opened(
        self, vault: Vault, entries: Iterable[Entry], subjects: Iterable[Sequence[Any]]
    ) -> list[StoredEvent]:
        """Opens the events among entries; those that do not open are counted and left out."""
        keys = {int(each[0]): self.take(vault, each) for each in subjects}
        events: list[StoredEvent] = []
        for entry in entries:
            fields = fields_of(entry)
            if b"s" not in fields:
                continue
            subject = keys.get(int(fields[b"s"]))
            try:
                if subject is None:
                    raise UnsealError("no key")  # noqa: TRY301 - one place that counts
                digest, payload = text_of(fields)
                event = UserEvent.FromString(subject.key.open(payload, digest))
            except (UnsealError, DecodeError):
                UNREADABLE.inc()
                continue
            refused = subject.refused | mask_of(event.refused_purposes)
            events.append(StoredEvent(event, False, refused, place_of(entry)))
        return events

    def forget(self, subject_ids: Iterable[int]) -> None:
        """Drops subjects, with their keys."""
        for number in subject_ids:
            if (known := self._by_id.pop(number, None)) is not None:
                self._by_actor.pop(known.actor, None)

    def forget_aliases(self, vault: Vault, aliases: Iterable[str]) -> None:
        """Drops subjects that another process erased, by their pseudonyms in hexadecimal."""
        wanted = set(aliases)
        if wanted:
            self.forget([s.id for s in self._all() if vault.alias(s.actor).hex() in wanted])

    def clear(self) -> None:
        """Drops all."""
        self._by_actor.clear()
        self._by_id.clear()

    def _all(self) -> list[Subject]:
        return list(self._by_id.values())


def fields_of(entry: Entry) -> dict[bytes, bytes]:
    """Returns the fields of an entry by name."""
    flat = entry[1]
    return dict(zip(flat[::2], flat[1::2], strict=True))


def text_of(fields: Mapping[bytes, bytes]) -> tuple[bytes, bytes]:
    """Returns the digest of an event's id, and what is sealed with it."""
    text = fields[b"p"]
    return text[:DIGEST_BYTES], text[DIGEST_BYTES:]


def place_of(entry: Entry) -> int:
    """Returns the place of an entry in the log."""
    return int(entry[0].partition(b"-")[0])


def forgotten_among(entries: Iterable[Entry]) -> list[Forgotten]:
    """Returns whom followers are to forget by entries."""
    return [
        Forgotten(fields[b"a"].hex(), fields[b"u"] == b"1", int(fields[b"m"]))
        for fields in map(fields_of, entries)
        if b"a" in fields
    ]
