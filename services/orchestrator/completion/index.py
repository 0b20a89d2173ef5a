"""Finds completions of a prefix: a sorted list of keys, searched by bisection."""

import math
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.orchestrator.completion.keys import Key, KeyKind, has_han, keys_of
from services.orchestrator.completion.typos import SHORTEST, one_edit_away
from shared.text.analysis import terms
from shared.text.normalise import fold

# Behind every text that begins so.
_LAST: Final = "\U0010ffff"
# A word within a text, and letters that stand for syllables, are less likely meant.
_PENALTIES: Final = np.array([0.0, 1.0, 1.0, 1.5])
# Entries looked at for each one wanted: one entry may match by several keys, or twice by its stem.
_SURPLUS: Final = 6


class Source(IntEnum):
    """Where an entry comes from, as CompletionSource numbers it."""

    SEARCHES = 1
    PRODUCT_TYPE = 2
    BRAND = 3
    CATEGORY = 4
    TITLE_WORD = 5


# What users typed says more of what is wanted than what the shop holds: as 20 times as many do. A
# word of titles is not always a thing.
_BONUSES: Final = {Source.SEARCHES: 3.0, Source.TITLE_WORD: -0.5}


@dataclass(frozen=True, slots=True)
class Entry:
    """A text that may be what is wanted, and the number of users or products behind it."""

    text: str
    source: Source
    count: int

    @property
    def score(self) -> float:
        """Its popularity; see Completion.score."""
        return math.log1p(self.count) + _BONUSES.get(self.source, 0.0)


@dataclass(frozen=True, slots=True)
class Match:
    """An entry that matches; the span is what was typed of it, empty for pinyin."""

    entry: Entry
    weight: float
    start: int = 0
    end: int = 0
    corrected: bool = False


class CompletionIndex:
    """Entries by what may be typed for them. Immutable; making one takes 20 to 150 µs an entry."""

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self._entries = list(entries)
        keyed: list[tuple[str, int, Key]] = [
            (key.text, number, key)
            for number, entry in enumerate(self._entries)
            for key in keys_of(entry.text)
            if key.text
        ]
        keyed.sort(key=lambda item: item[0])
        self._texts: list[str] = [text for text, _, _ in keyed]
        self._keys = [key for _, _, key in keyed]
        self._numbers: NDArray[np.int64] = np.array([n for _, n, _ in keyed], dtype=np.int64)
        scores = np.array([entry.score for entry in self._entries])
        kinds = np.array([key.kind for key in self._keys], dtype=np.int64)
        self._weights: NDArray[np.float64] = (
            scores[self._numbers] - _PENALTIES[kinds] if keyed else np.empty(0)
        )
        # Two texts of the same words are one completion: "smartphone", "Smartphones".
        self._stems = [" ".join(terms(entry.text)) or fold(entry.text) for entry in self._entries]

    def __len__(self) -> int:
        return len(self._entries)

    def stem(self, entry_number: int) -> str:
        """Returns what entries that say the same share."""
        return self._stems[entry_number]

    def begins(self, prefix: str) -> bool:
        """Whether anything begins so."""
        at = bisect_left(self._texts, prefix)
        return at < len(self._texts) and self._texts[at].startswith(prefix)

    def find(self, prefix: str, limit: int, *, corrected: bool = False) -> dict[str, Match]:
        """Returns the best entries that a folded prefix begins, by their stem, best first."""
        low = bisect_left(self._texts, prefix)
        high = bisect_left(self._texts, prefix + _LAST)
        if low == high:
            return {}
        wanted = min(limit * _SURPLUS, high - low)
        best = np.argpartition(-self._weights[low:high], wanted - 1)[:wanted]
        found: dict[str, Match] = {}
        # Of equals the kind of product comes before a word that is in titles.
        order = sorted(
            (-float(self._weights[at]), self._entries[int(self._numbers[at])].source, int(at))
            for at in best + low
        )
        for weight, _, at in order:
            stem = self._stems[int(self._numbers[at])]
            if stem not in found:
                found[stem] = self._match(at, prefix, -weight, corrected)
            if len(found) == limit:
                break
        return found

    def find_corrected(self, prefix: str, limit: int) -> dict[str, Match]:
        """Returns the best entries that a prefix begins once one letter of it is mended."""
        if len(prefix) < SHORTEST or not prefix.isascii():
            return {}
        found: dict[str, Match] = {}
        for mended in one_edit_away(prefix, self.begins):
            merge(found, self.find(mended, limit, corrected=True))
        return found

    def _match(self, at: int, prefix: str, weight: float, corrected: bool) -> Match:
        key, entry = self._keys[at], self._entries[int(self._numbers[at])]
        # Folding may change lengths; then what was typed cannot be shown in the text.
        shown = (
            key.kind <= KeyKind.WORD and not corrected and len(fold(entry.text)) == len(entry.text)
        )
        if not shown:
            return Match(entry, weight, corrected=corrected)
        return Match(entry, weight, key.offset, key.offset + len(prefix.rstrip()))


def merge(into: dict[str, Match], found: dict[str, Match]) -> None:
    """Adds matches to others by their stem; of two the heavier one stays."""
    for stem, match in found.items():
        if stem not in into or into[stem].weight < match.weight:
            into[stem] = match


def in_language(match: Match, language: str) -> bool:
    """Whether a match is in a language, as far as scripts tell."""
    return not language or has_han(match.entry.text) == (language == "zh")


def ordered(found: dict[str, Match], limit: int, language: str = "") -> Sequence[Match]:
    """Returns matches best first: as typed before mended ones, those of the language first."""
    return sorted(
        found.values(),
        key=lambda m: (m.corrected, not in_language(m, language), -m.weight, m.entry.text),
    )[:limit]
