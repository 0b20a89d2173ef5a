"""Scores of labels: micro F1 of exact spans, accuracy of classes, and every label apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from shared.evaluation.labelled_texts import LabelledSpan


@dataclass(frozen=True, slots=True)
class ClassScore:
    """How well one label is found."""

    right: int
    """Found where they are."""
    predicted: int
    """Found at all."""
    support: int
    """There to be found."""

    @property
    def precision(self) -> float:
        """Share of what was found that is right; 0 where nothing was found."""
        return self.right / self.predicted if self.predicted else 0.0

    @property
    def recall(self) -> float:
        """Share of what is there that was found; 0 where nothing is there."""
        return self.right / self.support if self.support else 0.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        total = self.predicted + self.support
        return 2 * self.right / total if total else 0.0


@dataclass(frozen=True, slots=True)
class LabelScores:
    """The score of all labels together, and of each."""

    value: float
    """Micro F1 of spans or accuracy of classes, 0 to 1."""
    by_label: dict[str, ClassScore]


def score_spans(
    gold: Sequence[AbstractSet[LabelledSpan]], predicted: Sequence[AbstractSet[LabelledSpan]]
) -> LabelScores:
    """Score spans: one counts when start, end and label are right (as CoNLL 2003 and seqeval do).

    Args:
        gold: The true spans of each text.
        predicted: The predicted spans of each text, in the same order.

    Returns:
        Micro F1 over all spans; 0 where there is none.
    """
    pairs = list(zip(gold, predicted, strict=True))
    by_label = _by_label(
        (span.label for true, found in pairs for span in true & found),
        (span.label for _, found in pairs for span in found),
        (span.label for true, _ in pairs for span in true),
    )
    together = ClassScore(
        sum(score.right for score in by_label.values()),
        sum(score.predicted for score in by_label.values()),
        sum(score.support for score in by_label.values()),
    )
    return LabelScores(together.f1, by_label)


def score_classes(gold: Sequence[str], predicted: Sequence[str]) -> LabelScores:
    """Score one class a text.

    Args:
        gold: The true class of each text.
        predicted: The predicted class of each, in the same order; "" for none.
    """
    right = [true for true, found in zip(gold, predicted, strict=True) if true == found]
    by_label = _by_label(right, filter(None, predicted), gold)
    return LabelScores(len(right) / len(gold) if gold else 0.0, by_label)


def _by_label(
    right: Iterable[str], predicted: Iterable[str], support: Iterable[str]
) -> dict[str, ClassScore]:
    """Most frequent first; labels that are only predicted come last."""
    rights, founds, trues = Counter(right), Counter(predicted), Counter(support)
    order = sorted(trues.keys() | founds.keys(), key=lambda label: (-trues[label], label))
    return {label: ClassScore(rights[label], founds[label], trues[label]) for label in order}
