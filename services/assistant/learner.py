"""Learning: what is to be learnt is read by the NLU, written to disk, and then known.

All questions get their vectors from the model that the NLU has, and anew when it has another one.
"""

import asyncio
import math
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Final, TypeVar

import structlog

from services.assistant.domain import Language, Vector
from services.assistant.knowledge import Knowledge, label_of
from services.assistant.learnt import Learnt
from services.assistant.matching import ENCODER_LANGUAGES
from services.assistant.reader import NluReader
from services.assistant.store import LearntStore
from shared.errors import WhereforeError
from shared.privacy.sealing import KeyRing

_T = TypeVar("_T")
_FIRST_RETRY_SECONDS, _LAST_RETRY_SECONDS = 0.1, 5.0
LEAST_SECONDS_BETWEEN_MODELS: Final = 10.0
"""While replicas of the NLU are replaced one by one, calls meet the old model and the new."""
_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class Learner:
    """Learns for one tenant. For one event loop.

    Args:
        knowledge: What is known; changed.
        store: Where it is kept.
        reader: The NLU.
        clock: Seconds that only grow.
    """

    def __init__(
        self,
        knowledge: Knowledge,
        store: LearntStore,
        reader: NluReader,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._knowledge = knowledge
        self._store = store
        self._reader = reader
        # One thread: writes wait for the disk, and the file is not for two.
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="learnt")
        self._catching_up: dict[Language, asyncio.Task[None]] = {}
        self._clock = clock
        self._changed_at: dict[Language, float] = {}

    async def open(self, keys: Callable[[], KeyRing]) -> None:
        """Opens what was learnt, and begins to read the vectors of all questions.

        Does nothing where it is open.

        Args:
            keys: Reads the key file.

        Raises:
            UnavailableError: It cannot be read, or another process has it.
            ValueError: The key file is the wrong one.
        """
        if self._catching_up:
            return
        self._knowledge.add(await self._run(lambda: self._store.open(keys)))
        self._reader.tell_other_models(self._take_model)
        self._catch_up()

    async def caught_up(self) -> None:
        """Returns once the vectors of all known questions are there."""
        for task in self._catching_up.values():
            await asyncio.shield(task)

    async def learn(self, examples: Sequence[Learnt]) -> int:
        """Learns examples; durable and known when it returns.

        Returns:
            How many were new or changed.

        Raises:
            WhereforeError: The NLU does not answer, or they cannot be written.
        """
        if not examples:
            return 0
        changes = dict(self._changed_at)
        read = await self._reader.read_all([(each.language, each.question) for each in examples])
        labelled = [
            replace(each, intent=self._knowledge.intent_of(each.answer_id) or label_of(message))
            for each, message in zip(examples, read, strict=True)
        ]
        changed = await self._run(lambda: self._store.write(labelled))
        # Who asked is for the file alone; what stood there already keeps its time and teacher.
        new = [
            replace(each, asker="") for each in labelled if self._knowledge.learnt(each.key) != each
        ]
        vectors: dict[tuple[Language, str], Vector] = {
            (message.language, message.text): message.vector
            for message in read
            if message.vector is not None
            and self._changed_at.get(message.language) == changes.get(message.language)
        }
        self._knowledge.add(new, vectors)
        if changes != self._changed_at:
            self._catch_up()
        return changed

    async def delete(self, keys: Iterable[str]) -> int:
        """Forgets examples; gone from disk and from what is known when it returns.

        Returns:
            How many there were.

        Raises:
            UnavailableError: They cannot be deleted.
        """
        return self._gone(await self._run(lambda: self._store.delete(keys)))

    async def forget(self, actors: Sequence[str]) -> int:
        """Forgets what was learnt from questions of users and visitors alone; as `delete`.

        Args:
            actors: As by `actor_of`.
        """
        return self._gone(await self._run(lambda: self._store.forget(actors)))

    async def asked(self, actors: Sequence[str]) -> list[Learnt]:
        """Returns what was learnt from questions of users and visitors.

        Raises:
            UnavailableError: The file cannot be read.
        """
        keys = await self._run(lambda: self._store.asked(actors))
        found = (self._knowledge.learnt(key) for key in keys)
        return [each for each in found if each is not None]

    async def close(self) -> None:
        """Closes the file."""
        for task in self._catching_up.values():
            task.cancel()
        await asyncio.gather(*self._catching_up.values(), return_exceptions=True)
        await self._run(self._store.close)
        self._writer.shutdown()

    def _take_model(self, language: Language, model: str) -> None:
        """Begins anew with the vectors of another model."""
        now = self._clock()
        if now - self._changed_at.get(language, -math.inf) < LEAST_SECONDS_BETWEEN_MODELS:
            return
        self._changed_at[language] = now
        _log.info("assistant.model", language=language, model=model)
        self._reader.take(language, model)
        self._knowledge.forget_vectors(language)
        self._catch_up()

    def _catch_up(self) -> None:
        """Reads the vectors that are wanted; answers go by words until they are there."""
        for language in ENCODER_LANGUAGES:
            running = self._catching_up.get(language)
            if running is None or running.done():
                self._catching_up[language] = asyncio.create_task(
                    self._catch_up_in(language), name=f"assistant-vectors-{language}"
                )

    async def _catch_up_in(self, language: Language) -> None:
        pause = _FIRST_RETRY_SECONDS
        while wanted := [each for each in self._knowledge.without_vector() if each[0] == language]:
            try:
                vectors = await self._reader.vectors([text for _, text in wanted], language)
            except WhereforeError as error:
                _log.warning(
                    "assistant.vectors", language=language, detail=error.message, fallback="words"
                )
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LAST_RETRY_SECONDS)
                continue
            self._knowledge.add_vectors(wanted, vectors)

    def _gone(self, keys: Sequence[str]) -> int:
        self._knowledge.remove(keys)
        return len(keys)

    async def _run(self, function: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._writer, function)
