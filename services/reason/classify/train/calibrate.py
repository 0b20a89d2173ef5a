"""From scores to probabilities, and from these to what may be said.

What is promised must hold for products that the weights have not seen: those of a part of their
own, or in small shops those of the folds that a fit was without.
"""

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from services.reason.classify.train.reading import Read
from services.reason.classify.trained import score, softmax
from services.reason.classify.tree import CategoryTree, Path
from services.reason.classify.weights import NEVER, Calibration, Weights

Matrix = NDArray[np.float64]

UNLIKE: Final = 0.01
"""Share of the shop's own products that a test of "not of this taxonomy" may turn away at most."""
SURE: Final = 0.9
"""Confidence that a promise holds for the products to come."""
_LEAST_PARENT: Final = 0.5


@dataclass(frozen=True, slots=True)
class Scores:
    """Scores of examples, (examples, categories), before the temperature, and what they tell."""

    scores: Matrix
    known: NDArray[np.float64]
    labels: NDArray[np.intp]

    def probabilities(self, temperature: float) -> Matrix:
        """Returns calibrated probabilities, (examples, categories)."""
        return np.array([softmax(row / temperature) for row in self.scores]).reshape(
            self.scores.shape
        )

    def only(self, rows: NDArray[np.bool_]) -> "Scores":
        """Returns those of some examples."""
        return Scores(self.scores[rows], self.known[rows], self.labels[rows])

    @property
    def accuracy(self) -> float:
        """Share of examples whose category has the highest score."""
        return float((self.scores.argmax(axis=1) == self.labels).mean())


def score_all(
    weights: Weights, tree: CategoryTree, found: Sequence[Read], *, forms: bool = False
) -> Scores:
    """Scores examples by their words, as they would be served.

    Args:
        weights: Of the classifier.
        tree: Its categories.
        found: Examples.
        forms: Whether to score also each language and the titles alone, as shops may send them.
    """
    asked = [
        (form.counts, tree.column(each.example.category))
        for each in found
        for form in (each.forms if forms else each.forms[:1])
    ]
    scored = [score(weights, counts) for counts, _ in asked]
    return Scores(
        np.array([each.scores for each in scored]).reshape(len(scored), len(tree.categories)),
        np.array([each.known for each in scored]),
        np.array([label for _, label in asked], dtype=np.intp),
    )


def join(parts: Sequence[Scores]) -> Scores:
    """Returns the scores of several lots of examples as one."""
    return Scores(
        np.concatenate([part.scores for part in parts]),
        np.concatenate([part.known for part in parts]),
        np.concatenate([part.labels for part in parts]),
    )


def fit_temperature(found: Scores) -> float:
    """Returns the temperature with the least log loss, between 1/20 and 20.

    Labels are taken as sure to 1 - 1 / (n + 2), as in Platt, "Probabilistic outputs for support
    vector machines" (1999): where all n are right, the loss would fall for ever otherwise.
    """
    optimize: Any = importlib.import_module("scipy.optimize")
    if not len(found.labels):
        return 1.0

    def loss(log_temperature: float) -> float:
        return log_loss(found, float(np.exp(log_temperature)))

    limit = float(np.log(20.0))
    best = optimize.minimize_scalar(loss, bounds=(-limit, limit), method="bounded")
    return float(np.exp(best.x))


def log_loss(found: Scores, temperature: float) -> float:
    """Returns the mean log loss, labels being sure to 1 - 1 / (n + 2)."""
    count = len(found.labels)
    unsure = 1 / (count + 2)
    logs = np.log(np.maximum(found.probabilities(temperature), 1e-300))
    right = logs[np.arange(count), found.labels]
    others = (logs.sum(axis=1) - right) / (logs.shape[1] - 1)
    return float(-((1 - unsure) * right + unsure * others).mean())


def choose(found: Scores, tree: CategoryTree, temperature: float, precision: float) -> Calibration:
    """Chooses thresholds on products of a part of their own.

    The lowest threshold is taken at which the share of wrong answers is at most 1 - precision with
    a confidence of 90 % (the exact binomial bound, as in Geifman and El-Yaniv, "Selective
    classification for deep neural networks", NeurIPS 2017). With too few products for that,
    nothing is promised and a probability must be as high as the precision itself.
    """
    probabilities = found.probabilities(temperature)
    best = probabilities.argmax(axis=1)
    confidence = probabilities.max(axis=1)
    right = best == found.labels
    threshold = _lowest(confidence, right, precision)
    promised = threshold < NEVER
    threshold = threshold if promised else precision
    unsure: list[int] = np.flatnonzero(confidence < threshold).tolist()
    truths = [tree.categories[int(found.labels[at])] for at in unsure]
    parent = _parent_threshold(probabilities[unsure], truths, tree, precision)
    truth = probabilities[np.arange(len(found.labels)), found.labels]
    sets = _set_threshold(truth, precision)
    return Calibration(
        temperature=temperature,
        promised_precision=precision if promised else 0.0,
        category_threshold=threshold,
        parent_threshold=parent if parent < NEVER else max(precision, threshold),
        set_threshold=sets if sets is not None else NEVER,
        set_coverage=precision if sets is not None else 0.0,
        least_known=_low(found.known),
        least_peak=_low(found.scores.max(axis=1, initial=-np.inf)),
    )


def _lowest(confidence: Matrix, right: NDArray[np.bool_], precision: float) -> float:
    order = np.argsort(-confidence, kind="stable")
    falling = confidence[order]
    wrong = np.cumsum(~right[order], dtype=np.intp)
    said = np.arange(1, len(order) + 1, dtype=np.intp)
    enough = _most_wrong(wrong, said) <= 1 - precision
    # Only where the next confidence is lower does a threshold part the two.
    ends = np.flatnonzero(enough & (np.append(falling[1:], -1.0) < falling))
    if not len(ends):
        return NEVER
    threshold = float(falling[ends[-1]])
    # All may be said: then the least confidence that was seen is no bound, the probability is.
    return min(threshold, precision) if ends[-1] + 1 == len(order) else threshold


def _parent_threshold(
    probabilities: Matrix, truths: Sequence[Path], tree: CategoryTree, precision: float
) -> float:
    found = NEVER
    for least in np.linspace(0.99, _LEAST_PARENT, 50).tolist():
        said = wrong = 0
        for row, truth in zip(probabilities, truths, strict=True):
            parent = tree.surest_parent(row, least)
            if parent is not None:
                said += 1
                wrong += truth[: len(parent[0])] != parent[0]
        if said and _most_wrong(np.array([wrong]), np.array([said]))[0] <= 1 - precision:
            found = least
    return found


def _most_wrong(wrong: NDArray[np.intp], said: NDArray[np.intp]) -> Matrix:
    """Returns the share of wrong answers that is exceeded with a chance of at most 1 - SURE."""
    statistics: Any = importlib.import_module("scipy.stats")
    bound: Matrix = statistics.beta.ppf(SURE, wrong + 1, np.maximum(said - wrong, 1e-9))
    return bound


def _set_threshold(truth: Matrix, coverage: float) -> float | None:
    """The quantile of split conformal prediction; None with too few products for it."""
    rank = int(np.floor((len(truth) + 1) * (1 - coverage)))
    return float(np.sort(truth)[rank - 1]) if rank >= 1 else None


def _low(values: Matrix) -> float:
    """A floor: the quantile UNLIKE, but no more than half the mean.

    Where a shop's products are much alike, a new one of it falls well below the least of a few.
    """
    if not len(values):
        return 0.0
    return min(float(np.quantile(values, UNLIKE, method="lower")), float(values.mean()) / 2)
