"""ROUGE of summaries against what people wrote, typed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from rouge_score import rouge_scorer

MEASURES = ("rouge1", "rouge2", "rougeL")


class Score(Protocol):
    """What `rouge-score` returns of a measure."""

    precision: float
    recall: float
    fmeasure: float


class Scorer:
    """Scores texts by some measures, words stemmed."""

    def __init__(self, measures: Sequence[str]) -> None:
        made: Any = rouge_scorer
        self._scorer: Any = made.RougeScorer(list(measures), use_stemmer=True)

    def score(self, reference: str, text: str) -> Mapping[str, Score]:
        """Returns the scores of a text by measure."""
        return self._scorer.score(reference, text)


_ALL = Scorer(MEASURES)
_PRECISION = Scorer(("rouge1", "rouge2"))


def rouge(summary: str, references: Sequence[str]) -> tuple[float, ...]:
    """F of each of MEASURES, averaged over the references."""
    scored = [_ALL.score(reference, summary) for reference in references]
    return tuple(float(np.mean([s[m].fmeasure for s in scored])) for m in MEASURES)


def precision(text: str, references: Sequence[str]) -> float:
    """Share of its words that people wrote, and twice that of its pairs of words."""
    scored = [_PRECISION.score(reference, text) for reference in references]
    return float(np.mean([s["rouge1"].precision + 2 * s["rouge2"].precision for s in scored]))
