"""Finds completions of a prefix: a sorted list of keys, searched by bisection."""

import math
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
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
_PENALTIES: Final = {
    KeyKind.START: 0.0,
    KeyKind.WORD: 1.0,
    KeyKind.PINYIN: 0.0,
    KeyKind.INITIALS: 0.5,
}
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
    by_pinyin: bool = False


class _Table:
    """Sorted keys with the weights and numbers of their entries."""

    def __init__(self, keyed: Iterable[tuple[Key, int]], entries: Sequence[Entry]) -> None:
        rows = sorted(keyed, key=lambda row: row[0].text)
        self.keys = [key for key, _ in rows]
        self.texts = [key.text for key in self.keys]
        self.numbers = [number for _, number in rows]
        scores = [entries[n].score - _PENALTIES[k.kind] for k, n in rows]
        self.weights: NDArray[np.float64] = np.array(scores, dtype=np.float64)

    def best(self, prefix: str, most: int) -> list[int]:
        """Returns the places of the heaviest keys that begin so, in no order."""
        low = bisect_left(self.texts, prefix)
        high = bisect_left(self.texts, prefix + _LAST)
        if high - low <= most:
            return list(range(low, high))
        chosen = np.argpartition(-self.weights[low:high], most - 1)[:most]
        return [low + int(at) for at in chosen]

    def begins(self, prefix: str) -> bool:
        """Whether any key begins so."""
        at = bisect_left(self.texts, prefix)
        return at < len(self.texts) and self.texts[at].startswith(prefix)


class CompletionIndex:
    """Entries by what may be typed for them. Immutable; making one takes 20 to 150 µs an entry."""

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self._entries = list(entries)
        keyed = [
            (key, number)
            for number, entry in enumerate(self._entries)
            for key in keys_of(entry.text)
            if key.text
        ]
        # Apart, so that neither crowds out the other where both begin alike.
        self._letters = _Table(((k, n) for k, n in keyed if not k.by_pinyin), self._entries)
        self._pinyin = _Table(((k, n) for k, n in keyed if k.by_pinyin), self._entries)
        # Two texts of the same words are one completion: "smartphone", "Smartphones".
        self._stems = [" ".join(terms(entry.text)) or fold(entry.text) for entry in self._entries]

    def __len__(self) -> int:
        return len(self._entries)

    def find(self, prefix: str, limit: int, *, corrected: bool = False) -> dict[str, Match]:
        """Returns the best entries that a folded prefix begins, by their stem.

        At most `limit` by letters, best first, and behind them as many by pinyin.
        """
        found: dict[str, Match] = {}
        for table in (self._letters, self._pinyin):
            merge(found, self._look(table, prefix, limit, corrected))
        return found

    def find_corrected(self, prefix: str, limit: int) -> dict[str, Match]:
        """Returns the best entries that a prefix begins once one letter of it is mended."""
        if len(prefix) < SHORTEST or not prefix.isascii():
            return {}
        found: dict[str, Match] = {}
        for table in (self._letters, self._pinyin):
            for mended in one_edit_away(prefix, table.begins):
                merge(found, self._look(table, mended, limit, corrected=True))
        return found

    def _look(self, table: _Table, prefix: str, limit: int, corrected: bool) -> dict[str, Match]:
        best = table.best(prefix, limit * _SURPLUS)
        # Of equals the kind of product comes before a word that is in titles.
        best.sort(key=lambda at: (-table.weights[at], self._entries[table.numbers[at]].source, at))
        found: dict[str, Match] = {}
        for at in best:
            stem = self._stems[table.numbers[at]]
            if stem not in found:
                found[stem] = self._match(table, at, prefix, corrected)
            if len(found) == limit:
                break
        return found

    def _match(self, table: _Table, at: int, prefix: str, corrected: bool) -> Match:
        key, entry = table.keys[at], self._entries[table.numbers[at]]
        weight = float(table.weights[at])
        # Folding may change lengths; then what was typed cannot be shown in the text.
        moved = len(fold(entry.text)) != len(entry.text)
        if key.by_pinyin or corrected or moved:
            return Match(entry, weight, corrected=corrected, by_pinyin=key.by_pinyin)
        return Match(entry, weight, key.offset, key.offset + len(prefix.rstrip()))


def merge(into: dict[str, Match], found: Mapping[str, Match]) -> None:
    """Adds matches to others by their stem; of two the heavier one stays."""
    for stem, match in found.items():
        if stem not in into or into[stem].weight < match.weight:
            into[stem] = match


def ordered(found: Mapping[str, Match], limit: int, language: str = "") -> Sequence[Match]:
    """Returns matches best first.

    As typed before mended; those of the language first, as far as scripts tell; letters are taken
    for pinyin only after that, or first of all when the language is Chinese.
    """

    def place(match: Match) -> tuple[bool, bool, bool, float, str]:
        chinese = language == "zh"
        other = bool(language) and has_han(match.entry.text) != chinese
        guessed = match.by_pinyin and not chinese
        return match.corrected, other, guessed, -match.weight, match.entry.text

    return sorted(found.values(), key=place)[:limit]
