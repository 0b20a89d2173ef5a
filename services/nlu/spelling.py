"""Spelling: corrects Latin words that the catalogue does not know to words that it does.

Candidates are the catalogue's own words within a short Damerau-Levenshtein distance (Damerau, "A
technique for computer detection and correction of spelling errors", 1964), by the noisy-channel
rule of thumb: near, frequent, unrivalled. What might be a name stays as it is: numbers, model
numbers, short words, and whatever the catalogue or the lexicons hold are never touched. Chinese is
left alone; its typing errors are of another kind.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib.resources import files
from itertools import pairwise
from typing import Final

from rapidfuzz.distance import OSA

from services.nlu.catalogue_terms import CatalogueTerms
from services.nlu.domain import Correction
from shared.text.lexicon import LexiconKind
from shared.text.lexicon.kinds import read_entries
from shared.text.normalise import fold
from shared.text.stop_words import STOP_WORDS

_WORD = re.compile(r"(?<![\w./'’-])[a-z]+(?![\w./'’-])", re.IGNORECASE)
_MIN_LENGTH: Final = 5
# Long words carry enough letters to be told by two errors.
_LONG: Final = 9
# A word in fewer products is as likely a name or a typing error itself: so many, or so small a
# share of the products that hold the commonest word.
_MIN_COUNT: Final = 5
_MIN_SHARE: Final = 1 / 200
_VOWELS: Final = frozenset("aeiouy")
_APPLY_FROM: Final = 0.8
_SUGGEST_FROM: Final = 0.5
# A rival this many times rarer does not make the choice doubtful.
_DOMINANCE: Final = 10


class SpellingChecker:
    """Corrects against one version of the catalogue's vocabulary."""

    def __init__(self, terms: CatalogueTerms) -> None:
        self._known = terms.known_words
        commonest = max(terms.vocabulary.values(), default=0)
        self._buckets = _bucket(terms.vocabulary, max(_MIN_COUNT, int(commonest * _MIN_SHARE)))
        self._counts = terms.vocabulary

    def check(self, query: str, keep: bool = False) -> list[Correction]:
        """Finds misspelt words.

        Args:
            query: The query as received.
            keep: Suggest only, apply nothing.

        Returns:
            Corrections in order of their spans.
        """
        if not self._buckets:
            return []
        corrections: list[Correction] = []
        for found in _WORD.finditer(query):
            word = fold(found[0])
            if len(word) < _MIN_LENGTH or self._is_known(word):
                continue
            best, confidence = self._best(word)
            if confidence >= _SUGGEST_FROM:
                applied = not keep and confidence >= _APPLY_FROM
                span = found.start(), found.end()
                corrections.append(Correction(found[0], best, *span, confidence, applied))
        return corrections

    def _is_known(self, word: str) -> bool:
        if word in self._known or word in _general_words():
            return True
        return any(form in self._known for form in _inflections(word)) or self._is_compound(word)

    def _is_compound(self, word: str) -> bool:
        """Two known words written as one ("laptopbag") are left to the analyser."""
        return any(
            word[:cut] in self._known and word[cut:] in self._known
            for cut in range(3, len(word) - 2)
        )

    def _best(self, word: str) -> tuple[str, float]:
        limit = 2 if len(word) >= _LONG else 1
        near: list[tuple[int, int, str]] = []
        for candidate in self._candidates(word, limit):
            distance = OSA.distance(word, candidate, score_cutoff=limit)
            if distance <= limit:
                near.append((distance, -self._counts[candidate], candidate))
        if not near:
            return "", 0.0
        near.sort()
        distance, _, best = near[0]
        confidence = 0.9 - 0.1 * (distance - 1)
        if distance > 1 or _is_other_word(word, best):
            confidence -= 0.15
        for (_, first, one), (other, second, two) in pairwise(near[:3]):
            same = two in _inflections(one) or one in _inflections(two)
            if other == distance and not same and first > second * _DOMINANCE:
                confidence -= 0.25
                break
        return best, confidence

    def _candidates(self, word: str, limit: int) -> Iterator[str]:
        # People rarely miss the first letter (Pollock and Zamora, 1984); it also makes this fast.
        for length in range(len(word) - limit, len(word) + limit + 1):
            yield from self._buckets.get((word[0], length), ())


def _is_other_word(word: str, best: str) -> bool:
    """Whether one consonant stands for another, which makes words ("masking", "marking")."""
    if len(word) != len(best) or sorted(word) == sorted(best):
        return False
    changed = {
        letter for pair in zip(word, best, strict=True) if pair[0] != pair[1] for letter in pair
    }
    return not changed <= _VOWELS


def _bucket(vocabulary: Mapping[str, int], least: int) -> dict[tuple[str, int], list[str]]:
    buckets: dict[tuple[str, int], list[str]] = defaultdict(list)
    for word, count in vocabulary.items():
        if count >= least and word.isascii() and word.isalpha():
            buckets[word[0], len(word)].append(word)
    return dict(buckets)


@lru_cache(maxsize=1)
def _general_words() -> frozenset[str]:
    """Words that are right in any shop: the lexicons', the stop words, everyday English."""
    everyday = files("services.nlu").joinpath("data/english_words.txt").read_text("utf-8").split()
    words: set[str] = {*STOP_WORDS, *everyday}
    for kind in LexiconKind:
        for entry in read_entries(kind):
            words.update(fold(entry.form).replace("-", " ").split())
    return frozenset(words)


def _inflections(word: str) -> set[str]:
    """Other forms of an English word that a vocabulary may hold instead."""
    forms = {f"{word}es", f"{word}ing", f"{word}ed", f"{word}er"}
    if not word.endswith("s"):  # "wireles" is no singular
        forms.add(f"{word}s")
    for ending in ("s", "es", "ing", "ed", "er", "ers", "y", "ly"):
        if word.endswith(ending) and len(word) - len(ending) > 2:  # noqa: PLR2004 (a stem)
            stem = word[: -len(ending)]
            forms |= {stem, f"{stem}e", f"{stem}s"}
            if stem[-1:] == stem[-2:-1]:
                forms.add(stem[:-1])
    if word.endswith("ies"):
        forms.add(f"{word[:-3]}y")
    return forms
