"""Learning: what is to be learnt is read by the NLU, written to disk, and then known."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TypeVar

import structlog

from services.assistant.domain import Language, Vector
from services.assistant.knowledge import Knowledge, label_of
from services.assistant.learnt import Learnt
from services.assistant.reader import NluReader
from services.assistant.store import LearntStore
from shared.errors import WhereforeError

_T = TypeVar("_T")
_FIRST_RETRY_SECONDS, _LAST_RETRY_SECONDS = 0.1, 5.0
_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class Learner:
    """Learns for one tenant. For one event loop.

    Args:
        knowledge: What is known; changed.
        store: Where it is kept.
        reader: The NLU.
    """

    def __init__(self, knowledge: Knowledge, store: LearntStore, reader: NluReader) -> None:
        self._knowledge = knowledge
        self._store = store
        self._reader = reader
        # One thread: writes wait for the disk, and the file is not for two.
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="learnt")
        self._catching_up: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Opens what was learnt, and begins to read the vectors of all questions.

        Raises:
            UnavailableError: It cannot be read, or another process has it.
        """
        self._knowledge.add(await self._run(self._store.open))
        self._catching_up = asyncio.create_task(self._catch_up(), name="assistant-vectors")

    async def caught_up(self) -> None:
        """Returns once the vectors of all known questions are there."""
        if self._catching_up is not None:
            await asyncio.shield(self._catching_up)

    async def learn(self, examples: Sequence[Learnt]) -> int:
        """Learns examples; durable and known when it returns.

        Returns:
            How many were new or changed.

        Raises:
            WhereforeError: The NLU does not answer, or they cannot be written.
        """
        if not examples:
            return 0
        read = await self._reader.read_all([(each.language, each.question) for each in examples])
        labelled = [
            replace(each, intent=self._knowledge.intent_of(each.answer_id) or label_of(message))
            for each, message in zip(examples, read, strict=True)
        ]
        changed = await self._run(lambda: self._store.write(labelled))
        vectors: dict[tuple[Language, str], Vector] = {
            (message.language, message.text): message.vector
            for message in read
            if message.vector is not None
        }
        self._knowledge.add(labelled, vectors)
        return changed

    async def close(self) -> None:
        """Closes the file."""
        if self._catching_up is not None:
            self._catching_up.cancel()
            await asyncio.gather(self._catching_up, return_exceptions=True)
        await self._run(self._store.close)
        self._writer.shutdown()

    async def _catch_up(self) -> None:
        """Reads the vectors that are wanted; answers go by words until they are there."""
        pause = _FIRST_RETRY_SECONDS
        while wanted := self._knowledge.without_vector():
            try:
                vectors = await self._reader.vectors([text for _, text in wanted])
            except WhereforeError as error:
                _log.warning("assistant.vectors", detail=error.message, fallback="words")
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LAST_RETRY_SECONDS)
                continue
            self._knowledge.add_vectors(wanted, vectors)

    async def _run(self, function: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._writer, function)
