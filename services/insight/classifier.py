"""Reads topics and mood of texts, a batch at once, and masks personal data before all else."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from services.insight.domain import Cell, Mention, Mood
from services.insight.domain_file import Domain
from services.insight.opinion_model import OpinionModel
from shared.privacy.personal import masked
from shared.text.language import detect_language
from shared.text.normalise import fold
from shared.text.polarity import Polarity

NEUTRAL_BAND: Final = 0.3
"""Mood is neutral while |score| is below: the likelier side has a probability under 0.65."""
_WORD_LOGIT: Final = 1.0
_LANGUAGE_CHARACTERS: Final = 80
"""Of a text that its language is told by: looking at each costs more than all else."""
_HAN: Final = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]")


@dataclass(frozen=True, slots=True)
class Post:
    """A text as it came.

    Attributes:
        id: The caller's.
        at_ms: Event time in milliseconds since 1970.
        text: What was written.
        product_id: What it is about; empty for none.
        brand: Likewise.
        user_id: Who wrote it; empty where it is not known.
        source_id: Where it comes from; likewise.
    """

    id: str
    at_ms: int
    text: str
    product_id: str = ""
    brand: str = ""
    user_id: str = ""
    source_id: str = ""


class Classifier:
    """Turns posts into mentions.

    Args:
        domain: Topics and words.
        model: Reads moods where the domain uses it; None where it does not.
    """

    def __init__(self, domain: Domain, model: OpinionModel | None) -> None:
        self._domain = domain
        self._model = model if domain.uses_model else None
        self._words = Polarity(domain.polarity)

    def read(self, posts: Sequence[Post]) -> list[Mention]:
        """Reads posts; the same text gives the same answer in any batch."""
        texts = [masked(post.text) for post in posts]
        folded = [fold(text) for text in texts]
        scores = self.scores(folded)
        return [
            Mention(
                post.id,
                post.at_ms,
                text,
                Cell(self._domain.topics_of(plain), post.product_id, post.brand),
                mood_of(score),
                score,
                detect_language(text[:_LANGUAGE_CHARACTERS])[0],
                post.user_id,
                post.source_id,
            )
            for post, text, plain, score in zip(posts, texts, folded, scores, strict=True)
        ]

    def scores(self, folded: Sequence[str]) -> list[float]:
        """Returns the moods of folded texts, -1 to 1."""
        logits = np.zeros(len(folded))
        if self._model is not None:
            logits = self._model.logits(folded, [_HAN.search(t) is not None for t in folded])
        words = (self._words.total(text) for text in folded)
        return [
            math.tanh((float(logit) + _WORD_LOGIT * total) / 2)
            for logit, total in zip(logits, words, strict=True)
        ]


def mood_of(score: float) -> Mood:
    """Returns the mood of a score."""
    if abs(score) < NEUTRAL_BAND:
        return Mood.NEUTRAL
    return Mood.POSITIVE if score > 0 else Mood.NEGATIVE
