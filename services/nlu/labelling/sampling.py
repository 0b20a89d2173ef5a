"""Which texts to label next: strategies of pool-based active learning.

Uncertainty as in Settles, "Active Learning Literature Survey" (2009); k-center as in Sener and
Savarese, "Active Learning for CNNs: A Core-Set Approach" (2018); spread by k-means++ (Arthur and
Vassilvitskii, 2007); margin, then spread: Zhdanov, "Diverse mini-batch Active Learning" (2019).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.float64]
Vectors = NDArray[np.float32]

CANDIDATES_PER_PICK: Final = 5
"""Uncertain texts that `margin_diversity` spreads each of its picks over."""

_PART: Final = 4_096


class Strategy(StrEnum):
    """How texts are chosen."""

    RANDOM = "random"
    LEAST_CONFIDENCE = "least_confidence"
    MARGIN = "margin"
    ENTROPY = "entropy"
    DIVERSITY = "diversity"
    """k-means++: far from what is chosen, by chance."""
    K_CENTER = "k_center"
    """The farthest from what is chosen."""
    MARGIN_DIVERSITY = "margin_diversity"

    @property
    def needs_readings(self) -> bool:
        """Whether it asks how sure a model is."""
        return self in _UNCERTAINTY or self is Strategy.MARGIN_DIVERSITY

    @property
    def needs_vectors(self) -> bool:
        """Whether it asks which texts are alike."""
        return self in (Strategy.DIVERSITY, Strategy.K_CENTER, Strategy.MARGIN_DIVERSITY)


@dataclass(frozen=True, slots=True)
class Pool:
    """Texts that may be chosen.

    Attributes:
        size: How many there are.
        readings: Per text the distributions (decisions, classes) that a model gave: one for a class
            of the text, one for each span that it read. A text without any is taken to be certain.
        vectors: (texts, dimension), of unit length; None where no strategy needs them.
        known: (labelled, dimension): vectors of the texts that have labels already.
    """

    size: int
    readings: Sequence[Rows] = ()
    vectors: Vectors | None = None
    known: Vectors | None = None


def least_confidence(rows: Rows) -> NDArray[np.float64]:
    """Returns 1 minus the best class's probability; rows are (decisions, classes)."""
    return 1.0 - rows.max(axis=1)


def margin(rows: Rows) -> NDArray[np.float64]:
    """Returns 1 minus the distance between the two best classes."""
    best = np.sort(rows, axis=1)
    return 1.0 - (best[:, -1] - best[:, -2])


def entropy(rows: Rows) -> NDArray[np.float64]:
    """Returns the entropy in nats."""
    return -(rows * np.log(np.clip(rows, 1e-12, None))).sum(axis=1)


_UNCERTAINTY: Final[dict[Strategy, Callable[[Rows], NDArray[np.float64]]]] = {
    Strategy.LEAST_CONFIDENCE: least_confidence,
    Strategy.MARGIN: margin,
    Strategy.ENTROPY: entropy,
}


def uncertainty(strategy: Strategy, readings: Sequence[Rows]) -> NDArray[np.float64]:
    """Returns how unsure the model is of each text: of its most doubtful decision.

    The most doubtful decision, and not a sum, keeps long texts from winning by their length.

    Args:
        strategy: LEAST_CONFIDENCE, MARGIN or ENTROPY.
        readings: As in `Pool`; all decisions have the same number of classes.
    """
    scores = np.zeros(len(readings))
    counts = [len(rows) for rows in readings]
    if sum(counts):
        owners = np.repeat(np.arange(len(readings)), counts)
        decisions = np.concatenate([rows for rows in readings if len(rows)])
        np.maximum.at(scores, owners, _UNCERTAINTY[strategy](decisions))
    return scores


def select(strategy: Strategy, pool: Pool, count: int, random: np.random.Generator) -> list[int]:
    """Returns the positions of the texts to label, the most wanted first.

    Args:
        strategy: How to choose.
        pool: What to choose from.
        count: How many; fewer come where the pool is smaller.
        random: Source of chance, which also breaks ties.

    Raises:
        ValueError: The strategy needs readings or vectors that the pool lacks.
    """
    if strategy.needs_readings and len(pool.readings) != pool.size:
        raise ValueError(f"{strategy} needs a model's reading of every text")
    if strategy.needs_vectors and (pool.vectors is None or len(pool.vectors) != pool.size):
        raise ValueError(f"{strategy} needs a vector of every text")
    count = min(count, pool.size)
    shuffled = random.permutation(pool.size)
    if strategy is Strategy.RANDOM:
        return shuffled[:count].tolist()
    if strategy in _UNCERTAINTY:
        return _most(uncertainty(strategy, pool.readings), shuffled, count)
    assert pool.vectors is not None  # noqa: S101 - checked above, in a way that types cannot say
    if strategy is Strategy.MARGIN_DIVERSITY:
        scores = uncertainty(Strategy.MARGIN, pool.readings)
        candidates = np.asarray(
            _most(scores, shuffled, count * CANDIDATES_PER_PICK), dtype=np.int64
        )
        # Doubt weighs in too, so that a spread over few candidates still asks the doubtful ones.
        picks = _spread(pool.vectors[candidates], count, None, random, scores[candidates])
        return candidates[picks].tolist()
    if strategy is Strategy.K_CENTER:
        return _centers(pool.vectors, count, pool.known, random)
    return _spread(pool.vectors, count, pool.known, random, np.ones(pool.size))


def _most(scores: NDArray[np.float64], shuffled: NDArray[np.int64], count: int) -> list[int]:
    """Returns the positions with the highest scores, ties in the order of `shuffled`."""
    order = shuffled[np.argsort(-scores[shuffled], kind="stable")]
    return order[:count].tolist()


def _centers(
    vectors: Vectors, count: int, known: Vectors | None, random: np.random.Generator
) -> list[int]:
    distances = _distances(vectors, known)
    picks: list[int] = []
    for _ in range(count):
        if picks or np.isfinite(distances).all():
            pick = int(distances.argmax())
        else:
            pick = int(random.integers(len(vectors)))
        picks.append(pick)
        distances = np.minimum(distances, _to(vectors, vectors[pick]))
        distances[picks] = -1.0
    return picks


def _spread(
    vectors: Vectors,
    count: int,
    known: Vectors | None,
    random: np.random.Generator,
    weights: NDArray[np.float64],
) -> list[int]:
    """k-means++: each pick by chance, in proportion to its squared distance and its weight."""
    distances = _distances(vectors, known)
    left = np.ones(len(vectors), dtype=bool)
    picks: list[int] = []
    for _ in range(count):
        # Texts that are equal to chosen ones keep a tiny chance, so that the batch is always full.
        chances = (
            (np.where(np.isfinite(distances), distances, 1.0) + 1e-9) * (weights + 1e-9) * left
        )
        pick = int(random.choice(len(vectors), p=chances / chances.sum()))
        picks.append(pick)
        left[pick] = False
        distances = np.minimum(distances, _to(vectors, vectors[pick]))
    return picks


def _distances(vectors: Vectors, known: Vectors | None) -> NDArray[np.float64]:
    """Returns squared distances to the nearest known vector; infinite where there is none."""
    if known is None or not len(known):
        return np.full(len(vectors), np.inf)
    # In parts, since the whole product of a large pool would not fit.
    parts = [
        (vectors[start : start + _PART] @ known.T).max(axis=1)
        for start in range(0, len(vectors), _PART)
    ]
    return np.clip(2.0 - 2.0 * np.concatenate(parts), 0.0, None).astype(np.float64)


def _to(vectors: Vectors, vector: Vectors) -> NDArray[np.float64]:
    # Of unit vectors the squared distance is 2 - 2 cos.
    return np.clip(2.0 - 2.0 * (vectors @ vector), 0.0, None).astype(np.float64)
