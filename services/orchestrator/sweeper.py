"""Keeps the log no longer than it is to be kept, and changes pseudonyms when their time is up."""

import asyncio
import time
from typing import Final

import structlog
from prometheus_client import Counter

from services.orchestrator.event_store import EventStore
from services.orchestrator.events import EventLog
from services.orchestrator.privacy_settings import PrivacySettings
from shared.errors import UnavailableError

SWEPT: Final = Counter(
    "wherefore_events_expired_total", "Events deleted because they were kept long enough."
)
_BATCH: Final = 2_000
_DAY: Final = 86_400.0
# Writes wait while a batch is deleted; between two of them they go on.
_PAUSE_SECONDS: Final = 0.02
_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class Sweeper:
    """Sweeps the log.

    Args:
        store: The log.
        log: What counts its events in memory.
        settings: How long events and pseudonyms are kept.
    """

    def __init__(self, store: EventStore, log: EventLog, settings: PrivacySettings) -> None:
        self._store = store
        self._log = log
        self._settings = settings

    async def run(self) -> None:
        """Sweeps until cancelled."""
        while True:
            try:
                await self.sweep()
            except UnavailableError as error:
                _log.warning("sweep_failed", reason=error.message)
            await asyncio.sleep(self._settings.sweep_seconds)

    async def sweep(self) -> int:
        """Deletes what is too old, counts in memory included; returns how many events went.

        Followers of the log learn anew when something went.

        Raises:
            UnavailableError: The log cannot be written.
        """
        if days := self._settings.alias_days:
            await self._store.begin_epoch(days * _DAY)
        days = self._settings.retention_days
        if not days:
            return 0
        oldest = time.time() - days * _DAY
        count = 0
        while (gone := await self._store.delete_before(oldest, _BATCH)) is not None:
            self._log.uncount(gone)
            count += len(gone)
            await asyncio.sleep(_PAUSE_SECONDS)
        await self._store.tidy(oldest, renew_log=count > 0)
        if count:
            SWEPT.inc(count)
            _log.info("events_expired", count=count)
        return count
