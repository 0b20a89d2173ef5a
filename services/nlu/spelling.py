"""Spelling: corrects Latin words that the catalogue does not know to words that it does.

A noisy channel: of the catalogue's words near to what was typed, the one that maximises the product
of its own probability, its probability beside its neighbours, and that of the errors that lead from
it to what was typed. A logistic regression over what tells sure corrections from doubtful ones
gives the confidence, calibrated on typing errors that were kept apart.

What has good matches as it stands is never touched: words that the catalogue, the lexicons or
written English hold, numbers, model numbers and short words.
Chinese is left alone; its typing errors are of another kind.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from math import log
from typing import Final

from rapidfuzz.distance import OSA
from rapidfuzz.process import extract

from services.nlu.catalogue_terms import CatalogueTerms
from services.nlu.compounds import Compounds
from services.nlu.condition_words import correct_condition
from services.nlu.domain import Correction
from services.nlu.spelling_model import SpellingModel, learnt_spelling
from services.nlu.typing_errors import ErrorKind
from shared.text.lexicon import LexiconKind
from shared.text.lexicon.kinds import read_entries
from shared.text.normalise import fold
from shared.text.stop_words import STOP_WORDS

WORD: Final = re.compile(r"(?<![\w./'’-])[a-z]+(?![\w./'’-])", re.IGNORECASE)
APPLY_FROM: Final = 0.8
_SUGGEST_FROM: Final = 0.5
# Words written apart are one wherever titles have that one: 16 of 4,774 real queries by two
# catalogues, all of them meant so. Words written together may be names ("paperwhite"): suggested.
_JOINED, _SPLIT = 0.9, 0.6
_MIN_LENGTH: Final = 5
# Long words carry enough letters to be told by two errors.
_LONG: Final = 7
# A word in fewer products is as likely a name or a typing error itself: so many, or so small a
# share of the products that hold the commonest word.
_MIN_COUNT: Final = 5
_MIN_SHARE: Final = 1 / 500
# Candidates that the channel weighs: the nearest by plain distance, then the most frequent.
_CANDIDATES: Final = 8
# Pairs seen so often say as much of a word's neighbours as the word's frequency does.
_PAIR_PRIOR: Final = 10.0
_MOST_CONTEXT: Final = 4.0
_NO_RIVAL: Final = 6.0
# One letter for another that is neither near nor heard alike makes words ("masking", "marking").
_REPLACED: Final = frozenset({ErrorKind.NEAR_KEY, ErrorKind.OTHER})
# What such an error can be sure of at most: suggested, never applied. Names that no list holds
# ("verizon", "veriton") differ like this more often than typing errors do.
_OF_ANOTHER_WORD: Final = 0.75
# Brands are spelt by ear, also where English has the word ("phillips").
_BY_EAR: Final = frozenset({ErrorKind.DOUBLED, ErrorKind.UNDOUBLED, ErrorKind.SOUND})


@dataclass(frozen=True, slots=True)
class Judgement:
    """The best correction of a word, with what its confidence is judged by (see FEATURES)."""

    word: str
    features: tuple[float, ...]
    errors: tuple[ErrorKind, ...]


@dataclass(frozen=True, slots=True)
class _Candidate:
    word: str
    score: float
    cost: float
    context: float
    errors: tuple[ErrorKind, ...]
    first: bool


class SpellingChecker:
    """Corrects against one version of the catalogue's vocabulary."""

    def __init__(self, terms: CatalogueTerms, model: SpellingModel | None = None) -> None:
        self._model = model or learnt_spelling()
        self._known = terms.known_words
        commonest = max(terms.vocabulary.values(), default=0)
        least = max(_MIN_COUNT, int(commonest * _MIN_SHARE))
        self._buckets = _bucket(terms.vocabulary, least)
        self._compounds = Compounds(terms, least)
        self._counts = terms.vocabulary
        self._pairs = terms.word_pairs
        self._total = max(1, sum(terms.vocabulary.values()))
        self._brands = frozenset(fold(brand) for brand in terms.brands)

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
        found = list(WORD.finditer(query))
        words = [fold(match[0]) for match in found]
        corrections: list[Correction] = []
        for at, match in enumerate(found):
            start, end = match.span()
            if corrections and start < corrections[-1].end:  # the second half of a compound
                continue
            following = found[at + 1] if at + 1 < len(found) else None
            if following and (best := self._joined(query, match, following)):
                end, confidence = following.end(), _JOINED
            else:
                best, confidence = self.correct(words, at, query[end:])
            if confidence >= _SUGGEST_FROM:
                applied = not keep and confidence >= APPLY_FROM
                corrections.append(
                    Correction(query[start:end], best, start, end, confidence, applied)
                )
        return corrections

    def _joined(self, query: str, first: re.Match[str], second: re.Match[str]) -> str:
        """Two neighbours as the compound that titles have; "" where there is none."""
        if not query[first.end() : second.start()].isspace():
            return ""
        return self._compounds.joined(fold(first[0]), fold(second[0]))

    def judge(self, words: Sequence[str], at: int) -> Judgement | None:
        """Judges one word of a query, without deciding.

        Args:
            words: The query's folded words.
            at: Place of the word.

        Returns:
            The likeliest correction; None where the word is right as it is or nothing is near.
        """
        typed = words[at]
        if len(typed) < _MIN_LENGTH or self._is_known(typed):
            return None
        candidates = sorted(self._weigh(words, at), key=lambda item: -item.score)
        if not candidates:
            return None
        best = candidates[0]
        if typed in _english_words() and not self._is_heard_as_brand(best):
            return None
        forms = _inflections(best.word)
        rivals = (
            item.score
            for item in candidates[1:]
            if item.word not in forms and best.word not in _inflections(item.word)
        )
        gap = min(_NO_RIVAL, best.score - max(rivals, default=best.score - _NO_RIVAL))
        beside = [words[near] for near in (at - 1, at + 1) if 0 <= near < len(words)]
        features = (
            best.cost,
            float(len(best.errors)),
            float(best.first),
            float(len(typed)),
            log(self._counts[best.word]),
            gap,
            best.context,
            float(any(self._is_known(word) for word in beside)),
            float(not _REPLACED.isdisjoint(best.errors)),
            float(self._is_compound(typed)),
        )
        return Judgement(best.word, features, best.errors)

    def correct(self, words: Sequence[str], at: int, after: str = "") -> tuple[str, float]:
        """Returns the likeliest correction of a word, with its confidence; ("", 0.0) for none.

        Args:
            words: The query's folded words.
            at: Place of the word.
            after: The query behind it, for words that conditions begin with.
        """
        if not self._is_known(words[at]) and words[at] not in _english_words():
            condition = correct_condition(words[at], after)
            if condition is not None:
                return condition
            if apart := self._compounds.split(words[at]):
                return apart, _SPLIT
        judgement = self.judge(words, at)
        if judgement is None:
            return "", 0.0
        confidence = self._model.confidence(judgement.features)
        if ErrorKind.OTHER in judgement.errors:
            confidence = min(confidence, _OF_ANOTHER_WORD)
        return judgement.word, confidence

    def _is_known(self, word: str) -> bool:
        if word in self._known or word in _general_words():
            return True
        return any(form in self._known for form in _inflections(word))

    def _is_compound(self, word: str) -> bool:
        """Whether two known words may be meant, written as one ("laptopbag")."""
        return any(
            word[:cut] in self._known and word[cut:] in self._known
            for cut in range(3, len(word) - 2)
        )

    def _is_heard_as_brand(self, candidate: _Candidate) -> bool:
        return (
            candidate.word in self._brands
            and len(candidate.errors) == 1
            and candidate.errors[0] in _BY_EAR
        )

    def _weigh(self, words: Sequence[str], at: int) -> Iterator[_Candidate]:
        typed = words[at]
        limit = 2 if len(typed) >= _LONG else 1
        near = [
            (distance, -self._counts[word], word)
            for length in range(len(typed) - limit, len(typed) + limit + 1)
            for word, distance, _ in extract(
                typed,
                self._buckets.get(length, ()),
                scorer=OSA.distance,
                score_cutoff=limit,
                limit=None,
            )
        ]
        for _, _, word in sorted(near)[:_CANDIDATES]:
            found = self._model.errors.explain(word, typed)
            context = self._context(words, at, word)
            score = log(self._counts[word] / self._total) + context - found.cost
            yield _Candidate(word, score, found.cost, context, found.errors, found.first)

    def _context(self, words: Sequence[str], at: int, candidate: str) -> float:
        """How much likelier the neighbours make a candidate, in nats; never below zero.

        Titles are no sentences: that a pair was never seen says nothing.
        """
        gain = 0.0
        for left, right in ((at - 1, at), (at, at + 1)):
            if left < 0 or right >= len(words):
                continue
            pair = (candidate, words[right]) if left == at else (words[left], candidate)
            seen = self._pairs.get(" ".join(pair), 0)
            one, two = (self._counts.get(word, 0) for word in pair)
            if seen and one and two:
                chance = one * two / self._total
                gain += log((seen + _PAIR_PRIOR) / (min(chance, seen) + _PAIR_PRIOR))
        return min(_MOST_CONTEXT, gain)


def _bucket(vocabulary: Mapping[str, int], least: int) -> dict[int, list[str]]:
    """Words by length, so that only those within reach are compared."""
    buckets: dict[int, list[str]] = defaultdict(list)
    for word, count in vocabulary.items():
        if count >= least and word.isascii() and word.isalpha():
            buckets[len(word)].append(word)
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


@lru_cache(maxsize=1)
def _english_words() -> frozenset[str]:
    """Words of written English, rare ones and names included (see data/README.md)."""
    text = files("services.nlu").joinpath("data/written_words.txt").read_text("utf-8")
    return frozenset(text.split())


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
