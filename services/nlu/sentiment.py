"""Sentiment: mood of a short text by the lexicon of what shoppers say."""

from typing import Final

from services.nlu.domain import Sentiment, SentimentLabel
from shared.text.polarity import Polarity, shop_weights

_POLARITY: Final = Polarity(shop_weights())
# |score| below this is neutral; tanh makes one strong word about 0.76.
_NEUTRAL_BAND: Final = 0.25
_SCALE: Final = 2.0


def read_sentiment(text: str) -> Sentiment:
    """Reads the mood of a folded text.

    Returns:
        Class, score (-1 to 1) and confidence: 0.5 on a border, towards 1 away from it.
    """
    total = _POLARITY.total(text)
    # x / (1 + |x|) keeps the score inside (-1, 1) and its sign.
    score = (total / _SCALE) / (1 + abs(total) / _SCALE)
    distance = abs(abs(score) - _NEUTRAL_BAND)
    confidence = min(0.95, 0.5 + (1.8 if abs(score) < _NEUTRAL_BAND else 1.0) * distance)
    if abs(score) < _NEUTRAL_BAND:
        return Sentiment(SentimentLabel.NEUTRAL, score, confidence)
    label = SentimentLabel.POSITIVE if score > 0 else SentimentLabel.NEGATIVE
    return Sentiment(label, score, confidence)
