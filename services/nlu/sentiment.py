"""Sentiment: mood of a short text by a polarity lexicon with negation and degree.

Queries are mostly neutral and wishes are no praise: "best headphones" asks, it does not judge. So
words that shoppers use to ask ("best", "good", "cheap") weigh little. After Taboada et al.,
"Lexicon-based methods for sentiment analysis" (2011), much simplified.
"""

import re
from importlib.resources import files
from typing import Final

from services.nlu.domain import Sentiment, SentimentLabel


def _read_polarity() -> dict[str, float]:
    polarity: dict[str, float] = {}
    text = files("services.nlu").joinpath("data/polarity.txt").read_text("utf-8")
    for line in text.splitlines():
        if not line.startswith("#"):
            weight, _, words = line.partition(": ")
            polarity.update(dict.fromkeys(words.split(), float(weight)))
    return polarity


_POLARITY: Final = _read_polarity()
_LATIN = re.compile(r"[a-z][a-z']*")
_HAN_WORDS = re.compile(
    "|".join(sorted((word for word in _POLARITY if not word.isascii()), key=len, reverse=True))
)
_NOT: Final = frozenset(
    ("not", "no", "never", "hardly", "without", "don't", "doesn't", "didn't", "isn't", "wasn't")
)
_MORE: Final = frozenset(("very", "really", "so", "extremely", "absolutely", "too", "super"))
_HAN_NOT = re.compile(r"(?:不|没|没有|并不|不太|不是很|不怎么)$")
_HAN_MORE = re.compile(r"(?:很|太|非常|特别|超级|真的?|极其)$")
_REACH = 3
_DEGREE, _FLIP = 1.5, -0.7
# |score| below this is neutral; tanh makes one strong word about 0.76.
_NEUTRAL_BAND: Final = 0.25
_SCALE: Final = 2.0


def read_sentiment(text: str) -> Sentiment:
    """Reads the mood of a folded text.

    Returns:
        Class, score (-1 to 1) and confidence: 0.5 on a border, towards 1 away from it.
    """
    total = _latin(text) + _han(text)
    # x / (1 + |x|) keeps the score inside (-1, 1) and its sign.
    score = (total / _SCALE) / (1 + abs(total) / _SCALE)
    distance = abs(abs(score) - _NEUTRAL_BAND)
    confidence = min(0.95, 0.5 + (1.8 if abs(score) < _NEUTRAL_BAND else 1.0) * distance)
    if abs(score) < _NEUTRAL_BAND:
        return Sentiment(SentimentLabel.NEUTRAL, score, confidence)
    label = SentimentLabel.POSITIVE if score > 0 else SentimentLabel.NEGATIVE
    return Sentiment(label, score, confidence)


def _latin(text: str) -> float:
    words = _LATIN.findall(text.replace("’", "'"))
    total = 0.0
    for index, word in enumerate(words):
        weight = _POLARITY.get(word, 0.0)
        if weight:
            before = words[max(0, index - _REACH) : index]
            weight *= _DEGREE if _MORE.intersection(before) else 1.0
            weight *= _FLIP if _NOT.intersection(before) else 1.0
            total += weight
    return total


def _han(text: str) -> float:
    total = 0.0
    for found in _HAN_WORDS.finditer(text):
        before = text[max(0, found.start() - _REACH) : found.start()]
        weight = _POLARITY[found[0]]
        weight *= _DEGREE if _HAN_MORE.search(before) else 1.0
        weight *= _FLIP if _HAN_NOT.search(before) else 1.0
        total += weight
    return total
