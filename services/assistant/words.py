"""Word overlap of short questions: cosine of tf-idf, with an inverted index that grows.

It stands beside the encoder, and in for it where that is lost.
"""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from shared.text.analysis import terms
from shared.text.normalise import fold

_HAN: Final = re.compile(r"[\u3400-\u9fff]+")
_KEPT: Final = 4_096


@lru_cache(maxsize=_KEPT)
def features(text: str) -> Mapping[str, int]:
    """Returns words by count; of Chinese its characters and pairs of them as well."""
    found = Counter(terms(text))
    for run in _HAN.findall(fold(text)):
        found.update(run)
        found.update(run[at : at + 2] for at in range(len(run) - 1))
    return found


class WordIndex:
    """Questions by their words. Rows are numbered in the order in which they are added."""

    def __init__(self) -> None:
        self._postings: dict[str, list[tuple[int, int]]] = defaultdict(list)
        self._rows: list[Mapping[str, int]] = []
        self._norms: npt.NDArray[np.float64] | None = None

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, text: str) -> None:
        """Adds a question."""
        row = len(self._rows)
        found = features(text)
        self._rows.append(found)
        for word, count in found.items():
            self._postings[word].append((row, count))
        self._norms = None  # what is rare has changed

    def cosines(self, text: str) -> npt.NDArray[np.float64]:
        """Returns the cosine of a text with each row, 0 to 1."""
        scores = np.zeros(len(self._rows))
        asked = features(text)
        norm = math.sqrt(sum(self._weight(word, count) ** 2 for word, count in asked.items()))
        if not norm or not len(self):
            return scores
        for word, count in asked.items():
            weight = self._weight(word, count)
            for row, other in self._postings.get(word, ()):
                scores[row] += weight * self._weight(word, other)
        return scores / (norm * self._lengths())

    def _weight(self, word: str, count: int) -> float:
        rows = len(self._postings.get(word, ()))
        return (1.0 + math.log(count)) * math.log((1.0 + len(self._rows)) / (0.5 + rows))

    def _lengths(self) -> npt.NDArray[np.float64]:
        if self._norms is None:
            squares = [
                sum(self._weight(word, count) ** 2 for word, count in row.items())
                for row in self._rows
            ]
            self._norms = np.sqrt(np.maximum(squares, 1e-9))
        return self._norms
