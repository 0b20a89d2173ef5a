"""The whole evaluation: thresholds of the baselines from some streams, figures from others."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from services.insight.classifier import Classifier, Post
from services.insight.domain import Mood
from services.insight.domain_file import DATA, read_domain
from services.insight.evaluation.baselines import (
    COUNTS,
    SHARES,
    Passes,
    alerts_of,
    best_threshold,
    count_over,
    share_over,
)
from services.insight.evaluation.scoring import Score, Told, replay, score, together
from services.insight.evaluation.stream import Review, Stream, Streams, StreamSettings, read_reviews
from services.insight.opinion_model import OpinionModel
from services.insight.timeline import DetectionSettings
from services.insight.windows import WindowSettings
from shared.text.normalise import fold

TUNING_SEEDS: Final = (1, 2, 3)
"""Streams that settings and thresholds were chosen on; no figure comes from them."""
FORECAST: Final = "own forecast"
COUNT: Final = "fixed number"
SHARE: Final = "fixed share"


@dataclass(frozen=True, slots=True)
class MonitorEvaluation:
    """What came of it.

    Attributes:
        scores: By system, all streams together.
        thresholds: Of the baselines, by system.
        texts: In the streams.
        moods: Accuracy on the reviews, and what part of them was called neutral.
        streams: Measured ones, and what was told in each.
    """

    scores: dict[str, Score]
    thresholds: dict[str, float]
    texts: int
    moods: dict[str, float]
    streams: list[tuple[Stream, list[Told]]]

    def as_json(self) -> dict[str, object]:
        """Returns the figures."""
        return {
            "texts": self.texts,
            "streams": len(self.streams),
            "systems": {name: each.as_json() for name, each in self.scores.items()},
            "thresholds": self.thresholds,
            "moods": self.moods,
        }


class MonitorTrial:
    """Streams that are drawn, and thresholds that are chosen; `measure` plays them.

    Half of the reviews, every other one, make the streams that the baselines' thresholds are chosen
    on; the other half make those that are measured.

    Args:
        reviews: Labelled reviews that the model has not learnt from.
        model: File of the model of opinions.
        seeds: Of the streams that are measured.
        settings: How streams are drawn.

    Raises:
        ReviewsError: The file holds no reviews that surges can be made of.
        OpinionModelError: The model's file is none.
        ValueError: A seed is one of those that settings were chosen on.
        OSError: A file cannot be read.
    """

    def __init__(
        self,
        reviews: Path,
        model: Path,
        seeds: Sequence[int],
        settings: StreamSettings | None = None,
    ) -> None:
        if known := sorted(set(seeds) & set(TUNING_SEEDS)):
            raise ValueError(f"settings were chosen on the stream of seed {known[0]}")
        drawn = settings or StreamSettings()
        self._domain = read_domain(DATA / "shop.toml")
        self._classifier = Classifier(self._domain, OpinionModel.load(model))
        self._reviews = read_reviews(reviews)
        self._windows = WindowSettings()
        tuning = Streams(self._reviews[::2], self._classifier, drawn)
        chosen = [tuning.draw(seed) for seed in TUNING_SEEDS]
        length = self._windows.seconds
        self._count = round(best_threshold(chosen, _count_over, COUNTS, length))
        self._share = best_threshold(chosen, share_over, SHARES, length)
        measured = Streams(self._reviews[1::2], self._classifier, drawn)
        self._streams = [measured.draw(seed) for seed in seeds]

    @property
    def texts(self) -> int:
        """Texts in the streams that are measured."""
        return sum(len(stream.arrivals) for stream in self._streams)

    def measure(self, on_texts: Callable[[int], None] = lambda _: None) -> MonitorEvaluation:
        """Plays the streams.

        Args:
            on_texts: Called with how many more texts are played.
        """
        length = self._windows.seconds
        streams = self._streams
        told = [replay(each, self._windows, DetectionSettings(), on_texts) for each in streams]
        by_count = [alerts_of(each, count_over(self._count), length) for each in streams]
        by_share = [alerts_of(each, share_over(self._share), length) for each in streams]
        return MonitorEvaluation(
            {
                FORECAST: self._score(told),
                COUNT: self._score(by_count),
                SHARE: self._score(by_share),
            },
            {COUNT: self._count, SHARE: self._share},
            self.texts,
            moods_of(self._reviews, self._classifier),
            list(zip(streams, told, strict=True)),
        )

    def _score(self, alerts: Sequence[list[Told]]) -> Score:
        each = zip(alerts, self._streams, strict=True)
        return together([score(told, stream.surges, self._speaks_of) for told, stream in each])

    def _speaks_of(self, topic: str, phrase: str) -> bool:
        return topic in self._domain.topics_of(fold(phrase))


def _count_over(threshold: float) -> Passes:
    return count_over(round(threshold))


def moods_of(reviews: Sequence[Review], classifier: Classifier) -> dict[str, float]:
    """Returns which part of moods is right, by sign and of those called, and which is neutral."""
    read = classifier.read([Post(str(at), 0, each.text) for at, each in enumerate(reviews)])
    right = [(m.score < 0) == r.negative for r, m in zip(reviews, read, strict=True)]
    called = [ok for ok, m in zip(right, read, strict=True) if m.mood is not Mood.NEUTRAL]
    return {
        "accuracy": sum(right) / len(right),
        "accuracy_called": sum(called) / max(len(called), 1),
        "neutral": 1 - len(called) / len(right),
    }
