"""Conversations as they are remembered: in memory to answer by, and on disk before an answer."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from typing import Final, TypeVar

import structlog

from services.assistant.archive import Archive
from services.assistant.conversation import Conversation, Memory
from shared.errors import UnavailableError
from shared.privacy.sealing import KeyRing

PAGE: Final = 10
_SWEEP_SECONDS: Final = 60.0
_T = TypeVar("_T")
_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class Conversations:
    """Remembers for one tenant. For one event loop.

    Args:
        archive: Where they are kept.
        most: Conversations; the one longest untouched goes beyond.
        seconds: How long one is kept after its last turn.
    """

    def __init__(self, archive: Archive, most: int, seconds: float) -> None:
        self._archive = archive
        self._most = most
        self._seconds = seconds
        self._memory = Memory(most, seconds)
        # One thread: writes come in the order in which they were asked for.
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="conversations")
        self._sweeping: asyncio.Task[None] | None = None

    async def open(self, ring: KeyRing) -> None:
        """Opens what is kept; does nothing where it is open.

        Raises:
            UnavailableError: It cannot be read.
            ValueError: The key file is the wrong one.
        """
        if self._sweeping is not None:
            return
        await self._run(lambda: self._archive.open(ring))
        await self._prune()
        begin = time.time() - self._seconds
        for conversation in await self._run(lambda: self._archive.since(begin, self._most)):
            self._memory.restore(conversation)
        self._sweeping = asyncio.create_task(self._sweep(), name="assistant-conversations")

    @asynccontextmanager
    async def hold(
        self, user_id: str, actor: str, conversation_id: str
    ) -> AsyncGenerator[Conversation]:
        """Holds a conversation of a user, begun where there is none; others of it wait.

        Args:
            user_id: Who alone finds it; "" for visitors.
            actor: Who says the next of it, as by `actor_of`.
            conversation_id: Its id.
        """
        while True:
            conversation = self._memory.open(user_id, conversation_id)
            async with conversation.lock:
                if conversation.forgotten:  # while this message waited
                    continue
                conversation.actor = actor
                yield conversation
                return

    async def keep(self, conversation: Conversation) -> None:
        """Keeps a conversation that is held; on disk when it returns.

        One that was forgotten meanwhile is not kept.

        Raises:
            UnavailableError: It is kept in memory alone.
        """
        if conversation.forgotten:
            return
        self._memory.keep(conversation)
        # Asked for before anything else can be: an erasure that comes now is done behind it.
        await self._run(lambda: self._archive.write(conversation))

    async def end(self, user_id: str, conversation_id: str) -> bool:
        """Forgets a conversation; gone from disk when it returns. Returns whether there was one.

        Raises:
            UnavailableError: It cannot be deleted from disk.
        """
        known = self._memory.forget(user_id, conversation_id)
        return await self._run(lambda: self._archive.delete(user_id, conversation_id)) or known

    async def forget(self, actors: Sequence[str]) -> int:
        """Erases the conversations of users and visitors; as `end`. Returns how many.

        Args:
            actors: As by `actor_of`.
        """
        self._memory.forget_actors(set(actors))
        return await self._run(lambda: self._archive.forget(actors))

    async def of(self, actors: Sequence[str]) -> AsyncIterator[list[Conversation]]:
        """Yields the conversations of users and visitors, some at a time.

        Raises:
            UnavailableError: They cannot be read.
        """
        place = 0
        while True:
            found, place = await self._run(partial(self._archive.of, actors, place, PAGE))
            if not place:
                return
            yield found

    async def close(self) -> None:
        """Closes the file."""
        if self._sweeping is not None:
            self._sweeping.cancel()
            await asyncio.gather(self._sweeping, return_exceptions=True)
        await self._run(self._archive.close)
        self._writer.shutdown()

    async def _sweep(self) -> None:
        """Deletes from disk what is no longer remembered."""
        while True:
            await asyncio.sleep(min(_SWEEP_SECONDS, self._seconds))
            try:
                await self._prune()
            except UnavailableError as error:
                _log.warning("conversations_not_pruned", detail=error.message)

    async def _prune(self) -> None:
        before = time.time() - self._seconds
        await self._run(lambda: self._archive.prune(before, self._most))

    async def _run(self, job: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._writer, job)
