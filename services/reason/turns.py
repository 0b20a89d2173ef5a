"""Turns at the model, which all pages share: the first ones are written in their time.

Reasons that are written together advance together, a token each: of four pages at once none is done
before all are, and on a CPU, where a row more costs its share, all of them miss their time. So a
bounded number is let in and the others wait, and the model is asked for as many reasons of a page
as there is time for, those at its top. A page that would not get half of its reasons, for what is
ahead of it, is told so before it has waited: templates answer at once.
"""

import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Final

from prometheus_client import Gauge

from services.reason.wording.batch import Wanted
from services.reason.wording.decode import Progress
from services.reason.writer import Writer
from shared.errors import ResourceExhaustedError

_SMOOTHING: Final = 0.2
_FIRST_GUESS: Final = 0.006
"""Seconds a reason, until the first page has told: what two cores take."""
_PAGE: Final = 4
"""Reasons that a page costs as much as by itself, however few are in it."""
_CUT_SHORT: Final = 1.5
"""How much longer than its time a page is taken to need that was not written to its end."""
WAITING = Gauge(
    "wherefore_reason_model_pages_waiting", "Pages that wait for their turn at the model."
)


@dataclass(eq=False, slots=True)
class _Ticket:
    reasons: int
    ends: float
    behind: bool
    started: float = field(default=0.0)

    @property
    def order(self) -> tuple[bool, float]:
        """Whose time is over first comes first, behind all for whom somebody waits."""
        return self.behind, self.ends


@dataclass(slots=True)
class Turn:
    """What a page has of its turn.

    Attributes:
        seconds: That are left for it.
        reasons: Of it, from its top, that there is time for.
        is_whole: To be set by who wrote them all.
    """

    seconds: float
    reasons: int
    is_whole: bool = False


class Turns:
    """Lets pages in, of those that wait the one whose time ends first. For several threads.

    Args:
        pages: That are let in at once.
        clock: Seconds that only grow.
    """

    def __init__(self, pages: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._pages, self._clock = pages, clock
        self._waiting: list[_Ticket] = []
        self._inside: list[_Ticket] = []
        self._changed = threading.Condition()
        self._seconds_each = _FIRST_GUESS

    @contextmanager
    def take(self, reasons: int, seconds: float, *, behind: bool = False) -> Generator[Turn]:
        """Waits for a turn and holds it while the block runs.

        Args:
            reasons: How many are to be written.
            seconds: That all of it may take, waiting included.
            behind: Whether nobody waits for it: all others go first.

        Raises:
            ResourceExhaustedError: What is ahead leaves too little time. With nothing ahead a page
                is always let in: its time tells how fast the model is now.
        """
        ticket = _Ticket(reasons, self._clock() + seconds, behind)
        with self._changed:
            self._enter(ticket)
        try:
            left = max(0.0, ticket.ends - self._clock())
            turn = Turn(left, reasons if behind else min(reasons, self._fitting(left)))
            yield turn
            # One that failed, or that makes room for others, says little of how long one takes.
            if not behind:
                each = (self._clock() - ticket.started) / (turn.reasons + _PAGE)
                each *= 1 if turn.is_whole else _CUT_SHORT
                self._seconds_each += _SMOOTHING * (each - self._seconds_each)
        finally:
            with self._changed:
                self._inside.remove(ticket)
                self._changed.notify_all()

    def is_wanted(self) -> bool:
        """Whether one for which nobody waits has to make room."""
        with self._changed:
            return len(self._inside) > self._pages or any(not t.behind for t in self._waiting)

    def _enter(self, ticket: _Ticket) -> None:
        ahead = [other for other in self._waiting if other.order <= ticket.order]
        is_free = self._has_place(ticket) and not ahead
        if not (is_free or ticket.behind) and self._expected(ticket, ahead) > ticket.ends:
            count = sum(not t.behind for t in self._inside) + len(ahead)
            raise ResourceExhaustedError(f"{count} pages are ahead at the model")
        self._waiting.append(ticket)
        WAITING.inc()
        try:
            while not self._is_next(ticket):
                # A page that would be cut short leaves its turn to one that has the time.
                left = ticket.ends - self._clock() - self._least(ticket)
                if left <= 0 or not self._changed.wait(left):
                    if self._is_next(ticket):
                        break
                    raise ResourceExhaustedError("its turn at the model did not come in time")
        finally:
            self._waiting.remove(ticket)
            WAITING.dec()
            self._changed.notify_all()
        ticket.started = self._clock()
        self._inside.append(ticket)

    def _is_next(self, ticket: _Ticket) -> bool:
        first = min(self._waiting, key=lambda each: each.order)
        return first is ticket and self._has_place(ticket)

    def _has_place(self, ticket: _Ticket) -> bool:
        """Whether a page may go in; what nobody waits for makes room for the others."""
        return sum(ticket.behind or not t.behind for t in self._inside) < self._pages

    def _expected(self, ticket: _Ticket, ahead: Sequence[_Ticket]) -> float:
        """Returns when half of a page would be written, after those ahead of it."""
        now = self._clock()
        # What is being written is partly done.
        before = (t for t in self._inside if not t.behind)
        inside = sum(max(0.0, self._cost(t.reasons) - (now - t.started)) for t in before)
        waiting = sum(self._cost(other.reasons) for other in ahead)
        return now + (inside + waiting) / self._pages + self._least(ticket)

    def _cost(self, reasons: int) -> float:
        return (reasons + _PAGE) * self._seconds_each

    def _least(self, ticket: _Ticket) -> float:
        """Returns the seconds that half of a page takes, the least that a turn is worth."""
        return self._cost((ticket.reasons + 1) // 2)

    def _fitting(self, seconds: float) -> int:
        return max(1, int(seconds / self._seconds_each) - _PAGE)


class TurnWriter:
    """A writer that waits for its turn at another one; see `writer.Writer`.

    Args:
        writer: The model.
        turns: Shared by all that write with it.
        behind: Whether nobody waits for what it writes: it breaks off where others need the room.
        clock: Seconds that only grow.
    """

    def __init__(
        self,
        writer: Writer,
        turns: Turns,
        *,
        behind: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._writer, self._turns, self._behind, self._clock = writer, turns, behind, clock

    @property
    def version(self) -> str:
        """Names the model."""
        return self._writer.version

    def knows(self, wanted: Wanted) -> bool:
        """Whether the model has learnt to say every kind of the evidence."""
        return self._writer.knows(wanted)

    def stream(self, wanted: Sequence[Wanted], seconds: float) -> Generator[Progress]:
        """Writes what there is time for of a page, from its top, once it is its turn.

        One behind makes room for others, and goes on when there is some.

        Raises:
            ResourceExhaustedError: Too many are ahead.
        """
        ends = self._clock() + seconds
        all_rows = list(range(len(wanted)))
        left = list(all_rows)
        while left and (seconds := ends - self._clock()) > 0:
            with self._turns.take(len(left), seconds, behind=self._behind) as turn:
                rows = left[: turn.reasons]
                asked = [wanted[row] for row in rows]
                for progress in self._writer.stream(asked, turn.seconds):
                    row = rows[progress.row]
                    if progress.reason is not None or progress.failed:
                        left.remove(row)
                    yield replace(progress, row=row)
                    if self._behind and self._turns.is_wanted():
                        break
                else:
                    turn.is_whole = left == all_rows[turn.reasons :]
                    return

    def wait_ready(self, seconds: float) -> None:
        """Waits until the model can be used, or the time is over."""
        self._writer.wait_ready(seconds)

    def close(self) -> None:
        """Lets go of the model."""
        self._writer.close()
