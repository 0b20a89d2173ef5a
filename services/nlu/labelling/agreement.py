"""How far two annotators agree, beyond what chance would give."""

from dataclasses import dataclass
from itertools import combinations
from math import nan

from services.nlu.labelling.queue import Given, LabelQueue
from services.nlu.labelling.task import Answer
from services.nlu.train.examples import TaskKind


@dataclass(frozen=True, slots=True)
class Agreement:
    """Two annotators on the texts that both answered.

    Attributes:
        texts: How many texts both answered.
        same: Share of them with the same answer, in all of its spans.
        kappa: Cohen's kappa (1960): of the classes, or of the label of every character for spans. 1
            is full agreement, 0 what chance gives; NaN where all answers are one label.
        span_f1: Of exact spans, one annotator taken as right; NaN where neither marked any, and of
            classes.
    """

    first: str
    second: str
    texts: int
    same: float
    kappa: float
    span_f1: float = nan


def agreements(queue: LabelQueue) -> list[Agreement]:
    """Returns the agreement of every two annotators who answered a text in common."""
    answers = queue.answers()
    people = sorted({who for given in answers.values() for who in given})
    found: list[Agreement] = []
    for first, second in combinations(people, 2):
        shared = [
            (queue.items[item].text, *_both(given, first, second))
            for item, given in answers.items()
            if first in given and second in given
        ]
        if shared:
            found.append(_agreement(queue.task.kind, first, second, shared))
    return found


def _both(given: dict[str, Given], first: str, second: str) -> tuple[Answer, Answer]:
    one, other = given[first].answer, given[second].answer
    assert one is not None  # noqa: S101 - `answers` leaves skips out
    assert other is not None  # noqa: S101
    return one, other


def _agreement(
    kind: TaskKind, first: str, second: str, shared: list[tuple[str, Answer, Answer]]
) -> Agreement:
    same = sum(one == other for _, one, other in shared) / len(shared)
    if kind is TaskKind.CLASSES:
        kappa = _kappa([one.label for _, one, _ in shared], [two.label for _, _, two in shared])
        return Agreement(first, second, len(shared), same, kappa)
    left = [label for text, one, _ in shared for label in _characters(text, one)]
    right = [label for text, _, two in shared for label in _characters(text, two)]
    marked = sum(len(one.spans) + len(two.spans) for _, one, two in shared)
    common = sum(len(set(one.spans) & set(two.spans)) for _, one, two in shared)
    f1 = 2 * common / marked if marked else nan
    return Agreement(first, second, len(shared), same, _kappa(left, right), f1)


def _characters(text: str, answer: Answer) -> list[str]:
    labels = [""] * len(text)
    for span in answer.spans:
        labels[span.start : span.end] = [span.label] * (span.end - span.start)
    return labels


def _kappa(left: list[str], right: list[str]) -> float:
    if len({*left, *right}) < 2:  # noqa: PLR2004 - chance alone explains a single label
        return nan
    # scikit-learn is of the training extra, and slow to import.
    from sklearn.metrics import (
        cohen_kappa_score,  # pyright: ignore[reportUnknownVariableType] # untyped
    )

    return float(cohen_kappa_score(left, right))
