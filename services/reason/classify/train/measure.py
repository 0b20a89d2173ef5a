"""Figures of a classifier on products that nothing was chosen on."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.reason.classify.result import Outcome, decide
from services.reason.classify.train.calibrate import Matrix, Scores
from services.reason.classify.tree import CategoryTree
from services.reason.classify.weights import Calibration

_BINS = 15


@dataclass(frozen=True, slots=True)
class Figures:
    """What a part tells.

    Attributes:
        products: How many.
        accuracy: Of the likeliest category, nobody abstaining.
        macro_f1: Mean F1 over the categories of the part.
        ece_before: Expected calibration error (Naeini et al., AAAI 2015; 15 bins) at temperature 1.
        ece_after: The same at the temperature learnt.
        precision: Share of right ones among the categories said.
        coverage: Share of products for which a category was said.
        parent_precision: Share of right ones among the parents said.
        parent_coverage: Share of products for which a parent was said.
        turned_away: Share that was held to be not of the taxonomy.
        set_coverage: Share of prediction sets that hold the right category.
        set_size: Their mean size.
    """

    products: int
    accuracy: float
    macro_f1: float
    ece_before: float
    ece_after: float
    precision: float
    coverage: float
    parent_precision: float
    parent_coverage: float
    turned_away: float
    set_coverage: float
    set_size: float


def measure(found: Scores, tree: CategoryTree, calibration: Calibration) -> Figures:
    """Returns the figures; those of what was never said are NaN."""
    probabilities = found.probabilities(calibration.temperature)
    best = probabilities.argmax(axis=1)
    like = of_taxonomy(found, calibration)
    answers = [
        decide(tree, row, calibration, of_taxonomy=bool(ok))
        for row, ok in zip(probabilities, like, strict=True)
    ]
    labels: list[int] = found.labels.tolist()
    truths = [tree.categories[label] for label in labels]
    right = {
        outcome: [
            truth[: len(answer.path)] == answer.path
            and (outcome is Outcome.PARTIAL or truth == answer.path)
            for answer, truth in zip(answers, truths, strict=True)
            if answer.outcome is outcome
        ]
        for outcome in (Outcome.CATEGORY, Outcome.PARTIAL)
    }
    in_set = probabilities >= calibration.set_threshold
    truth_in_set = in_set[np.arange(len(truths)), found.labels]
    has_sets = bool(calibration.set_coverage)
    return Figures(
        products=len(truths),
        accuracy=mean(best == found.labels),
        macro_f1=macro_f1(found.labels, best),
        ece_before=calibration_error(found.probabilities(1.0), found.labels),
        ece_after=calibration_error(probabilities, found.labels),
        precision=mean(right[Outcome.CATEGORY]),
        coverage=len(right[Outcome.CATEGORY]) / max(1, len(truths)),
        parent_precision=mean(right[Outcome.PARTIAL]),
        parent_coverage=len(right[Outcome.PARTIAL]) / max(1, len(truths)),
        turned_away=mean(~like),
        set_coverage=mean(truth_in_set) if has_sets else float("nan"),
        set_size=mean(in_set.sum(axis=1)) if has_sets else float("nan"),
    )


def of_taxonomy(found: Scores, calibration: Calibration) -> NDArray[np.bool_]:
    """Returns which examples are like those that were learnt from, (examples,)."""
    peaks = found.scores.max(axis=1, initial=-np.inf)
    return (found.known >= calibration.least_known) & (peaks >= calibration.least_peak)


def mean(values: Sequence[bool] | NDArray[np.bool_] | NDArray[np.intp]) -> float:
    """Returns the mean, NaN of nothing."""
    return float(np.mean(values)) if len(values) else float("nan")


def macro_f1(truth: NDArray[np.intp], said: NDArray[np.intp]) -> float:
    """Returns the mean of F1 over the categories that occur in either."""
    each: list[float] = []
    for category in np.union1d(truth, said).tolist():
        hits = int(((truth == category) & (said == category)).sum())
        each.append(2 * hits / int((truth == category).sum() + (said == category).sum()))
    return float(np.mean(each)) if each else float("nan")


def calibration_error(probabilities: Matrix, labels: NDArray[np.intp]) -> float:
    """Returns the expected calibration error of the likeliest category, 15 equal bins."""
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    bins = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    gaps = [
        abs(float(right[bins == at].mean()) - float(confidence[bins == at].mean()))
        * float((bins == at).mean())
        for at in range(_BINS)
        if (bins == at).any()
    ]
    return float(sum(gaps))


def risk_coverage(probabilities: Matrix, labels: NDArray[np.intp]) -> tuple[Matrix, Matrix]:
    """Returns coverage and the share of wrong answers at it, the surest products first.

    El-Yaniv and Wiener, "On the foundations of noise-free selective classification", JMLR 2010.
    """
    order = np.argsort(-probabilities.max(axis=1), kind="stable")
    wrong = np.cumsum(probabilities.argmax(axis=1)[order] != labels[order])
    said = np.arange(1, len(order) + 1)
    return said / max(1, len(order)), wrong / said
