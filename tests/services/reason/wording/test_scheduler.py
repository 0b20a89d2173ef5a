"""Pages that are written together read as if each were written alone."""

from collections.abc import Sequence
from queue import Queue
from threading import Event

import numpy as np
import pytest
from numpy.typing import NDArray

from services.reason.wording.batch import OpenBatch, Step, Wanted
from services.reason.wording.decode import Telling, decode
from services.reason.wording.filled import Filled
from services.reason.wording.grammar import Grammar
from services.reason.wording.onnx_engine import OnnxEngine
from services.reason.wording.rendering import SaidReason
from services.reason.wording.sampling import SamplingSettings
from services.reason.wording.scheduler import Page, Scheduler
from services.reason.wording.served import SERVED_GRAPH

from .conftest import HOME, HistoryEngine, page

SETTINGS = SamplingSettings()
FAR = float("inf")


class Reader:
    """Reads what a scheduler tells of one page."""

    def __init__(self, wanted: Sequence[Wanted], grammar: Grammar, ends: float = FAR) -> None:
        self.steps: list[Step] = []
        self.ended: Queue[Exception | None] = Queue()
        self.gone = Event()
        self._telling = Telling(wanted, grammar)
        self._count = len(wanted)
        self.page = Page(wanted, grammar, ends, self.steps.extend, self.ended.put, self.gone.is_set)

    def reasons(self) -> list[SaidReason | None]:
        """Waits for the end."""
        assert self.ended.get(timeout=30) is None
        found: list[SaidReason | None] = [None] * self._count
        for step in self.steps:
            progress = self._telling.tell(step)
            if progress is not None and progress.reason is not None:
                found[step.row] = progress.reason
        return found


def alone(wanted: Sequence[Wanted], grammar: Grammar) -> list[SaidReason | None]:
    return decode(wanted, grammar, HistoryEngine(len(grammar.texts)), SETTINGS)


def test_pages_that_come_at_any_moment_read_as_if_alone(grammar, engine):
    pages = [page(count, language, 7 * count) for count, language in ((3, "en"), (10, "zh"))] * 3
    scheduler = Scheduler(engine, SETTINGS)
    readers = [Reader(wanted, grammar) for wanted in pages]
    for reader in readers:
        scheduler.submit(reader.page)
    found = [reader.reasons() for reader in readers]
    scheduler.close()
    assert found == [alone(wanted, grammar) for wanted in pages]
    assert any(reason is not None for reasons in found for reason in reasons)
    assert max(engine.batches) > 10, "pages were written together"


def test_a_page_that_joins_later_changes_nothing(grammar, engine):
    first, second = page(4, "en"), page(4, "zh", 50)
    batch = OpenBatch(engine, SETTINGS)
    told: dict[int, list[int]] = {number: [] for number in batch.join(first, grammar)}
    later: list[int] = []
    while batch:
        for step in batch.draw():
            told[step.row].append(step.token)
        batch.read()
        if not later:
            later = batch.join(second, grammar)
            told |= {number: [] for number in later}
    alone_batch = OpenBatch(HistoryEngine(len(grammar.texts)), SETTINGS)
    expected: dict[int, list[int]] = {n: [] for n in alone_batch.join(second, grammar)}
    while alone_batch:
        for step in alone_batch.draw():
            expected[step.row].append(step.token)
        alone_batch.read()
    assert [told[number] for number in later] == list(expected.values())


def test_others_wait_for_room(grammar, engine):
    scheduler = Scheduler(engine, SETTINGS, max_rows=8)
    readers = [Reader(page(5, "en", 10 * index), grammar) for index in range(3)]
    for reader in readers:
        scheduler.submit(reader.page)
    for reader in readers:
        reader.reasons()
    large = Reader(page(12), grammar)
    scheduler.submit(large.page)
    assert any(large.reasons()), "a page larger than the room is written alone"
    scheduler.close()
    assert max(engine.batches) == 12


def test_a_page_whose_time_is_over_is_not_begun(grammar, engine):
    scheduler = Scheduler(engine, SETTINGS)
    late = Reader(page(3), grammar, ends=0)
    scheduler.submit(late.page)
    assert late.reasons() == [None] * 3
    scheduler.close()
    assert not engine.batches


def test_a_page_that_nobody_reads_makes_room(grammar):
    class Watched(HistoryEngine):
        def step(self, ids: NDArray[np.int64], keep: NDArray[np.int64]) -> NDArray[np.float32]:
            left.gone.set()
            return super().step(ids, keep)

    left, stays = Reader(page(9), grammar), Reader(page(2, "zh", 30), grammar)
    engine = Watched(len(grammar.texts))
    scheduler = Scheduler(engine, SETTINGS)
    scheduler.submit(left.page)
    scheduler.submit(stays.page)
    assert left.ended.get(timeout=30) is None
    assert stays.reasons() == alone(page(2, "zh", 30), grammar)
    scheduler.close()
    assert max(engine.batches[-3:]) <= 2


def test_evidence_that_cannot_be_said_ends_its_page_alone(grammar, engine):
    scheduler = Scheduler(engine, SETTINGS)
    strange = Reader([Wanted([Filled("no_such_kind", {}, ())], "en")], grammar)
    fine = Reader(page(2), grammar)
    scheduler.submit(strange.page)
    scheduler.submit(fine.page)
    assert isinstance(strange.ended.get(timeout=30), ValueError)
    assert fine.reasons() == alone(page(2), grammar)
    scheduler.close()


def test_an_engine_that_fails_ends_its_pages_and_the_next_is_written(grammar):
    class Failing(HistoryEngine):
        def step(self, ids: NDArray[np.int64], keep: NDArray[np.int64]) -> NDArray[np.float32]:
            if len(self.batches) == 3:
                self.batches.append(0)
                raise RuntimeError("out of memory")
            return super().step(ids, keep)

    scheduler = Scheduler(Failing(len(grammar.texts)), SETTINGS)
    first = Reader(page(3), grammar)
    scheduler.submit(first.page)
    assert str(first.ended.get(timeout=30)) == "out of memory"
    second = Reader(page(3), grammar)
    scheduler.submit(second.page)
    assert second.reasons() == alone(page(3), grammar)
    scheduler.close()


def test_closing_ends_pages_under_way_and_takes_no_more(grammar):
    begun, go_on = Event(), Event()

    class Waiting(HistoryEngine):
        def step(self, ids: NDArray[np.int64], keep: NDArray[np.int64]) -> NDArray[np.float32]:
            begun.set()
            go_on.wait(30)
            return super().step(ids, keep)

    scheduler = Scheduler(Waiting(len(grammar.texts)), SETTINGS)
    reader = Reader(page(3), grammar)
    scheduler.submit(reader.page)
    assert begun.wait(30)
    go_on.set()
    scheduler.close()
    reader.ended.get(timeout=30)
    with pytest.raises(RuntimeError, match="closed"):
        scheduler.submit(Reader(page(1), grammar).page)


@pytest.mark.skipif(
    not (HOME / SERVED_GRAPH).is_file(), reason="`make models` has made no graph yet"
)
def test_the_graph_reads_rows_that_join_as_those_that_began_together():
    together, joined = (OnnxEngine(HOME / SERVED_GRAPH, 1) for _ in range(2))
    rng = np.random.default_rng(3)
    prefixes = rng.integers(1, 60, (4, 7))
    every = np.arange(4)
    expected = together.start(prefixes)
    # Two rows that have read more stand before them, and leave on the way.
    joined.start(rng.integers(1, 60, (2, 9)))
    joined.step(np.array([3, 4]), np.arange(2))
    assert np.abs(joined.join(prefixes) - expected).max() < 1e-4
    for step in range(6):
        ids = rng.integers(1, 60, 4)
        expected = together.step(ids, every)
        keep = every + 2 if step == 3 else every
        if step < 3:
            ids = np.concatenate([[5, 6], ids])
            got = joined.step(ids, np.arange(6))[2:]
        else:
            got = joined.step(ids, keep)
        assert np.abs(got - expected).max() < 1e-4
