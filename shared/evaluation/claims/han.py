"""Chinese words of a sentence, without a tokeniser: what stands on record, and the mortar between.

A tokeniser cuts a sentence and a title differently, as it goes by what stands around a word. So a
run of Han characters is covered, with the fewest characters left over, by stretches that stand in
the records as they are and by words that claim nothing; what is left over is unsupported.
"""

import re
from collections.abc import Callable, Iterator
from typing import Final

from shared.evaluation.claims.glue import GLUE
from shared.evaluation.claims.record import Record

HAN: Final = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]+")
_SHORTEST: Final = 2
"""Characters that a stretch on record must have: single ones stand everywhere."""
_LONGEST: Final = 12


def check_han(
    left: str, record: Record, is_negated: Callable[[int], bool]
) -> Iterator[tuple[int, int, str]]:
    """Yields the stretches of Chinese that claim something, and their problem or "".

    Args:
        left: The sentence, with what other checks dealt with blanked.
        record: The records.
        is_negated: Whether what starts at a place is said not to be so.
    """
    for run in HAN.finditer(left):
        for start, end, kind in _cover(run[0], record):
            at, stop = run.start() + start, run.start() + end
            if kind == "record":
                yield at, stop, "negation" if is_negated(at) else ""
            elif kind == "":
                asked = is_negated(at) and run[0][start:end] in record.query
                yield at, stop, "" if asked else "word"


def _cover(run: str, record: Record) -> list[tuple[int, int, str]]:
    """Returns the cheapest cover: spans with "glue", "record", or "" for one left over."""
    best: list[tuple[int, int, int, str]] = [(0, 0, 0, "")]
    for end in range(1, len(run) + 1):
        options = [(best[end - 1][0] + 1, best[end - 1][1] + 1, end - 1, "")]
        for start in range(max(0, end - _LONGEST), end):
            piece = run[start:end]
            cost, pieces = best[start][0], best[start][1] + 1
            if piece in GLUE:
                options.append((cost, pieces, start, "glue"))
            elif end - start >= _SHORTEST and piece in record.folded:
                options.append((cost, pieces, start, "record"))
        best.append(min(options))
    spans: list[tuple[int, int, str]] = []
    end = len(run)
    while end:
        _, _, start, kind = best[end]
        if spans and kind == spans[-1][2] == "":
            spans[-1] = (start, spans[-1][1], "")
        else:
            spans.append((start, end, kind))
        end = start
    return spans[::-1]
