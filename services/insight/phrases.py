"""The phrases that set a surge apart: log-odds ratios with an informative Dirichlet prior.

Monroe, Colaresi and Quinn, "Fightin' Words" (Political Analysis 16, 2008), equations 16, 19 and 22.
A text counts a phrase once, so that one long complaint does not speak for all. Compared are the
negatives of a surge with earlier negatives, so that words of any complaint cancel out.
"""

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from shared.text.normalise import fold
from shared.text.segmentation import cut_words
from shared.text.stop_words import STOP_WORDS

_WORD: Final = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_MASK: Final = re.compile(r"\[[a-z -]+\]")
_PRIOR_WEIGHT: Final = 200.0
_SIGNIFICANT: Final = 1.96
_LONGEST: Final = 20
_SAME: Final = 0.75


@dataclass(frozen=True, slots=True)
class Phrase:
    """A phrase that a surge says more often than what was said before.

    Attributes:
        text: One word, or two that stand together, folded.
        texts: Texts of the surge that say it.
        score: Standard normal score (z) of its log-odds ratio.
    """

    text: str
    texts: int
    score: float


def driving_phrases(surge: Sequence[str], before: Sequence[str], *, limit: int = 8) -> list[Phrase]:
    """Returns the phrases that drive a surge, most telling first.

    Args:
        surge: Its negative texts.
        before: Negative texts of before, to compare with; may be empty.
        limit: Most phrases.
    """
    now, then = _document_counts(surge), _document_counts(before)
    both = now + then
    whole_now, whole_then = now.total(), then.total()
    scale = _PRIOR_WEIGHT / max(both.total(), 1)
    least = 2 if len(surge) < 30 else 3  # noqa: PLR2004 - a phrase of one text drives nothing
    found: list[Phrase] = []
    for phrase, count in now.items():
        if count < least:
            continue
        prior = both[phrase] * scale
        ratio = _log_odds(count + prior, whole_now + _PRIOR_WEIGHT)
        ratio -= _log_odds(then[phrase] + prior, whole_then + _PRIOR_WEIGHT)
        score = ratio / math.sqrt(1 / (count + prior) + 1 / (then[phrase] + prior))
        if score >= _SIGNIFICANT:
            found.append(Phrase(phrase, count, score))
    found.sort(key=lambda each: (-each.score, each.text))
    return _distinct(found, limit)


@lru_cache(maxsize=8_192)
def phrases_of(text: str) -> frozenset[str]:
    """Returns words of a text and pairs of neighbours, without stop words."""
    folded = _MASK.sub(" ", fold(text))
    words = [(w, start, end) for w, start, end in cut_words(folded) if _WORD.fullmatch(w)]
    telling = [_tells(word) for word, _, _ in words]
    found = {word for (word, _, _), tells in zip(words, telling, strict=True) if tells}
    for at in range(len(words) - 1):
        (_, start, first_end), (second, second_start, end) = words[at], words[at + 1]
        near = folded[first_end:second_start] in ("", " ")
        either = telling[at] or telling[at + 1]
        bare = STOP_WORDS.isdisjoint((words[at][0], second))
        if near and either and bare and end - start <= _LONGEST:
            found.add(folded[start:end])
    return frozenset(found)


def _tells(word: str) -> bool:
    if word in STOP_WORDS or word.isdigit():
        return False
    return len(word) > 1


def _document_counts(texts: Sequence[str]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(phrases_of(text))
    return counts


def _log_odds(count: float, whole: float) -> float:
    return math.log(count / max(whole - count, 1e-9))


def _distinct(found: Sequence[Phrase], limit: int) -> list[Phrase]:
    """Leaves out phrases that say little more, or less, than one before them."""
    kept: list[Phrase] = []
    for phrase in found:
        if all(not _alike(phrase, other) for other in kept):
            kept.append(phrase)
        if len(kept) == limit:
            break
    return kept


def _alike(one: Phrase, other: Phrase) -> bool:
    inside = one.text in other.text or other.text in one.text
    few, many = sorted((one.texts, other.texts))
    return inside and few >= _SAME * many
