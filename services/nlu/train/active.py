"""What a strategy of active learning is worth: a simulation on texts whose labels are known.

The strategies are those of the labelling queue. Training a transformer for every point of every
curve would take days on a small machine, so the learner is a logistic regression on the vectors of
a frozen encoder; what that says of full fine-tuning is to be confirmed apart.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from services.nlu.labelling.sampling import Pool, Strategy, select
from services.nlu.train.linear import LogisticHead


class SimulationSettings(BaseModel):
    """How people are imitated."""

    initial: int = Field(default=40, ge=2)
    """Texts that are labelled first, drawn by chance."""
    batch: int = Field(default=40, ge=1)
    """Texts that are labelled between two trainings."""
    steps: int = Field(default=12, ge=1)
    strength: float = Field(default=0.01, gt=0)
    """Inverse regularisation of the learner."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """Texts as vectors, (texts, dimension), with the class of each."""

    vectors: NDArray[np.float32]
    classes: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Curve:
    """One run of one strategy: accuracy on dev after so many labels, and what was labelled."""

    labels: tuple[int, ...]
    accuracies: tuple[float, ...]
    chosen: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """A strategy against random sampling from the same first labels, over seeds.

    Attributes:
        area: Mean accuracy along the curve without its first point, which all strategies share.
        gain: Mean difference of area to random, seed by seed.
        gain_spread: Standard deviation of that difference over the seeds.
        wins: Seeds in which it was ahead of random.
        final: Mean accuracy with all labels.
        labels_to_match: Labels after which the mean curve reaches random's last point; 0 where it
            never does.
    """

    strategy: Strategy
    area: float
    gain: float
    gain_spread: float
    wins: int
    final: float
    final_spread: float
    labels_to_match: int


def simulate(
    pool: Labelled, dev: Labelled, strategy: Strategy, settings: SimulationSettings, seed: int
) -> Curve:
    """Labels batch by batch and measures on dev after each.

    Args:
        pool: Whose classes are revealed as texts are chosen.
        dev: For the figures alone.
        strategy: How texts are chosen.
        settings: How many.
        seed: Of the first labels, the same for all strategies, and of their chance.
    """
    count = int(pool.classes.max()) + 1
    mean, spread = pool.vectors.mean(axis=0), pool.vectors.std(axis=0) + 1e-6
    inputs, asked = (pool.vectors - mean) / spread, (dev.vectors - mean) / spread
    norms = np.linalg.norm(inputs, axis=1, keepdims=True)
    unit = (inputs / np.maximum(norms, 1e-9)).astype(np.float32)
    first = np.random.default_rng(seed).permutation(len(unit))[: settings.initial]
    chosen: list[int] = first.tolist()
    random = np.random.default_rng([seed, list(Strategy).index(strategy)])
    labels: list[int] = []
    accuracies: list[float] = []
    for step in range(settings.steps + 1):
        head = LogisticHead(inputs[chosen], pool.classes[chosen], count, settings.strength)
        right: NDArray[np.bool_] = head.shares(asked).argmax(axis=1) == dev.classes
        labels.append(len(chosen))
        accuracies.append(float(right.mean()))
        if step == settings.steps:
            break
        left = np.setdiff1d(np.arange(len(unit)), chosen)
        shares = head.shares(inputs[left])
        rest = Pool(len(left), list(shares[:, np.newaxis]), unit[left], unit[chosen])
        chosen += left[select(strategy, rest, settings.batch, random)].tolist()
    return Curve(tuple(labels), tuple(accuracies), tuple(chosen))


def compare(curves: dict[Strategy, Sequence[Curve]]) -> list[Comparison]:
    """Sets every strategy beside random sampling, the best area first.

    Args:
        curves: Strategy -> a curve a seed, the seeds in one order; RANDOM is among them.
    """
    points = {
        strategy: np.array([curve.accuracies for curve in runs])
        for strategy, runs in curves.items()
    }
    base = points[Strategy.RANDOM]
    labels = curves[Strategy.RANDOM][0].labels
    found: list[Comparison] = []
    for strategy, runs in points.items():
        gains = runs[:, 1:].mean(axis=1) - base[:, 1:].mean(axis=1)
        mean = runs.mean(axis=0)
        reached = [at for at, point in enumerate(mean) if point >= base[:, -1].mean()]
        found.append(
            Comparison(
                strategy=strategy,
                area=float(runs[:, 1:].mean()),
                gain=float(gains.mean()),
                gain_spread=float(gains.std(ddof=1)) if len(gains) > 1 else 0.0,
                wins=int((gains > 0).sum()),
                final=float(mean[-1]),
                final_spread=float(runs[:, -1].std(ddof=1)) if len(runs) > 1 else 0.0,
                labels_to_match=labels[reached[0]] if reached else 0,
            )
        )
    return sorted(found, key=lambda comparison: -comparison.area)
