"""BM25 over short texts: what a keyword search confuses is where hard negatives come from."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

K1 = 1.2
B = 0.75


class LexicalIndex:
    """BM25 (Robertson and Zaragoza, 2009) with the weights worked out beforehand.

    Args:
        texts: What is searched.
        analyse: Text to terms, for the texts and the queries alike.
    """

    def __init__(self, texts: Sequence[str], analyse: Callable[[str], Sequence[str]]) -> None:
        self._analyse = analyse
        counts = [Counter(analyse(text)) for text in texts]
        self._terms: dict[str, int] = {}
        for count in counts:
            for term in count:
                self._terms.setdefault(term, len(self._terms))
        rows = np.repeat(np.arange(len(counts)), [len(count) for count in counts])
        columns = np.array([self._terms[term] for count in counts for term in count], dtype=int)
        frequency = np.array([n for count in counts for n in count.values()], dtype=float)
        shape = (len(counts), len(self._terms))
        lengths = np.bincount(rows, frequency, minlength=len(counts))
        norm = 1 - B + B * lengths / max(1.0, float(lengths.mean()) if counts else 1.0)
        seen = np.bincount(columns, minlength=shape[1])
        idf = np.log1p((len(counts) - seen + 0.5) / (seen + 0.5))
        weights = idf[columns] * frequency * (K1 + 1) / (frequency + K1 * norm[rows])
        # scipy's matrices have no element types.
        self._weights: Any = csr_matrix((weights, (columns, rows)), shape=shape[::-1])

    def scores(self, query: str) -> NDArray[np.float64]:
        """Returns what each text scores, (texts,); 0 where it shares no term."""
        found = sorted({self._terms[term] for term in self._analyse(query) if term in self._terms})
        texts: int = self._weights.shape[1]
        return np.asarray(self._weights[found].sum(axis=0)).ravel() if found else np.zeros(texts)

    def top(self, query: str, count: int) -> list[int]:
        """Returns the positions of at most `count` texts that share a term, best first."""
        scores = self.scores(query)
        best = np.argsort(-scores, kind="stable")[:count]
        return [int(at) for at in best if scores[at] > 0]


def character_bigrams(text: str) -> list[str]:
    """Returns the pairs of neighbouring characters, or the text itself where it has one only."""
    return [text[at : at + 2] for at in range(len(text) - 1)] or [text]
