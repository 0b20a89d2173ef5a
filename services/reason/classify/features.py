"""What of a product's text a classifier reads, with the spans it was read from.

Words (folded, stemmed, Chinese ones cut by jieba), pairs of neighbouring Latin words, and single
characters and pairs of Han, which stand in for words the dictionary lacks.
"""

import math
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from shared.text.analysis import Term, analyse, is_number
from wherefore.common.v1.product_pb2 import Product

TITLE_WEIGHT: Final = 2.0
"""A word of the title counts as so many of the description."""
LONGEST: Final = 2_000
"""Characters of a text that are read: what comes later in a description tells little."""
_HAN: Final = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]+")


@dataclass(frozen=True, slots=True)
class Text:
    """A text of a product; `field` is "titles" or "descriptions"."""

    field: str
    language: str
    body: str


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A feature where it stands: the text's place in the list, and its span [start, end)."""

    text: int
    start: int
    end: int
    weight: float


Occurrences = Mapping[str, Sequence[Occurrence]]
"""Feature -> where it stands."""


def texts_of(product: Product) -> list[Text]:
    """Returns titles, then descriptions, each in order of language codes."""
    return [
        Text(name, code, texts[code])
        for name, texts in (("titles", product.titles), ("descriptions", product.descriptions))
        for code in sorted(texts)
    ]


def occurrences(texts: Sequence[Text]) -> Occurrences:
    """Returns what the texts hold."""
    found: dict[str, list[Occurrence]] = defaultdict(list)
    for at, text in enumerate(texts):
        weight = TITLE_WEIGHT if text.field == "titles" else 1.0
        for feature, start, end in features(text.body[:LONGEST]):
            found[feature].append(Occurrence(at, start, end, weight))
    return found


def features(text: str) -> Iterator[tuple[str, int, int]]:
    """Yields the features of a text with their spans, repeated as often as they occur."""
    before: Term | None = None
    for term in analyse(text):
        if not term.normalized or is_number(term.normalized):
            continue
        yield term.normalized, term.start, term.end
        if _HAN.match(term.text):
            before = None
        elif before is None or term.start >= before.end:
            if before is not None:
                yield f"{before.normalized} {term.normalized}", before.start, term.end
            before = term
    for run in _HAN.finditer(text):
        for start in range(run.start(), run.end()):
            # The sign keeps characters apart from words of one character.
            yield f"#{text[start]}", start, start + 1
            if start + 1 < run.end():
                yield f"#{text[start : start + 2]}", start, start + 2


def frequency(found: Sequence[Occurrence]) -> float:
    """Returns the damped frequency of a feature, 1 + ln f, with f at least 1."""
    return 1.0 + math.log(sum(each.weight for each in found))
