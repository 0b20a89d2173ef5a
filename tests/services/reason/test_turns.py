"""Turns at the model: who goes first, who is told at once, and what a page that waited gets."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from services.reason.turns import Turns, TurnWriter
from services.reason.wording.batch import Wanted
from services.reason.wording.decode import Progress
from services.reason.wording.rendering import SaidClause, SaidReason
from shared.errors import ResourceExhaustedError, UnavailableError

LONG = 60.0
"""Seconds that no test waits for."""


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Pages:
    """Pages in threads of their own, each held at the model until it is let go."""

    def __init__(self, turns: Turns) -> None:
        self.turns = turns
        self.order: list[str] = []
        self._pool = ThreadPoolExecutor(8)

    def start(
        self, name: str, seconds: float = LONG, *, reasons: int = 1, behind: bool = False
    ) -> "tuple[Future[float], threading.Event]":
        go = threading.Event()

        def run() -> float:
            with self.turns.take(reasons, seconds, behind=behind) as turn:
                self.order.append(name)
                assert go.wait(10)
            return turn.seconds

        waiting = len(self.turns._waiting) + len(self.turns._inside)
        future = self._pool.submit(run)
        until(lambda: future.done() or len(self.turns._waiting) + len(self.turns._inside) > waiting)
        return future, go


def until(holds: Callable[[], bool]) -> None:
    for _ in range(2_000):
        if holds():
            return
        threading.Event().wait(0.005)
    raise AssertionError("it did not come to be")


def test_a_bounded_number_is_let_in_and_the_rest_follow_in_turn():
    pages = Pages(Turns(2))
    held = [pages.start(name) for name in ("a", "b", "c", "d")]
    until(lambda: len(pages.order) == 2)
    assert pages.order == ["a", "b"]
    for number, (future, go) in enumerate(held):
        until(lambda number=number: len(pages.order) > number)
        go.set()
        future.result(10)
    assert pages.order == ["a", "b", "c", "d"]


def test_whose_time_ends_first_goes_first_and_nobody_waits_for_what_is_behind():
    pages = Pages(Turns(1))
    first, go = pages.start("first")
    rest = [
        pages.start("behind", 30.0, behind=True),
        pages.start("later", 50.0),
        pages.start("sooner", 40.0),
    ]
    go.set()
    first.result(10)
    for _, go in rest:
        go.set()
    for future, _ in rest:
        future.result(10)
    assert pages.order == ["first", "sooner", "later", "behind"]


def test_a_page_that_would_be_late_by_what_is_ahead_is_told_at_once():
    pages = Pages(Turns(1, Clock()))
    first, go = pages.start("first", reasons=10)  # 84 ms by the first guess, and half of it 54
    with pytest.raises(ResourceExhaustedError, match="1 pages are ahead"):
        pages.start("no", 0.13, reasons=10)[0].result(10)
    second, went = pages.start("second", 0.15, reasons=10)
    with pytest.raises(ResourceExhaustedError, match="2 pages are ahead"):
        pages.start("no", 0.2, reasons=10)[0].result(10)
    for one, let in ((first, go), (second, went)):
        let.set()
        one.result(10)
    assert pages.order == ["first", "second"]


def test_with_nothing_ahead_a_page_is_let_in_however_long_it_takes():
    turns = Turns(1, clock := Clock())
    with turns.take(1, LONG):
        clock.now = 5.0  # slow: a reason takes a second or so
    with turns.take(100, 0.1) as turn:
        assert turn.seconds == pytest.approx(0.1)
        assert turn.reasons == 1


def test_a_page_gets_as_many_reasons_as_there_is_time_for_and_learns_how_many_that_are():
    turns = Turns(1, clock := Clock())
    written: list[int] = []
    for _ in range(60):  # a model that takes 10 ms a reason, and 40 a page
        with turns.take(20, 0.2) as turn:
            written.append(turn.reasons)
            needed = 0.04 + 0.01 * turn.reasons
            clock.now += min(needed, turn.seconds)
            turn.is_whole = needed <= turn.seconds
    assert written[0] == 20, "the first guess was too good"
    assert 14 <= min(written[30:]) <= max(written[30:]) <= 17
    with turns.take(5, 0.2) as turn:
        assert turn.reasons == 5
    with turns.take(20, 0.2, behind=True) as turn:
        assert turn.reasons == 20, "nobody waits for it"


def test_what_nobody_waits_for_makes_room_at_once_and_goes_on_afterwards():
    pages = Pages(Turns(1))
    behind, went = pages.start("behind", behind=True)
    assert not pages.turns.is_wanted()
    second, second_go = pages.start("second behind", behind=True)
    asked, go = pages.start("asked for", 0.001, reasons=10)  # would be late, were it to wait
    until(lambda: len(pages.order) == 2)
    assert pages.order == ["behind", "asked for"]
    assert pages.turns.is_wanted()
    for one, let in ((behind, went), (asked, go), (second, second_go)):
        let.set()
        one.result(10)
    assert pages.order[-1] == "second behind"
    assert not pages.turns.is_wanted()


def test_what_a_page_waited_is_taken_from_its_time():
    clock = Clock()
    pages = Pages(Turns(1, clock))
    first, go = pages.start("first")
    second, went = pages.start("second", 10.0)
    clock.now = 4.0
    for one, let in ((first, go), (second, went)):
        let.set()
        one.result(10)
    assert second.result() == pytest.approx(6.0)


def test_a_turn_that_does_not_come_in_time_is_told():
    pages = Pages(Turns(1))
    first, go = pages.start("first")
    with pytest.raises(ResourceExhaustedError, match="in time"):
        pages.start("late", 0.05, behind=True)[0].result(10)
    go.set()
    first.result(10)


def test_a_page_that_fails_gives_its_turn_on_and_tells_nothing_of_the_time():
    turns = Turns(1, clock := Clock())

    def fail() -> None:
        with turns.take(1, LONG):
            clock.now += 1_000
            raise UnavailableError("gone")

    before = turns._seconds_each
    with pytest.raises(UnavailableError):
        fail()
    assert turns._seconds_each == before
    with turns.take(1, LONG) as turn:
        clock.now += 1
        turn.is_whole = True
    assert turns._seconds_each > before


@dataclass
class Recorder:
    """Keeps the time that it was given."""

    version: str = "recorder@1"
    given: list[float] = field(default_factory=list[float])

    def knows(self, wanted: Wanted) -> bool:
        return wanted.language == "en"

    def stream(self, wanted: Sequence[Wanted], seconds: float) -> Iterator[Progress]:
        self.given.append(seconds)
        yield Progress(0, "piece")

    def wait_ready(self, seconds: float) -> None:
        self.given.append(seconds)

    def close(self) -> None:
        self.given.append(-1.0)


@dataclass
class Writing(Recorder):
    """Writes a reason at a time, and has somebody ask for a page after some."""

    turns: Turns = field(default_factory=lambda: Turns(1))
    ask_after: int = 2
    asked: list[list[int]] = field(default_factory=list[list[int]])

    def stream(self, wanted: Sequence[Wanted], seconds: float) -> Iterator[Progress]:
        self.asked.append([one.seed for one in wanted])
        for row, one in enumerate(wanted):
            said = SaidReason(f"{one.seed}.", (SaidClause(0, str(one.seed)),))
            if len(self.asked) == 1 and row == self.ask_after:
                with self.turns.take(1, LONG):
                    yield Progress(row, reason=said)
            else:
                yield Progress(row, reason=said)


def test_what_is_finished_behind_breaks_off_and_writes_the_rest_when_there_is_room():
    writing = Writing()
    writer = TurnWriter(writing, writing.turns, behind=True)
    wanted = [Wanted([], "en", seed) for seed in (10, 11, 12, 13, 14)]
    said = {p.row: p.reason.text for p in writer.stream(wanted, LONG) if p.reason is not None}
    assert said == {row: f"{seed}." for row, seed in enumerate((10, 11, 12, 13, 14))}
    assert writing.asked == [[10, 11, 12, 13, 14], [13, 14]]


def test_a_writer_is_asked_for_what_there_is_time_for():
    turns = Turns(1, clock := Clock())
    writing = Writing(turns=turns, ask_after=-1)
    writer = TurnWriter(writing, turns, clock=clock)
    seeds = list(range(30))
    said = [p.row for p in writer.stream([Wanted([], "en", seed) for seed in seeds], 0.121)]
    assert writing.asked == [seeds[:16]]  # 20 times 6 ms, of which the page takes 4
    assert said == seeds[:16]


def test_a_writer_takes_a_turn_for_as_long_as_its_page_is_read():
    turns, recorder = Turns(1, clock := Clock()), Recorder()
    writer = TurnWriter(recorder, turns, clock=clock)
    wanted = [Wanted([], "en", 1)]
    page = writer.stream(wanted, 3.0)
    assert next(page).piece == "piece"
    assert len(turns._inside) == 1
    page.close()
    assert not turns._inside
    assert list(writer.stream(wanted, 0.0)) == []
    assert recorder.given == [3.0]
    assert (writer.version, writer.knows(wanted[0])) == ("recorder@1", True)
    writer.wait_ready(clock.now + 2)
    writer.close()
    assert recorder.given == [3.0, 2.0, -1.0]
