"""Hot swap: a reader that moves on to the newest version of its model between two requests."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from typing import Protocol

import structlog

from services.nlu.learnt.port import QueryModel, Readings
from shared.errors import WhereforeError

log = structlog.get_logger(__name__)

_WARM_UP = "warm up"


class VersionedReader(QueryModel, Protocol):
    """One version of a model, which knows of the others."""

    async def versions(self) -> list[int]:
        """Returns the versions that can be asked now, in ascending order.

        Raises:
            UnavailableError: The model cannot be reached.
        """
        ...


class FollowingReader:
    """A `QueryModel` that answers by the newest version that can.

    A new version is opened, answers once, and then takes over: requests that are under way are
    answered by the version that they were sent to, and none waits or is lost. A version that cannot
    be opened, or fails at its first text, is passed over until the next look. When the version in
    use is taken away, what is left is used, so that unloading a bad version is a way back.

    Not thread-safe: use it from one event loop.

    Args:
        first: The version to begin with. It stays open after a newer one took over, for vectors of
            the index's version may still be asked of it; its owner closes it.
        version: Its number.
        open_version: Opens another version. Called on a thread.
    """

    def __init__(
        self, first: VersionedReader, version: int, open_version: Callable[[int], VersionedReader]
    ) -> None:
        self._first, self._first_version = first, version
        self._current: VersionedReader = first
        self._version: int = version
        self._open = open_version
        self._under_way: dict[str, int] = {}
        self._retired: list[VersionedReader] = []

    @property
    def first(self) -> VersionedReader:
        """The version that it began with, whose vectors stay comparable."""
        return self._first

    @property
    def model(self) -> str:
        """See `QueryModel.model`."""
        return self._current.model

    @property
    def heads(self) -> Collection[str]:
        """See `QueryModel.heads`."""
        return self._current.heads

    async def read(self, texts: Sequence[str]) -> Readings:
        """See `QueryModel.read`; the answer says which version gave it."""
        reader = self._current
        self._under_way[reader.model] = self._under_way.get(reader.model, 0) + 1
        try:
            return await reader.read(texts)
        finally:
            self._under_way[reader.model] -= 1

    async def check_ready(self) -> None:
        """See `QueryModel.check_ready`."""
        await self._current.check_ready()

    async def look(self) -> bool:
        """Looks for the newest version once; returns whether it has moved on to another.

        Raises:
            WhereforeError: The model cannot be reached, or the new version does not work; then the
                version in use stays.
            ValueError: The new version's files do not hold together; likewise.
        """
        await self._close_retired()
        versions = await self._current.versions()
        if not versions or versions[-1] == self._version:
            return False
        newest = versions[-1]
        candidate = await self._try(newest)
        before, self._current, self._version = self._current, candidate, newest
        if before is not self._first:
            self._retired.append(before)
        log.info("model_switched", before=before.model, after=candidate.model)
        return True

    async def watch(self, poll_seconds: float) -> None:
        """Looks again and again; never returns."""
        while True:
            await asyncio.sleep(poll_seconds)
            try:
                await self.look()
            except (WhereforeError, ValueError, OSError) as error:
                log.warning("model_not_switched", model=self.model, error=str(error))

    async def close(self) -> None:
        """Closes what it opened itself."""
        for reader in {self._current, *self._retired} - {self._first}:
            with suppress(WhereforeError):
                await reader.close()

    async def _try(self, version: int) -> VersionedReader:
        """Returns another version once it has answered."""
        if version == self._first_version:
            await self._first.read([_WARM_UP])
            return self._first
        candidate = await asyncio.to_thread(self._open, version)
        try:
            await candidate.check_ready()
            await candidate.read([_WARM_UP])
        except BaseException:
            await candidate.close()
            raise
        return candidate

    async def _close_retired(self) -> None:
        """Closes old versions once the last of their requests is answered."""
        for reader in [item for item in self._retired if not self._under_way.get(item.model)]:
            self._retired.remove(reader)
            await reader.close()
