"""Words of the model that were written before: a popular query is worded at the cost of templates.

What a model says depends on what it is asked alone: the evidence with its values, the language and
the seed of its draw (which holds product, query and number of the draw), and its version. All of
that is the key, so that a change of the product or of the user that a reason would tell of is
another key, and nobody gets words that hold what is known of somebody else. A change that no reason
tells of leaves the words as true as they were. What comes out of the cache is verified like what
comes out of the model: `worded.py` does not tell them apart.
"""

import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from cachetools import TTLCache
from prometheus_client import Counter

from services.reason.wording.batch import Wanted
from services.reason.wording.decode import Progress
from services.reason.wording.rendering import SaidReason
from services.reason.writer import Writer
from shared.errors import ResourceExhaustedError, WhereforeError

CACHE = Counter(
    "wherefore_reason_cache_total",
    'Reasons asked of the cache: "hit", "miss"; and of those that missed their time: "late" when '
    'written afterwards, "dropped" when too many waited or the model did not end them either.',
    ("outcome",),
)


class CachedWriter:
    """A writer that asks another one for what it has not kept, and finishes what missed its time.

    Args:
        writer: The model.
        behind: What finishes pages afterwards, such as the model with all others before it;
            `writer` when absent.
        size: Reasons kept, 0 for none; those used least are forgotten first.
        seconds: How long a reason is kept.
        late_seconds: Longest that a page may take when it is finished afterwards; 0 for never.
        late_pages: Pages that may wait for that.
        clock: Seconds, monotonic.
    """

    def __init__(
        self,
        writer: Writer,
        *,
        behind: Writer | None = None,
        size: int,
        seconds: float,
        late_seconds: float,
        late_pages: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._writer, self._behind, self._late_seconds = writer, behind or writer, late_seconds
        self._kept: TTLCache[bytes, SaidReason | None] = TTLCache(size, seconds, clock)
        self._under_way: set[bytes] = set()
        self._lock = threading.Lock()
        self._room = threading.BoundedSemaphore(max(late_pages, 1))
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="reason-cache")

    @property
    def version(self) -> str:
        """Names the model."""
        return self._writer.version

    def knows(self, wanted: Wanted) -> bool:
        """Whether the model has learnt to say every kind of the evidence."""
        return self._writer.knows(wanted)

    def stream(self, wanted: Sequence[Wanted], seconds: float) -> Iterator[Progress]:
        """Writes a page, what is kept first; see `writer.Writer`."""
        keys = [key_of(one, self.version) for one in wanted]
        missing: list[int] = []
        for row, key in enumerate(keys):
            known, said = self._find(key)
            CACHE.labels("hit" if known else "miss").inc()
            if not known:
                missing.append(row)
            elif said is None:
                yield Progress(row, failed=True, cached=True)
            else:
                yield Progress(row, closed=said, reason=said, cached=True)
        left = dict(enumerate(missing))
        try:
            if missing:
                for progress in self._writer.stream([wanted[row] for row in missing], seconds):
                    row = missing[progress.row]
                    if self._keep(keys[row], progress):
                        left.pop(progress.row, None)
                    yield replace(progress, row=row)
        except ResourceExhaustedError:
            raise  # it is only busy
        except WhereforeError:
            left.clear()  # it is lost: nothing to finish with
            raise
        finally:
            if left:
                self._finish({keys[row]: wanted[row] for row in left.values()})

    def wait_ready(self, seconds: float) -> None:
        """Waits until the model can be used, or the time is over."""
        self._writer.wait_ready(seconds)

    def close(self) -> None:
        """Leaves unwritten what is not, and lets go of the model."""
        self._thread.shutdown(wait=False, cancel_futures=True)
        self._writer.close()

    def _find(self, key: bytes) -> tuple[bool, SaidReason | None]:
        with self._lock:
            return key in self._kept, self._kept.get(key)

    def _keep(self, key: bytes, progress: Progress) -> bool:
        """Keeps a reason that came to its end: the same draw ends no other way."""
        if progress.reason is None and not progress.failed:
            return False
        if self._kept.maxsize:
            with self._lock:
                self._kept[key] = progress.reason
        return True

    def _finish(self, rows: dict[bytes, Wanted]) -> None:
        if not (self._late_seconds and self._kept.maxsize):
            return
        with self._lock:
            rows = {key: one for key, one in rows.items() if key not in self._under_way}
        if not rows:
            return
        if not self._room.acquire(blocking=False):
            CACHE.labels("dropped").inc(len(rows))
            return
        with self._lock:
            self._under_way |= rows.keys()
        try:
            self._thread.submit(self._write_late, rows)
        except RuntimeError:  # closed meanwhile
            self._let_go(rows)

    def _write_late(self, rows: dict[bytes, Wanted]) -> None:
        keys, written = list(rows), 0
        try:
            for progress in self._behind.stream(list(rows.values()), self._late_seconds):
                written += self._keep(keys[progress.row], progress)
        except WhereforeError:
            pass  # nobody waits for it; the next request says that the model is lost or busy
        finally:
            CACHE.labels("late").inc(written)
            CACHE.labels("dropped").inc(len(rows) - written)
            self._let_go(rows)

    def _let_go(self, rows: dict[bytes, Wanted]) -> None:
        with self._lock:
            self._under_way -= rows.keys()
        self._room.release()


def key_of(wanted: Wanted, version: str) -> bytes:
    """Returns a digest of all that the words of a model depend on."""
    evidence = [[one.kind, sorted(one.fills.items()), one.required] for one in wanted.evidence]
    told = json.dumps([version, wanted.language, wanted.seed, evidence], ensure_ascii=False)
    return hashlib.blake2b(told.encode(), digest_size=16).digest()
