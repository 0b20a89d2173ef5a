"""Fixed thresholds, which a surge has to pass in the minutes before: what most shops begin with.

They see each text in its minute, as if none came late, and tell as soon as a window ends.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from typing import Final

from services.insight.domain import PRODUCT, Mood, Series
from services.insight.evaluation.scoring import Told, score, together
from services.insight.evaluation.stream import Stream
from services.insight.windows import MS

_MINUTES: Final = 5
_QUIET_MS: Final = 15 * 60 * MS
_FEWEST: Final = 6
"""Texts, as for surges, that a share needs."""
COUNTS: Final = tuple(range(6, 81, 2))
SHARES: Final = tuple(step / 20 for step in range(5, 20))

Passes = Callable[[int, int], bool]
"""Whether a number of texts, and of negatives among them, is over a threshold."""


def count_over(threshold: int) -> Passes:
    """Passes where there are so many negatives."""
    return lambda _texts, negatives: negatives >= threshold


def share_over(threshold: float) -> Passes:
    """Passes where negatives are so large a part of a few texts or more."""
    return lambda texts, negatives: negatives >= _FEWEST and negatives >= threshold * texts


_Windows = dict[str, list[tuple[int, int, int]]]
"""Of each product its windows in order: index, texts and negatives of the minutes up to its end."""


def alerts_of(stream: Stream, passes: Passes, window_seconds: int) -> list[Told]:
    """Returns the alerts that a threshold gives, one for each product and quarter of an hour."""
    return _alerts(_recent(stream, window_seconds * MS), passes, window_seconds * MS)


def best_threshold(
    streams: Sequence[Stream],
    make: Callable[[float], Passes],
    thresholds: Sequence[float],
    window_seconds: int,
) -> float:
    """Returns the threshold with the best F1 on some streams; of equals the lowest."""
    length_ms = window_seconds * MS
    recent = [(_recent(stream, length_ms), stream.surges) for stream in streams]

    def f1(threshold: float) -> float:
        passes = make(threshold)
        return together([score(_alerts(r, passes, length_ms), s) for r, s in recent]).f1

    return max(thresholds, key=lambda threshold: (f1(threshold), -threshold))


def _recent(stream: Stream, length_ms: int) -> _Windows:
    counts: dict[str, dict[int, list[int]]] = defaultdict(lambda: defaultdict(lambda: [0, 0]))
    for _, mention in stream.arrivals:
        window = counts[mention.cell.product_id][mention.at_ms // length_ms]
        window[0] += 1
        window[1] += mention.mood is Mood.NEGATIVE
    span = _MINUTES * 60 * MS // length_ms
    found: _Windows = {}
    for product in sorted(counts):
        windows: deque[tuple[int, list[int]]] = deque()
        texts = negatives = 0
        for index in sorted(counts[product]):
            windows.append((index, counts[product][index]))
            texts, negatives = texts + windows[-1][1][0], negatives + windows[-1][1][1]
            while windows[0][0] <= index - span:
                _, (old_texts, old_negatives) = windows.popleft()
                texts, negatives = texts - old_texts, negatives - old_negatives
            found.setdefault(product, []).append((index, texts, negatives))
    return found


def _alerts(recent: _Windows, passes: Passes, length_ms: int) -> list[Told]:
    found: list[Told] = []
    for product, windows in recent.items():
        over_until = -1
        for index, texts, negatives in windows:
            if passes(texts, negatives):
                end = (index + 1) * length_ms
                if end > over_until:
                    found.append(Told(end, end, (Series(PRODUCT, product),)))
                over_until = end + _QUIET_MS
    return found
