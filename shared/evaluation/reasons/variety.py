"""How much sentences differ: over all of them, and on a page."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from shared.text.analysis import terms

_LONGEST = 4


def distinct(texts: Sequence[str], size: int) -> float:
    """Different n-grams over all n-grams of words (distinct-n, Li et al., NAACL 2016), 0 to 1."""
    grams = [gram for words in map(terms, texts) for gram in _grams(words, size)]
    return len(set(grams)) / len(grams) if grams else 0.0


def repeats(texts: Sequence[str]) -> int:
    """How often the most repeated sentence of a page stands on it; empty ones do not count."""
    return max(Counter(filter(None, texts)).values(), default=0)


def self_bleu(texts: Sequence[str]) -> float:
    """How much the sentences of a page are alike, 0 (no word in common) to 1 (all the same).

    The mean of BLEU-4 of each sentence against all others (Zhu et al., "Texygen", SIGIR 2018), with
    counts of n-grams of two words and more smoothed by one (Lin and Och, 2004). 0 for one sentence.
    """
    pages = [words for words in map(terms, texts) if words]
    if len(pages) < 2:  # noqa: PLR2004 - nothing to be alike
        return 0.0
    scores = [_bleu(words, pages[:at] + pages[at + 1 :]) for at, words in enumerate(pages)]
    return sum(scores) / len(scores)


def _bleu(words: Sequence[str], others: Sequence[Sequence[str]]) -> float:
    logs = 0.0
    for size in range(1, _LONGEST + 1):
        own = Counter(_grams(words, size))
        most: Counter[tuple[str, ...]] = Counter()
        for other in others:
            most |= Counter(_grams(other, size))
        met = (own & most).total()
        added = int(size > 1)
        if met + added == 0:
            return 0.0
        logs += math.log((met + added) / (max(own.total(), 1) + added))
    nearest = min((abs(len(other) - len(words)), len(other)) for other in others)[1]
    brevity = min(0.0, 1 - nearest / len(words))
    return math.exp(brevity + logs / _LONGEST)


def _grams(words: Sequence[str], size: int) -> list[tuple[str, ...]]:
    return [tuple(words[at : at + size]) for at in range(len(words) - size + 1)]
