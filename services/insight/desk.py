"""The monitor for many callers: one thread works it, and notices wake whoever waits for them."""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Final, TypeVar

import structlog
from prometheus_client import Counter, Gauge

from services.insight.classifier import Classifier, Post
from services.insight.config import Settings
from services.insight.domain import Mention, Whose
from services.insight.domain_file import Domain, domain_path, read_domain
from services.insight.mentions import MentionStore
from services.insight.messages import notice_message, without_examples
from services.insight.monitor import Monitor, Notice
from services.insight.opinion_model import OpinionModel
from services.insight.surge import SurgeSettings
from services.insight.timeline import DetectionSettings
from services.insight.windows import DAY_MS, Taken, WindowSettings
from shared.errors import UnavailableError
from shared.folder_lock import FolderLock
from wherefore.insight.v1.alert_pb2 import AlertNotice

TEXTS: Final = Counter(
    "wherefore_insight_texts_total", "Texts taken: counted, duplicate or late.", ("outcome",)
)
NOTICES: Final = Counter("wherefore_insight_notices_total", "Notices of alerts.", ("change",))
WATERMARK: Final = Gauge(
    "wherefore_insight_watermark_seconds", "Event time up to which windows are closed."
)
_FILE: Final = "mentions.sqlite"
_PIECE: Final = 100
_CLOSE: Final = 3 / 7
"""Evidence at which an alert closes, as a part of that at which it opens."""
_UPKEEP_SECONDS: Final = 3_600.0
_Value = TypeVar("_Value")
_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class Desk:
    """Keeps, counts and tells.

    Attributes:
        domain: What is read; known once started.
        monitor: Likewise.

    Args:
        settings: Of the service.
        folder: Where its file is.
    """

    domain: Domain
    monitor: Monitor

    def __init__(self, settings: Settings, folder: Path) -> None:
        self._settings = settings
        self._folder = folder
        self._lock = FolderLock(folder, "the texts")
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="insight")
        self._store: MentionStore | None = None
        self._classifier: Classifier | None = None
        self._untold: list[Notice] = []
        self._last_notice = 0
        self._told = asyncio.Event()
        self._taken_at = 0.0
        self._settled = False
        self._ended = False
        self._upkeep: asyncio.Task[None] | None = None

    @property
    def last_notice(self) -> int:
        """Place of the newest notice."""
        return self._last_notice

    @property
    def ended(self) -> bool:
        """Whether waiting for notices is over."""
        return self._ended

    async def start(self) -> None:
        """Opens the file and counts what is in it.

        Raises:
            FolderInUseError: Another process has it open.
            DomainFileError: The domain's file is wrong.
            OpinionModelError: The model's file is wrong.
            ValueError: The key file is not the one that the texts were written with, or is none.
            OSError: A file cannot be read.
        """
        self._lock.acquire()
        count = await self._work(self._open)
        self._upkeep = asyncio.create_task(self._run(), name="insight-upkeep")
        _log.info("texts_read", count=count, domain=self.domain.name)

    async def close(self) -> None:
        """Closes the file."""
        self.end_waits()
        if self._upkeep is not None:
            self._upkeep.cancel()
            await asyncio.gather(self._upkeep, return_exceptions=True)
        if self._store is not None:
            await self._work(self._store.close)
        self._thread.shutdown()
        self._lock.release()

    def end_waits(self) -> None:
        """Ends all waits for notices."""
        self._ended = True
        self._told.set()

    async def take(self, posts: Sequence[Post]) -> list[Taken]:
        """Reads, keeps and counts texts; on disk when it returns.

        Raises:
            UnavailableError: They cannot be written.
        """
        taken = await self._work(lambda: self._take(posts))
        for outcome in Taken:
            TEXTS.labels(outcome.value).inc(taken.count(outcome))
        self._taken_at, self._settled = time.monotonic(), False
        self._wake()
        return taken

    async def ask(self, question: Callable[[Monitor], _Value]) -> _Value:
        """Asks the monitor something, on its thread."""
        return await self._work(lambda: question(self.monitor))

    async def erase(self, whose: Whose) -> int:
        """Erases texts; gone from disk, and from what is told from now on, when it returns.

        Returns:
            How many.

        Raises:
            UnavailableError: They cannot be erased.
        """
        return await self._work(lambda: self._erase(whose))

    async def find(self, whose: Whose, after: int, limit: int) -> list[tuple[int, Mention]]:
        """Returns texts that somebody wrote behind a place; see `MentionStore.find`."""
        store = self._opened()
        return await self._work(lambda: store.find(whose, after, limit))

    async def notices(self, after: int, limit: int = _PIECE) -> list[AlertNotice]:
        """Returns notices behind a place, oldest first."""
        store = self._opened()
        rows = await self._work(lambda: store.book.after(after, limit))
        return [_placed(body, place) for place, body in rows]

    async def wait_past(self, place: int) -> None:
        """Returns once there is a notice behind a place, or waits are ended."""
        while not self._ended and self._last_notice <= place:
            await self._told.wait()  # another event after each time

    async def place(self, reader: str) -> int:
        """Returns how far a reader is; behind all there are where it is new."""
        store = self._opened()
        known = await self._work(lambda: store.book.place(reader))
        if known is None:
            known = self._last_notice
            await self.set_place(reader, known)
        return known

    async def set_place(self, reader: str, place: int) -> None:
        """Keeps how far a reader is."""
        store = self._opened()
        await self._work(lambda: store.book.set_place(reader, place))

    def _open(self) -> int:
        settings = self._settings
        self.domain = read_domain(domain_path(settings.domain))
        model = OpinionModel.load(settings.opinion_model) if self.domain.uses_model else None
        self._classifier = Classifier(self.domain, model)
        store = self._store = MentionStore(self._folder / _FILE, settings.key_file)
        self.monitor = Monitor(_windows(settings), _detection(settings), store)
        count = self.monitor.recover()
        self._tell(settle=True)
        self._last_notice = store.book.last()
        return count

    def _take(self, posts: Sequence[Post]) -> list[Taken]:
        if self._classifier is None:
            raise UnavailableError("starting")
        try:
            taken = self.monitor.take(self._classifier.read(posts))
        except sqlite3.Error as error:
            _log.exception("texts_not_written")
            raise UnavailableError("the texts cannot be written") from error
        try:
            self._tell(settle=False)
        except sqlite3.Error:  # the texts are kept: their notices are told by the next try
            _log.exception("notices_not_written")
        return taken

    def _erase(self, whose: Whose) -> int:
        try:
            count = self._opened().erase(whose, without_examples)
        except sqlite3.Error as error:
            _log.exception("texts_not_erased")
            raise UnavailableError("the texts cannot be erased") from error
        self._untold = [
            replace(each, alert=self.monitor.alert(each.alert.incident)) for each in self._untold
        ]
        return count

    def _tell(self, *, settle: bool) -> None:
        """Keeps what changed about alerts; what could not be kept is tried again."""
        self._untold += self.monitor.notices(settle=settle)
        if self._untold:
            bodies = [
                notice_message(each, self.domain).SerializeToString() for each in self._untold
            ]
            self._last_notice = self.monitor.keep(self._untold, bodies)[-1]
            for notice in self._untold:
                NOTICES.labels(notice.change.value).inc()
            self._untold.clear()
        watermark = self.monitor.windows.watermark_ms
        if watermark is not None:
            WATERMARK.set(watermark / 1_000)

    async def _run(self) -> None:
        """Reads what is not closed while the stream is idle, and drops what is kept no longer."""
        swept = time.monotonic()
        while True:
            await asyncio.sleep(self._settings.idle_seconds / 2)
            now = time.monotonic()
            try:
                if not self._settled and now - self._taken_at >= self._settings.idle_seconds:
                    await self._work(lambda: self._tell(settle=True))
                    self._settled = True
                    self._wake()
                if now - swept >= _UPKEEP_SECONDS:
                    swept = now
                    await self._work(self._sweep)
            except (sqlite3.Error, UnavailableError):
                _log.exception("upkeep_failed")

    def _sweep(self) -> None:
        newest = self.monitor.windows.newest_ms
        if newest is not None:
            before = newest - self._settings.retention_days * DAY_MS
            self._opened().drop_before(before, without_examples)

    def _wake(self) -> None:
        """Wakes who waits; who comes after it waits for the next."""
        told, self._told = self._told, asyncio.Event()
        told.set()

    def _opened(self) -> MentionStore:
        if self._store is None:
            raise UnavailableError("starting")
        return self._store

    async def _work(self, job: Callable[[], _Value]) -> _Value:
        return await asyncio.get_running_loop().run_in_executor(self._thread, job)


def _placed(body: bytes, place: int) -> AlertNotice:
    notice = AlertNotice.FromString(body)
    notice.sequence = place
    return notice


def _windows(settings: Settings) -> WindowSettings:
    return WindowSettings(
        seconds=settings.window_seconds,
        disorder_seconds=settings.disorder_seconds,
        lateness_seconds=settings.lateness_seconds,
        hours=settings.retention_days * 24,
    )


def _detection(settings: Settings) -> DetectionSettings:
    surge = SurgeSettings(
        open_at=settings.alert_evidence,
        close_at=settings.alert_evidence * _CLOSE,
        min_texts=settings.alert_min_texts,
        min_negatives=settings.alert_min_negatives,
        warm_hours=settings.alert_warm_hours,
    )
    return DetectionSettings(surge=surge, dimensions=settings.alert_dimensions)
