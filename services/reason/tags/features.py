"""What the model reads of a product: weighted words, pairs of words, and its categories.

Weights are (1 + log tf) * idf in unit rows (Salton and Buckley, "Term-weighting approaches in
automatic text retrieval", 1988). Reviews are no feature: who has none would look unlike the others.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.reason.tags.passages import Passage
from services.reason.tags.vocabulary import Path
from shared.text.analysis import analyse

Row = tuple[NDArray[np.int64], NDArray[np.float64]]
"""Columns and their weights."""
_TITLE_COUNTS: Final = 2
_CATEGORY_WEIGHT: Final = 0.5
_CATEGORY: Final = "category:"


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a feature stands: passage and [start, end) in code points."""

    passage: int
    start: int
    end: int


@dataclass(frozen=True)
class Reading:
    """A product as the model reads it.

    Attributes:
        passages: Its texts.
        path: Its category.
    """

    passages: Sequence[Passage]
    path: Path

    @cached_property
    def words(self) -> dict[str, list[Spot]]:
        """Words and pairs of words of titles and descriptions, with their places."""
        return read_words(self.passages)

    @cached_property
    def counts(self) -> Counter[str]:
        """How often each stands there; in a title twice as often."""
        return Counter(
            {
                word: sum(_TITLE_COUNTS if self.passages[s.passage].is_title else 1 for s in spots)
                for word, spots in self.words.items()
            }
        )


def read_words(passages: Sequence[Passage]) -> dict[str, list[Spot]]:
    """Returns the words and pairs of words of titles and descriptions, with their places."""
    found: dict[str, list[Spot]] = defaultdict(list)
    for place, passage in enumerate(passages):
        if passage.is_review:
            continue
        words = [term for term in analyse(passage.body) if term.normalized]
        for word in words:
            found[word.normalized].append(Spot(place, word.start, word.end))
        if passage.is_title:
            continue
        for one, other in pairwise(words):
            if other.start >= one.end:  # a compound and its part are no pair
                pair = f"{one.normalized} {other.normalized}"
                found[pair].append(Spot(place, one.start, other.end))
    return found


@dataclass(frozen=True)
class Features:
    """Columns of the words and categories that training saw.

    Attributes:
        columns: Name -> column; categories come as "category:a/b".
        idf: Of each column; of categories their fixed weight.
    """

    columns: Mapping[str, int]
    idf: NDArray[np.float64]

    @cached_property
    def names(self) -> list[str]:
        """Name of each column."""
        return sorted(self.columns, key=lambda name: self.columns[name])

    @classmethod
    def learn(cls, readings: Sequence[Reading], least: int, most: int) -> "Features":
        """Returns the columns of what at least `least` products hold, the `most` common ones."""
        frequency = Counter(word for reading in readings for word in reading.counts)
        kept = [w for w, n in frequency.most_common(most) if n >= least]
        idf = [math.log((1 + len(readings)) / (1 + frequency[word])) + 1 for word in kept]
        categories = sorted({name for r in readings for name in _category_names(r.path)})
        names = [*kept, *categories]
        weights = np.array([*idf, *([_CATEGORY_WEIGHT] * len(categories))])
        return cls({name: at for at, name in enumerate(names)}, weights)

    def row(self, reading: Reading) -> Row:
        """Returns the features of a product."""
        known = [(self.columns[w], n) for w, n in reading.counts.items() if w in self.columns]
        columns = np.array([column for column, _ in known], dtype=np.int64)
        weights = (1 + np.log(np.array([n for _, n in known], dtype=np.float64))) * self.idf[
            columns
        ]
        length = float(np.sqrt(weights @ weights)) or 1.0
        of_path = [self.columns[n] for n in _category_names(reading.path) if n in self.columns]
        categories = np.array(of_path, dtype=np.int64)
        return (
            np.concatenate([columns, categories]),
            np.concatenate([weights / length, self.idf[categories]]),
        )


def _category_names(path: Path) -> list[str]:
    return [_CATEGORY + "/".join(path[: level + 1]) for level in range(len(path))]
