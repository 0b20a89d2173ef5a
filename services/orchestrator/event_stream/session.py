"""What one process knows of a log in Redis: its id, its secrets, how far it reaches.

Every script names the id of the log that its caller knows. Where it is another one by now, as after
a sweep or with new pseudonyms, nothing is done; the caller reads the secrets again and comes back.
"""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import structlog

from services.orchestrator.event_files.subjects import Subject, new_text
from services.orchestrator.event_files.vault import Vault
from services.orchestrator.event_stream.durability import check_durable
from services.orchestrator.event_stream.link import Bytes, RedisLink
from services.orchestrator.event_stream.roster import Entry, Roster
from services.orchestrator.log_place import LogPlace
from shared.errors import UnavailableError
from shared.privacy.sealing import read_or_make_keys

TRIES: Final = 10
"""How often a step is begun anew because another process was quicker."""
_log: structlog.stdlib.BoundLogger = structlog.get_logger()

Arguments = Callable[[], Iterable[Bytes]]
"""Made anew for every try: pseudonyms may have changed."""


class LogSession:
    """A log in Redis, as one process knows it.

    Args:
        link: To Redis.
        key_file: Keys that seal the secrets of the log; the same for all its processes.
        copies: Replicas of Redis that must have a write before it is acknowledged.
        durable: Whether a Redis that would lose events is refused.
    """

    def __init__(self, link: RedisLink, key_file: Path, *, copies: int, durable: bool) -> None:
        self.link = link
        self.place = LogPlace()
        self.log_id = ""
        self.roster = Roster()
        self._key_file = key_file
        self.copies = copies
        self._durable = durable
        self._vault: Vault | None = None
        self._secrets: dict[bytes, bytes] = {}

    @property
    def vault(self) -> Vault:
        """The secrets.

        Raises:
            UnavailableError: They were not read yet.
        """
        if self._vault is None:
            raise UnavailableError("the log of events is being opened")
        return self._vault

    async def open(self) -> None:
        """Reads the secrets of the log, which is begun where there is none.

        Raises:
            OSError: The key file can neither be read nor made.
            ValueError: It does not open the log; or Redis would lose events.
            UnavailableError: Redis is away.
        """
        ring = await asyncio.to_thread(read_or_make_keys, self._key_file)
        await self.check()
        await self._take_in(Vault(ring))

    async def check(self) -> None:
        """Refuses a Redis that would lose events; see `check_durable`."""
        await check_durable(self.link, required=self._durable)

    async def read(self, name: str, arguments: Arguments = tuple) -> list[Any]:
        """Runs a script that changes nothing; returns what it says behind "ok".

        Raises:
            UnavailableError: Redis is away.
        """
        return await self._run(self.link.read, name, arguments)

    async def write(self, name: str, arguments: Arguments = tuple) -> list[Any]:
        """Runs a script that writes; see `read`. Its first word is kept: it may refuse."""
        return await self._run(self.link.write, name, arguments)

    async def acknowledge(self, name: str, log_id: str, arguments: Iterable[Bytes]) -> list[Any]:
        """Runs a script whose caller is told that it is done; its first word may refuse.

        Args:
            name: Of the script.
            log_id: Id that the log had when the caller began: where it is another one, subjects
                may be others, and nothing is done; the first word is "moved" then.
            arguments: Of the script.

        Raises:
            UnavailableError: It may be done or not.
        """
        # Copies get writes in their order: who has this one has the keys that came before it.
        answer = await self.link.write(name, log_id, *arguments, copies=self.copies)
        if answer[0] == b"moved":
            await self.reload()
        return answer

    async def look(self) -> None:
        """Notes how far the log reaches now, and its id.

        Raises:
            UnavailableError: Redis is away, or the key file does not open the log.
        """
        known = self.place.last_sequence  # while it is asked, an event may be acknowledged
        log_id, sequence, _ = await self._state()
        if sequence < known and log_id == self.log_id:
            # A Redis that was brought back from a copy: places are given out again.
            _log.error("events_set_back", known=known, found=sequence)
            await self.link.write("renew", log_id, uuid.uuid4().hex, 0)
            await self.reload()
            return
        if log_id != self.log_id:
            await self.reload()
        self.place.advance(sequence)

    async def reload(self) -> None:
        """Reads id and secrets again.

        Raises:
            UnavailableError: Redis is away, or the key file does not open the log.
        """
        try:
            await self._take_in(self.vault)
        except ValueError as error:
            raise UnavailableError(str(error)) from error

    async def subjects(self, latest: dict[str, float]) -> dict[str, Subject]:
        """Returns subjects of actors, made where they are missing.

        Args:
            latest: When each did what is to be written last, in seconds since 1970; who has
                nothing of after their erasure is not made.
        """
        known = {actor: self.roster.find(actor) for actor in latest}
        missing = [actor for actor, subject in known.items() if subject is None]
        if missing:
            ring = self.vault.ring
            fresh = {actor: ring.seal(new_text(actor), b"subject") for actor in missing}
            answer = await self.write(
                "make",
                lambda: (
                    part
                    for actor in missing
                    for part in (
                        self.vault.alias(actor),
                        fresh[actor],
                        self.vault.erased_digest(actor),
                        repr(latest[actor]),
                    )
                ),
            )
            for actor, found in zip(missing, answer[1], strict=True):
                known[actor] = self.roster.take(self.vault, found) if found else None
                if found and known[actor] is None:
                    raise UnavailableError("the key of a user does not open")
        return {actor: subject for actor, subject in known.items() if subject is not None}

    def opened(self, entries: Sequence[Entry], subjects: Sequence[Any]) -> list[Any]:
        """See `Roster.opened`."""
        return self.roster.opened(self.vault, entries, subjects)

    async def _run(
        self, run: Callable[..., Awaitable[list[Any]]], name: str, arguments: Arguments
    ) -> list[Any]:
        for _ in range(TRIES):
            answer = await run(name, self.log_id, *arguments())
            if answer[0] != b"moved":
                return answer
            await self.reload()
        raise UnavailableError("the log of events changes all the time")

    async def _take_in(self, vault: Vault) -> None:
        for _ in range(TRIES):
            known = self.place.last_sequence
            log_id, sequence, secrets = await self._state()
            if not log_id:
                await self._begin()
                continue
            if secrets != self._secrets:
                self.roster.clear()  # another log may give the same ids to others
            changed = vault.take_in({k.decode(): v for k, v in secrets.items()})
            self._secrets = secrets
            if not changed:
                self._vault = vault  # not before: calls may come while the log is being opened
                if log_id != self.log_id:
                    self.log_id = log_id
                    # Who waits is to see that it is another one, shorter or not.
                    reached = max(sequence, self.place.last_sequence)
                    self.place.set_back(sequence if sequence < known else reached)
                self.place.advance(sequence)
                return
            for name, sealed in changed.items():
                before = secrets.get(name.encode(), b"")
                await self.link.write("keep_secret", log_id, name, before, sealed)
        raise UnavailableError("the log of events changes all the time")

    async def _begin(self) -> None:
        if self.log_id:
            _log.error("events_gone", reason="Redis has lost the log: another one begins")
        made = uuid.uuid4().hex
        await self.link.ask(
            lambda: self.link.redis.set(self.link.key("log"), made, nx=True),
            self.link.write_seconds,
        )

    async def _state(self) -> tuple[str, int, dict[bytes, bytes]]:
        async def ask() -> list[Any]:
            async with self.link.redis.pipeline(transaction=True) as pipe:
                pipe.get(self.link.key("log"))
                pipe.get(self.link.key("sequence"))
                pipe.hgetall(self.link.key("secrets"))
                return await pipe.execute()

        log_id, sequence, secrets = await self.link.ask(ask, self.link.read_seconds)
        return (log_id or b"").decode(), int(sequence or 0), secrets
