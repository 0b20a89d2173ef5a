"""Completes prefixes from memory, and keeps that memory up to date."""

import asyncio
import time
from collections.abc import Sequence
from typing import Final

import structlog

from services.orchestrator.completion.catalogue import catalogue_entries
from services.orchestrator.completion.index import CompletionIndex, Match, merge, ordered
from services.orchestrator.completion.keys import letters
from services.orchestrator.completion.searches import SearchCounts, entries
from shared.text.normalise import fold
from wherefore.retrieval.v1.retrieval_service_pb2 import StatsResponse

# With so many matches of what was typed there is no need to doubt it.
_ENOUGH: Final = 3
_REST: Final = 19.0
_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class Completer:
    """Answers from two indexes: one of the catalogue, one of users' searches.

    Args:
        searches: Counted as events arrive.
        refresh_seconds: Pause between looks at whether the searches changed.
    """

    def __init__(self, searches: SearchCounts, refresh_seconds: float) -> None:
        self._searches = searches
        self._refresh_seconds = refresh_seconds
        self._catalogue = CompletionIndex()
        self._typed = CompletionIndex()
        self._changes = 0
        self._has_catalogue = False

    @property
    def has_catalogue(self) -> bool:
        """Whether a catalogue was read yet."""
        return self._has_catalogue

    def complete(self, prefix: str, limit: int, language: str = "") -> Sequence[Match]:
        """Returns the best completions, best first.

        Args:
            prefix: As it was typed.
            limit: Completions to return.
            language: "zh", another primary tag, or nothing; completions of it come first.
        """
        folded = fold(prefix)
        # A blank at the end says that the last word is whole, where there is such a word.
        spaced = f"{folded} " if prefix[-1:].isspace() else folded
        found = self._as_typed(spaced, limit) or self._as_typed(folded, limit)
        if len(found) < _ENOUGH:
            mended: dict[str, Match] = {}
            for index in (self._typed, self._catalogue):
                merge(mended, index.find_corrected(folded, limit))
            found = mended | found
        return ordered(found, limit, language)

    def use_catalogue(self, stats: StatsResponse) -> None:
        """Takes new terms of the catalogue; called on a thread."""
        self._catalogue = CompletionIndex(catalogue_entries(stats))
        self._has_catalogue = True

    async def refresh(self) -> None:
        """Makes the index of the searches anew if they changed."""
        changes = self._searches.changes
        if changes != self._changes:
            snapshot = self._searches.snapshot()
            self._typed = await asyncio.to_thread(lambda: CompletionIndex(entries(snapshot)))
            self._changes = changes

    async def run(self) -> None:
        """Refreshes until cancelled."""
        while True:
            started = time.monotonic()
            try:
                await self.refresh()
            except Exception:
                _log.exception("completion_refresh_failed")
            # It may take up a twentieth of the time at most, however many searches there are.
            took = time.monotonic() - started
            await asyncio.sleep(max(self._refresh_seconds, took * _REST))

    def _as_typed(self, text: str, limit: int) -> dict[str, Match]:
        found: dict[str, Match] = {}
        for index in (self._typed, self._catalogue):
            merge(found, index.find(text, limit))
            if text.isascii() and (pinyin := letters(text)) and pinyin != text:
                merge(found, index.find(pinyin, limit))
        return found
