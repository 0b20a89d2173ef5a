"""Pages of reasons that are written together, in a thread of its own.

A page that comes while others are written joins them at the next token, so that its first words
wait for no other page's last.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from services.reason.wording.batch import FAILED, OpenBatch, OpenEngine, Step, Wanted
from services.reason.wording.grammar import Grammar
from services.reason.wording.sampling import SamplingSettings

MAX_ROWS: Final = 64
"""Reasons written at once, unless one page alone has more: others wait for room."""


@dataclass(slots=True)
class Page:
    """Reasons that are asked for together.

    Attributes:
        wanted: The reasons.
        grammar: That they follow.
        ends: `time.monotonic` at which nobody waits any more.
        on_steps: Told what each step added; its rows are places in `wanted`.
        on_end: Told once, at the end: the error that ended it, or None. Both are called by the
            scheduler's thread, and neither may block or raise.
        is_cancelled: Asked between two steps.
    """

    wanted: Sequence[Wanted]
    grammar: Grammar
    ends: float
    on_steps: Callable[[Sequence[Step]], None]
    on_end: Callable[[Exception | None], None]
    is_cancelled: Callable[[], bool] = lambda: False
    rows: dict[int, int] = field(default_factory=dict[int, int])
    """Places by number of the row in the batch; the scheduler's own."""

    @property
    def is_over(self) -> bool:
        """Whether nobody waits any more."""
        return time.monotonic() >= self.ends or self.is_cancelled()


class Scheduler:
    """Writes pages.

    Args:
        engine: Reads tokens; used by the scheduler's thread alone.
        settings: How tokens are drawn.
        max_rows: Reasons written at once.
    """

    def __init__(
        self, engine: OpenEngine, settings: SamplingSettings, max_rows: int = MAX_ROWS
    ) -> None:
        self._engine, self._settings, self._max_rows = engine, settings, max_rows
        self._waiting: deque[Page] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="reasons", daemon=True)
        self._thread.start()

    def submit(self, page: Page) -> None:
        """Has a page written; returns at once.

        Raises:
            RuntimeError: It is closed.
        """
        with self._changed:
            if self._closed:
                raise RuntimeError("the scheduler is closed")
            self._waiting.append(page)
            self._changed.notify()

    def close(self) -> None:
        """Ends every page and the thread."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join(10)

    def _run(self) -> None:
        batch = OpenBatch(self._engine, self._settings)
        pages: list[Page] = []
        while True:
            with self._changed:
                while not (self._waiting or pages or self._closed):
                    self._changed.wait()
                if self._closed:
                    ended, self._waiting = [*pages, *self._waiting], deque()
                    break
            try:
                self._admit(batch, pages)
                self._step(batch, pages)
            except Exception as error:  # an engine that failed ends its pages alone
                batch = OpenBatch(self._engine, self._settings)
                for page in pages:
                    page.on_end(error)
                pages = []
        for page in ended:
            page.on_end(RuntimeError("the model is being unloaded"))

    def _admit(self, batch: OpenBatch, pages: list[Page]) -> None:
        while True:
            with self._changed:
                if not self._waiting:
                    return
                fits = len(batch) + len(self._waiting[0].wanted) <= self._max_rows
                if len(batch) and not fits:
                    return
                page = self._waiting.popleft()
            if page.is_over or not page.wanted:
                page.on_end(None)
                continue
            pages.append(page)
            try:
                numbers = batch.join(page.wanted, page.grammar)
            except ValueError as error:  # evidence that cannot be said
                pages.remove(page)
                page.on_end(error)
                continue
            page.rows = {number: place for place, number in enumerate(numbers)}

    def _step(self, batch: OpenBatch, pages: list[Page]) -> None:
        """Writes a token of every reason, and sees which pages are done."""
        steps = {step.row: step.token for step in batch.draw()}
        without: set[int] = set()
        for page in list(pages):
            mine = [Step(page.rows[row], token) for row, token in steps.items() if row in page.rows]
            page.on_steps(mine)
            ends = (FAILED, page.grammar.end)
            for row, token in steps.items():
                if row in page.rows and token in ends:
                    del page.rows[row]
            if not page.rows or page.is_over:
                without |= page.rows.keys()
                pages.remove(page)
                page.on_end(None)
        batch.read(without)
