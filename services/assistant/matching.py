"""Matching: which known answer a question wants, and how likely it is that one.

Each answer has example questions. A question is compared with them by vector and by words, and with
the answer's concern by what the NLU reads; a logistic model over these three, fitted by
`services.assistant.train`, gives the probability that the answer is right.
"""

import json
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from services.assistant.domain import Language, Message, Vector
from services.assistant.words import WordIndex

BUNDLED: Final = Path(__file__).parent / "data" / "matcher.json"
ENCODER_LANGUAGES: Final[tuple[Language, ...]] = ("en", "zh")
"""Languages whose texts have vectors; elsewhere words and the NLU's label decide."""


class Weights(BaseModel):
    """Log-odds that an answer is right, by feature, and the threshold at which it is given."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    bias: float
    cosine: float
    label: float
    words: float
    threshold: float = Field(ge=0, le=1)


class MatcherWeights(BaseModel):
    """Weights with a vector, and by words alone: another language, or a lost encoder.

    An answer without a concern that the NLU knows, such as a help article, has weights of its own.
    Vectors of Chinese are another model's, and have weights of their own; without these, words
    decide there.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    vectors: Weights
    words: Weights
    vectors_unlabelled: Weights
    words_unlabelled: Weights
    vectors_zh: Weights | None = None
    vectors_zh_unlabelled: Weights | None = None

    def of(self, language: Language, *, vectors: bool, labelled: bool) -> Weights:
        """Returns those of an answer."""
        found = None
        if vectors and language == "zh":
            found = self.vectors_zh if labelled else self.vectors_zh_unlabelled
        elif vectors:
            found = self.vectors if labelled else self.vectors_unlabelled
        return found or (self.words if labelled else self.words_unlabelled)


@dataclass(frozen=True, slots=True)
class Match:
    """An answer and the probability that it is right; `threshold` is that of its weights."""

    answer_id: str
    intent: str
    confidence: float
    threshold: float

    @property
    def sure(self) -> bool:
        """Whether it may be given."""
        return self.confidence >= self.threshold


@dataclass(frozen=True, slots=True)
class Features:
    """What is compared of one answer."""

    answer_id: str
    intent: str
    cosine: float
    label: float
    words: float


class Matcher:
    """Answers with their example questions. For one thread.

    Args:
        weights: Of the features; the bundled ones when None.
    """

    def __init__(self, weights: MatcherWeights | None = None) -> None:
        self._weights = weights or read_weights()
        self._intents: dict[str, str] = {}
        self._words: dict[Language, WordIndex] = defaultdict(WordIndex)
        self._rows: dict[Language, list[str]] = defaultdict(list)
        self._vectors: dict[Language, list[Vector | None]] = defaultdict(list)
        self._without_vector: dict[Language, int] = defaultdict(int)
        self._matrix: dict[Language, npt.NDArray[np.float32]] = {}
        self._places: dict[Language, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))

    def add(
        self, answer_id: str, intent: str, language: Language, text: str, vector: Vector | None
    ) -> None:
        """Adds an example question of an answer.

        Args:
            answer_id: Of the answer; one that is new is known from now on.
            intent: The NLU's label of its concern, "" when there is none.
            language: Of the question.
            text: The question.
            vector: Its unit vector; None where there is none.
        """
        self._intents[answer_id] = intent
        self._words[language].add(text)
        self._places[language][answer_id].append(len(self._rows[language]))
        self._rows[language].append(answer_id)
        self._vectors[language].append(vector)
        self._without_vector[language] += vector is None
        self._matrix.pop(language, None)

    def needs_vectors(self, language: Language) -> bool:
        """Whether examples of a language are still without a vector."""
        return language in ENCODER_LANGUAGES and self._without_vector[language] > 0

    def match(self, message: Message, without_rows: Sequence[int] = ()) -> list[Match]:
        """Returns the answers, those that may be given first, then the likeliest.

        Of equals the one that was added first comes first.

        Args:
            message: What was asked.
            without_rows: Examples of its language to leave out, by number (for fitting).
        """
        vectors = (
            message.vector is not None
            and message.language in ENCODER_LANGUAGES
            and not self.needs_vectors(message.language)
        )
        found: list[Match] = []
        for each in self.features(message, without_rows):
            # Where the NLU is lost there are no labels, and none is missed.
            labelled = bool(each.intent) and bool(message.intent)
            weights = self._weights.of(message.language, vectors=vectors, labelled=labelled)
            confidence = probability(weights, each)
            found.append(Match(each.answer_id, each.intent, confidence, weights.threshold))
        return sorted(found, key=lambda each: (not each.sure, -each.confidence))

    def features(self, message: Message, without_rows: Sequence[int] = ()) -> list[Features]:
        """Returns what `match` compares, of every answer of the message's language."""
        language = message.language
        words = self._words[language].cosines(message.text)
        cosines = np.zeros(len(words), dtype=np.float32)
        if message.vector is not None and language in ENCODER_LANGUAGES and len(words):
            cosines = self._all_vectors(language, message.vector.shape[0]) @ message.vector
        for row in without_rows:
            words[row] = cosines[row] = 0.0
        return [
            Features(
                answer_id,
                intent := self._intents[answer_id],
                float(cosines[rows].max()),
                message.labels.get(intent, 0.0) if intent else 0.0,
                float(words[rows].max()),
            )
            for answer_id, rows in self._places[language].items()
        ]

    def _all_vectors(self, language: Language, dimension: int) -> npt.NDArray[np.float32]:
        if language not in self._matrix:
            blank = np.zeros(dimension, dtype=np.float32)
            self._matrix[language] = np.stack(
                [blank if each is None else each for each in self._vectors[language]]
            )
        return self._matrix[language]


def probability(weights: Weights, features: Features) -> float:
    """Returns the probability that an answer is right."""
    odds = (
        weights.bias
        + weights.cosine * features.cosine
        + weights.label * features.label
        + weights.words * features.words
    )
    return 1.0 / (1.0 + math.exp(-max(-60.0, min(60.0, odds))))


def read_weights(path: Path = BUNDLED) -> MatcherWeights:
    """Reads fitted weights.

    Raises:
        OSError: The file cannot be read.
        ValueError: It has another form.
    """
    loaded: Mapping[str, object] = json.loads(path.read_text("utf-8"))
    return MatcherWeights.model_validate(loaded)
