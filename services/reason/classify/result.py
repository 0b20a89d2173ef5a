"""What is said of a product's category."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from services.reason.classify.tree import CategoryTree, Path, agree
from services.reason.classify.weights import Calibration


class Outcome(Enum):
    """How far down the taxonomy an answer goes."""

    CATEGORY = "category"
    PARTIAL = "partial"
    ABSTAINED = "abstained"


class Abstention(Enum):
    """Why an answer says nothing, or only a parent."""

    BELOW_THRESHOLD = "below_threshold"
    NOT_OF_TAXONOMY = "not_of_taxonomy"


class Verdict(Enum):
    """What is thought of a stated category."""

    AGREES = "agrees"
    DOUBTED = "doubted"
    UNSURE = "unsure"
    UNKNOWN = "unknown"
    LEARNT = "learnt"


@dataclass(frozen=True, slots=True)
class Answer:
    """A path with its probability; the path is empty when nothing is said."""

    outcome: Outcome
    path: Path = ()
    probability: float = 0.0
    why: Abstention | None = None


@dataclass(frozen=True, slots=True)
class Alternative:
    """A category that is likely."""

    path: Path
    probability: float
    in_set: bool


@dataclass(frozen=True, slots=True)
class Evidence:
    """A word, where it stands first, and what it added to the score wherever it stands."""

    text: str
    field: str
    language: str
    start: int
    end: int
    contribution: float


@dataclass(frozen=True, slots=True)
class Result:
    """All that is said of a product; `score` = `bias` + contributions + `other`."""

    product_id: str
    answer: Answer
    alternatives: Sequence[Alternative]
    evidence: Sequence[Evidence]
    bias: float
    other: float
    score: float
    known_share: float
    verdict: Verdict | None
    stated_probability: float


def decide(
    tree: CategoryTree,
    probabilities: NDArray[np.float64],
    calibration: Calibration,
    *,
    of_taxonomy: bool,
) -> Answer:
    """Returns the category where it is sure enough, else the surest parent, else nothing.

    Args:
        tree: The categories.
        probabilities: One for each.
        calibration: Says what is sure enough.
        of_taxonomy: Whether the product is like those the taxonomy was learnt from.
    """
    if not of_taxonomy:
        return Answer(Outcome.ABSTAINED, why=Abstention.NOT_OF_TAXONOMY)
    best = int(np.argmax(probabilities))
    probability = float(probabilities[best])
    if probability >= calibration.category_threshold:
        return Answer(Outcome.CATEGORY, tree.categories[best], probability)
    parent = tree.surest_parent(probabilities, calibration.parent_threshold)
    if parent is None:
        return Answer(Outcome.ABSTAINED, why=Abstention.BELOW_THRESHOLD)
    path, probability = parent
    return Answer(Outcome.PARTIAL, path, probability, Abstention.BELOW_THRESHOLD)


def alternatives(
    tree: CategoryTree, probabilities: NDArray[np.float64], calibration: Calibration, most: int
) -> list[Alternative]:
    """Returns the likeliest categories, best first."""
    order: list[int] = np.argsort(-probabilities, kind="stable")[:most].tolist()
    return [
        Alternative(
            tree.categories[column],
            float(probabilities[column]),
            bool(calibration.set_coverage and probabilities[column] >= calibration.set_threshold),
        )
        for column in order
    ]


def judge(
    tree: CategoryTree,
    probabilities: NDArray[np.float64],
    answer: Answer,
    stated: Path,
    *,
    learnt: bool = False,
) -> tuple[Verdict | None, float]:
    """Returns what is thought of a stated path, and its probability; None when it is empty.

    Args:
        tree: The categories.
        probabilities: One for each.
        answer: What is said.
        stated: The path that the product came with.
        learnt: Whether the model was taught this product with its path: it is no judge then.
    """
    if not stated:
        return None, 0.0
    known = stated
    while known and known not in tree.columns:
        known = known[:-1]  # a finer category than the taxonomy has is judged by its parent
    if not known:
        return Verdict.UNKNOWN, 0.0
    probability = tree.probability(known, probabilities)
    if learnt:
        return Verdict.LEARNT, probability
    if not answer.path:
        return Verdict.UNSURE, probability
    return (Verdict.AGREES if agree(answer.path, stated) else Verdict.DOUBTED), probability
