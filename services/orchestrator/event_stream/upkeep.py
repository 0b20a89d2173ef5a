"""What is done to the whole log now and then: old events, keys of nobody, pseudonyms, old keys."""

import time
import uuid
from collections.abc import AsyncIterator, Iterable, Mapping
from functools import partial
from typing import Any, Final

import structlog

from services.orchestrator.event_files.sealed_log import StoredEvent
from services.orchestrator.event_files.subjects import actor_in
from services.orchestrator.event_stream.session import LogSession
from services.orchestrator.event_stream.wiper import Wiper
from shared.privacy.sealing import UnsealError

_MOST: Final = 500
"""Events deleted in one step: Redis does nothing else meanwhile."""
_LEFT_SECONDS: Final = 3600
"""How long aliases are kept that nobody took into use, as their maker died."""
_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class Upkeep:
    """Keeps a log in Redis. Several processes may do so at a time.

    Args:
        session: Of the log.
        wiper: Told when something was deleted.
    """

    def __init__(self, session: LogSession, wiper: Wiper) -> None:
        self._session = session
        self._wiper = wiper

    async def seal_anew(self) -> None:
        """Seals anew the keys of subjects that are under an old key of the key file."""
        session = self._session
        ring = session.vault.ring
        async for piece in self._scan(bytes.fromhex(ring.current)):
            changed: list[Any] = []
            for number, sealed in piece:
                if (text := self._text(sealed)) is not None:
                    changed += (number, sealed, ring.seal(text, b"subject"))
            if changed:
                await session.write("keep_seals", lambda c=changed: c)

    async def delete_before(self, at: float, limit: int) -> list[StoredEvent] | None:
        """See `EventStore.delete_before`."""
        wanted = min(limit, _MOST)
        answer = await self._session.write("expire", lambda: (repr(at), wanted))
        _, count, entries, subjects = answer
        return self._session.opened(entries, subjects) if count else None

    async def tidy(self, erased_before: float, *, renew_log: bool) -> None:
        """See `EventStore.tidy`."""
        session = self._session
        async for piece in self._scan(b""):
            texts = [(number, self._text(sealed)) for number, sealed in piece]
            named = [(number, actor_in(text)) for number, text in texts if text is not None]
            await session.write(
                "drop_empty",
                lambda n=named: [
                    part for number, actor in n for part in (number, session.vault.alias(actor))
                ],
            )
        cursor = b"0"
        while True:
            place = cursor
            answer = await session.write(
                "forget_erasures", lambda c=place: (c, repr(erased_before))
            )
            if (cursor := answer[1]) == b"0":
                break
        before = session.log_id
        fresh = _new_id()
        # A sweep that was broken off may have deleted something, too.
        await session.write("renew", lambda: (fresh, int(not renew_log)))
        await session.look()
        if session.log_id != before:
            self._wiper.want()

    async def begin_epoch(self, oldest_seconds: float) -> bool:
        """See `EventStore.begin_epoch`."""
        session = self._session
        await session.reload()  # another process may have begun it
        if time.time() - session.vault.epoch_began <= oldest_seconds:
            return False
        epoch = session.vault.new_epoch()
        name, log_id = f"aliases-{uuid.uuid4().hex}", session.log_id

        async def keep(piece: Iterable[tuple[bytes, bytes | None]]) -> None:
            opened = ((number, self._text(sealed)) for number, sealed in piece if sealed)
            aliases = {epoch.alias(actor_in(t)): n for n, t in opened if t is not None}
            if aliases:
                await self._keep_aliases(name, aliases)

        link = session.link
        made = int(await link.ask(lambda: link.redis.get(link.key("subject")), 1.0) or 0)
        async for piece in self._scan(b""):
            await keep(piece)
        while True:
            answer = await link.write("epoch", log_id, name, made, epoch.sealed(), _new_id())
            if answer[0] != b"changed":
                break
            late = [b"%d" % number for number in range(made + 1, answer[1] + 1)]
            wanted = partial(link.redis.hmget, link.key("subjects"), late)
            await keep(zip(late, await link.ask(wanted, link.read_seconds), strict=True))
            made = answer[1]
        await session.look()
        if answer[0] == b"ok":
            _log.info("alias_epoch_began", epoch=session.vault.epoch)
        return answer[0] == b"ok"

    async def _keep_aliases(self, name: str, aliases: Mapping[bytes, bytes]) -> None:
        link = self._session.link
        key = link.key(name)

        async def keep() -> None:
            async with link.redis.pipeline(transaction=True) as pipe:
                pipe.hset(key, mapping=aliases)
                pipe.expire(key, _LEFT_SECONDS)
                await pipe.execute()

        await link.ask(keep, link.write_seconds)

    async def _scan(self, but: bytes) -> AsyncIterator[list[tuple[bytes, bytes]]]:
        """Yields pieces of all subjects, id and sealed key, but those that begin with `but`."""
        cursor: bytes = b"0"
        while True:
            place = cursor
            answer = await self._session.read("scan", lambda c=place: (c, but))
            if answer[2]:
                yield [(number, sealed) for number, sealed in answer[2]]
            if (cursor := answer[1]) == b"0":
                return

    def _text(self, sealed: bytes) -> bytes | None:
        try:
            return self._session.vault.ring.open(sealed, b"subject")
        except UnsealError:
            return None


def _new_id() -> str:
    return uuid.uuid4().hex
