"""Polarity: how much a text praises or blames, by a lexicon with negation and degree.

After Taboada et al., "Lexicon-based methods for sentiment analysis" (2011), much simplified.
"""

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Final

_LATIN = re.compile(r"[a-z][a-z']*")
_NOT: Final = frozenset(
    ("not", "no", "never", "hardly", "without", "don't", "doesn't", "didn't", "isn't", "wasn't")
)
_MORE: Final = frozenset(("very", "really", "so", "extremely", "absolutely", "too", "super"))
_HAN_NOT = re.compile(r"(?:不|没|没有|并不|不太|不是很|不怎么)$")
_HAN_MORE = re.compile(r"(?:很|太|非常|特别|超级|真的?|极其)$")
_REACH = 3
_DEGREE, _FLIP = 1.5, -0.7


class Polarity:
    """A lexicon of words that judge.

    Args:
        weights: Folded words, English ones single: above 0 praise, below 0 blame; 2 is strong.
    """

    def __init__(self, weights: Mapping[str, float]) -> None:
        self._weights = weights
        han = sorted((word for word in weights if not word.isascii()), key=len, reverse=True)
        self._han_words = re.compile("|".join(map(re.escape, han))) if han else None

    def total(self, text: str) -> float:
        """Returns the sum of the weights of the judging words of a folded text."""
        return self._latin(text) + self._han(text)

    def _latin(self, text: str) -> float:
        words = _LATIN.findall(text.replace("’", "'"))
        total = 0.0
        for index, word in enumerate(words):
            weight = self._weights.get(word, 0.0)
            if weight:
                before = words[max(0, index - _REACH) : index]
                weight *= _DEGREE if _MORE.intersection(before) else 1.0
                weight *= _FLIP if _NOT.intersection(before) else 1.0
                total += weight
        return total

    def _han(self, text: str) -> float:
        total = 0.0
        for found in self._han_words.finditer(text) if self._han_words else ():
            before = text[max(0, found.start() - _REACH) : found.start()]
            weight = self._weights[found[0]]
            weight *= _DEGREE if _HAN_MORE.search(before) else 1.0
            weight *= _FLIP if _HAN_NOT.search(before) else 1.0
            total += weight
        return total


@cache
def shop_weights() -> Mapping[str, float]:
    """Returns what shoppers say, English and Chinese.

    Queries are mostly neutral and wishes are no praise: "best headphones" asks, it does not judge.
    So words that shoppers use to ask ("best", "good", "cheap") weigh little.
    """
    weights: dict[str, float] = {}
    text = files("shared.text").joinpath("polarity.txt").read_text("utf-8")
    for line in text.splitlines():
        if not line.startswith("#"):
            weight, _, words = line.partition(": ")
            weights.update(dict.fromkeys(words.split(), float(weight)))
    return weights
