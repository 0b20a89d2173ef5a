"""Fills a second index beside the one that answers, checks it and changes over to it.

The index that answers gets every write as ever, so nothing acknowledged depends on this. Which
products were written meanwhile is noted, and they are brought over as often as it takes; the last
ones while writes wait. Where other processes write too, what they wrote shows as a difference in
the state of a product; what one of them wrote into the former index as it was being changed for
the other is looked for once more before that is dropped. One process at a time changes the index:
it claims that from the store, and who has lost the claim touches nothing more.
"""

import threading
import time
from collections.abc import Callable, Collection, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from services.retrieval.catalogue import HAS_VECTOR, Catalogue
from services.retrieval.drafts import State
from services.retrieval.reindex_check import Agreement, compare
from services.retrieval.store.port import Claim, VectorIndex, VectorStore, point_id
from shared.errors import AbortedError, FailedPreconditionError, RequestCancelledError

_PAGE: Final = 100
_FEW: Final = 200
"""Products that are brought over while writes wait."""
_MOST_ROUNDS: Final = 20
_POLL_SECONDS: Final = 0.5
_SHARE_LEFT: Final = 0.5
"""Of the time, for searches: the embedded engine keeps Python's interpreter lock."""

States = dict[str, State]
"""By point."""


class Stage(Enum):
    """What is being done."""

    COPYING = auto()
    BUILDING = auto()
    CATCHING_UP = auto()
    CHECKING = auto()
    KEEPING = auto()
    DONE = auto()


@dataclass(frozen=True, slots=True)
class Step:
    """How far it is."""

    stage: Stage
    done: int = 0
    """Products of this stage that are done."""
    total: int = 0
    agreement: Agreement | None = None
    """Once it was measured."""


Tell = Callable[[Step], None]


class Reindexer:
    """One change of the index. `stop` ends it before it changes over; nothing is left of it then.

    Args:
        catalogue: Whose index it is.
        tell: Told how far it is, from the thread that runs it.
        grace_seconds: How long the index before is kept after the change.
    """

    def __init__(self, catalogue: Catalogue, tell: Tell, grace_seconds: float) -> None:
        self._catalogue = catalogue
        self._store: VectorStore = catalogue.store
        self._tell = tell
        self._grace_seconds = grace_seconds
        self._claim: Claim | None = None
        self._stopped = threading.Event()
        self._changed = False
        self._stage = Stage.COPYING
        self._agreement: Agreement | None = None

    def stop(self) -> None:
        """Ends it soon; after the change over, the former index is kept."""
        self._stopped.set()
        if self._stage is Stage.BUILDING and not self._store.shared:
            self._store.drop_second()  # its graph is being built by a process of its own

    def build(self, *, keep_former: bool) -> None:
        """Builds an index of the layout that is wanted, and changes over to it.

        Raises:
            AbortedError: Another process is at it, or got to while this one stood still.
            FailedPreconditionError: There is no room for it, or it does not agree.
            RequestCancelledError: It was stopped.
        """
        with self._claimed() as claim:
            self._check_dimension()
            try:
                self._check_stopped()
                self._run(self._store.make_second(), self._store.points, keep_former=keep_former)
            finally:
                if not self._changed and claim.held:
                    self._store.drop_second()

    def go_back(self) -> None:
        """Brings the former index up to date and changes back to it; the other one is then former.

        Raises:
            AbortedError: See `build`.
            FailedPreconditionError: None is kept.
            RequestCancelledError: It was stopped.
        """
        with self._claimed():
            former = self._store.former()
            if former is None:
                raise FailedPreconditionError("no former index is kept: re-index with keep_former")
            self._run(former, lambda: self._differences(former), keep_former=True)

    def drop_former(self) -> None:
        """Deletes the former index, where one is kept.

        Raises:
            AbortedError: See `build`.
        """
        with self._claimed():
            self._store.drop_former()
        self._say(Stage.DONE)

    @contextmanager
    def _claimed(self) -> Generator[Claim]:
        with self._store.claim() as claim:
            self._claim = claim
            yield claim

    def _run(
        self, target: VectorIndex, points: Callable[[], Sequence[str]], *, keep_former: bool
    ) -> None:
        source: VectorIndex = self._store
        for key, kind in source.fields().items():
            target.ensure_field(key, kind)
        with self._catalogue.journal.kept():
            # Listed once writes are noted: one in between would be in neither.
            self._copy(target, points(), Stage.COPYING)
            self._build_graph(target)
            if self._store.shared:
                self._copy(target, self._differences(target), Stage.CATCHING_UP)
            for _ in range(_MOST_ROUNDS):
                written = self._catalogue.journal.take()
                self._copy(target, sorted(written), Stage.CATCHING_UP)
                if len(written) <= _FEW:
                    break
            self._check(target)
            target.flush()
            known = self._states(target) if self._store.shared else {}
            self._change_over(target, known)
        self._keep(known, keep_former=keep_former)

    def _change_over(self, target: VectorIndex, known: States) -> None:
        with self._catalogue.paused():
            self._check_stopped()
            last = sorted(self._catalogue.journal.take())
            for start in range(0, len(last), _PAGE):
                _bring_over(self._store, target, last[start : start + _PAGE])
            if self._store.shared:
                _renew(known, target, last)
            ours, theirs = self._store.count(exact=True), target.count(exact=True)
            if ours != theirs and not self._store.shared:
                raise FailedPreconditionError(
                    f"the new index has {theirs} products and not {ours}: nothing was changed"
                )
            self._check_claim()
            self._store.change_to(target)
            self._changed = True

    def _keep(self, known: States, *, keep_former: bool) -> None:
        """Waits for searches that began on the former index, and drops it."""
        self._say(Stage.KEEPING)
        stopped = self._stopped.wait(self._grace_seconds)
        self._check_claim()
        former = self._store.former() if self._store.shared else None
        if former is not None:
            self._bring_stragglers(former, known)
        if not keep_former and not stopped:
            self._store.drop_former()
        self._say(Stage.DONE)

    def _bring_stragglers(self, former: VectorIndex, known: States) -> None:
        """Brings what another process wrote into the former index around the change.

        Args:
            former: The index before.
            known: What the new one held when it began to answer.
        """
        now = self._states(former)
        late = [p for p in now.keys() | known.keys() if now.get(p) != known.get(p)]
        there = self._states(self._store)
        # Whatever was written into the new index since is newer still.
        bring = [point for point in late if there.get(point) == known.get(point)]
        with self._catalogue.paused():
            for start in range(0, len(bring), _PAGE):
                _bring_over(former, self._store, bring[start : start + _PAGE])

    def _copy(self, target: VectorIndex, points: Sequence[str], stage: Stage) -> None:
        self._say(stage, 0, len(points))
        for start in range(0, len(points), _PAGE):
            self._check_stopped()
            began = time.perf_counter()
            page = points[start : start + _PAGE]
            _bring_over(self._store, target, page)
            self._say(stage, start + len(page), len(points))
            spent = time.perf_counter() - began
            self._stopped.wait(spent * _SHARE_LEFT / (1 - _SHARE_LEFT))

    def _build_graph(self, target: VectorIndex) -> None:
        self._say(Stage.BUILDING)
        self._check_stopped()
        target.optimize()
        while not target.is_optimized():
            self._check_stopped()
            self._stopped.wait(_POLL_SECONDS)

    def _check(self, target: VectorIndex) -> None:
        self._say(Stage.CHECKING)
        self._agreement = compare(self._store, target, self._check_stopped)
        if problem := self._agreement.problem:
            raise FailedPreconditionError(f"the new index was not taken: {problem}")

    def _differences(self, target: VectorIndex) -> list[str]:
        """Points whose products are not the same in both, or in one alone."""
        ours, theirs = self._states(self._store), self._states(target)
        return sorted(p for p in ours.keys() | theirs.keys() if ours.get(p) != theirs.get(p))

    def _states(self, index: VectorIndex) -> States:
        states: States = {}
        for record in index.scan(State.KEYS):
            self._check_stopped()
            states[record.point] = State.of(record.payload)
        return states

    def _check_dimension(self) -> None:
        first = next(iter(self._store.scan((), HAS_VECTOR)), None)
        found = self._store.copies([first.point]) if first is not None else []
        wanted = self._catalogue.dimension
        for vector in (each.dense for each in found if each.dense is not None):
            if len(vector) != wanted:
                raise FailedPreconditionError(
                    f"the stored vectors have {len(vector)} components and the settings want"
                    f" {wanted}: vectors are copied, so import the catalogue into a new index"
                )

    def _check_stopped(self) -> None:
        if self._stopped.is_set() and not self._changed:
            raise RequestCancelledError("re-indexing was stopped; the index is as it was")
        self._check_claim()

    def _check_claim(self) -> None:
        if self._claim is not None and not self._claim.held:
            done = "the new index answers, the former one is kept" if self._changed else "no change"
            raise AbortedError(f"another replica may re-index: the claim could not be kept; {done}")

    def _say(self, stage: Stage, done: int = 0, total: int = 0) -> None:
        self._stage = stage
        self._tell(Step(stage, done, total, self._agreement))


def _renew(known: States, index: VectorIndex, points: Sequence[str]) -> None:
    for point in points:
        known.pop(point, None)
    for record in index.fetch(points, State.KEYS):
        known[record.point] = State.of(record.payload)


def _bring_over(source: VectorIndex, target: VectorIndex, points: Collection[str]) -> None:
    """Makes points of `target` what they are in `source`: written, or gone."""
    found = source.copies(list(points))
    if found:
        target.write(found)
    there = {point_id(product.product_id) for product in found}
    missing = [point for point in points if point not in there]
    if gone := [record.product_id for record in target.fetch(missing, ())]:
        target.delete(gone)
