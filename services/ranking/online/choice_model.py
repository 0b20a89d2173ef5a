"""A model of which product of a page is chosen, brought up to date by every choice.

Of the products of a page, one is chosen with a probability in proportion to exp(utility): the
conditional logit of McFadden ("Conditional logit analysis of qualitative choice behavior", 1974).
It compares products of one page alone, so that neither how attractive pages are as a whole nor how
often shoppers click has to be known. The utility is linear:

    scale * score of the frozen weights + deviation . features + bias of the place

The bias of the place is learnt beside the rest and left out when serving, so that a product is not
taken for good because it stood on top (Guo et al., "PAL: a position-bias aware learning framework
for CTR prediction", RecSys 2019).

The belief about the parameters is Gaussian. It is brought up to date by one step of the extended
Kalman filter for a generalised linear model (Fahrmeir, "Posterior mode estimation by extended
Kalman filtering for multivariate dynamic generalized linear models", JASA 87, 1992), and before
each step drifts back towards the prior by a little: what is no longer confirmed is forgotten, and
the uncertainty never exceeds the prior's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

PLACES: Final = 20
"""Places with a bias of their own; those behind share that of the last."""
_LEAST_SCALE, _LARGEST_SCALE = 0.2, 10.0


@dataclass(frozen=True, slots=True)
class ChoiceSettings:
    """How fast to learn, and how far."""

    memory: float = 2_000.0
    """Choices after which what was learnt and never confirmed has faded to 1/e."""
    deviation: float = 0.5
    """Standard deviation of what a weight is expected to differ from the frozen one by."""
    bound: float = 1.5
    """Most that a weight that serves may differ."""
    step: float = 0.1
    """Most that one choice may change a utility by, for each feature."""
    severity: float = 1.0
    """Prior of the bias: place k is looked at as 1 / k^severity."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A page, and what was chosen of it."""

    scores: Floats
    """(places,) of the frozen weights."""
    features: Floats
    """(places, features)."""
    places: NDArray[np.int64]
    """(places,) from 1."""
    chosen: int
    """Row of the product that was chosen."""
    weight: float = 1.0
    """How many choices it counts as; above 0."""


class ChoiceModel:
    """The belief. Not thread-safe.

    Args:
        features: How many there are; with 0 only the scale and the biases are learnt, which is the
            frozen ranker's own fit to the choices.
        settings: How fast to learn, and how far.
    """

    def __init__(self, features: int, settings: ChoiceSettings) -> None:
        self._features = features
        self._settings = settings
        biases = -settings.severity * np.log(np.arange(1, PLACES + 1))
        self._prior: Floats = np.concatenate([[1.0], np.zeros(features), biases])
        deviations: Floats = np.concatenate(
            [[0.5], np.full(features, settings.deviation), np.ones(PLACES)]
        )
        deviations[1 + features] = 1e-3  # biases count from the first place's
        self._prior_variance: Floats = deviations**2
        # The scale and the biases are habits of shoppers: they change slower than tastes do.
        slow = np.exp(-1.0 / (10.0 * settings.memory))
        self._fade: Floats = np.full(len(self._prior), slow)
        self._fade[1 : 1 + features] = np.exp(-1.0 / settings.memory)
        self._mean: Floats = self._prior.copy()
        self._covariance: Floats = np.diag(self._prior_variance)
        self.updates = 0
        """Choices learnt from."""

    @property
    def scale(self) -> float:
        """Utility per unit of the frozen score."""
        return float(self._mean[0])

    @property
    def biases(self) -> Floats:
        """(PLACES,) log of how likely a place is looked at, against the first."""
        return self._mean[1 + self._features :] - self._mean[1 + self._features]

    def deviation(self) -> Floats:
        """Returns (features,) what to add to the frozen weights, in units of the frozen score."""
        found = self._mean[1 : 1 + self._features] / self.scale
        return np.clip(found, -self._settings.bound, self._settings.bound)

    def deviation_root(self) -> Floats:
        """Returns (features, features) a root R of the deviation's covariance R R^T."""
        inner = slice(1, 1 + self._features)
        # Rounding may leave an eigenvalue a hair below 0.
        values, vectors = np.linalg.eigh(self._covariance[inner, inner])
        return vectors * np.sqrt(np.maximum(values, 0.0)) / self.scale

    def log_likelihood(self, choice: Choice) -> float:
        """Returns the log of the probability that this choice had."""
        utilities = self._design(choice) @ self._mean
        top = utilities.max()
        return float(utilities[choice.chosen] - top - np.log(np.exp(utilities - top).sum()))

    def learn(self, choice: Choice) -> None:
        """Takes one choice in."""
        settings, inner = self._settings, slice(1, 1 + self._features)
        mean = self._prior + self._fade * (self._mean - self._prior)
        covariance = self._covariance * np.outer(self._fade, self._fade)
        covariance[np.diag_indices_from(covariance)] += (1.0 - self._fade**2) * self._prior_variance
        design = self._design(choice)
        utilities = design @ mean
        shares = np.exp(utilities - utilities.max())
        shares /= shares.sum()
        centred = design - shares @ design
        # Woodbury: the page has far fewer rows than there are parameters.
        rows: Floats = np.sqrt(choice.weight * shares)[:, np.newaxis] * centred
        spread: Floats = covariance @ rows.T
        explained = np.linalg.solve(np.eye(len(rows)) + rows @ spread, spread.T)
        covariance = covariance - spread @ explained.astype(np.float64)
        covariance = (covariance + covariance.T) / 2.0
        change = covariance @ (choice.weight * centred[choice.chosen])
        change[inner] = np.clip(change[inner], -settings.step, settings.step)
        mean = mean + change
        mean[0] = np.clip(mean[0], _LEAST_SCALE, _LARGEST_SCALE)
        self._mean, self._covariance = mean, covariance
        self.updates += 1

    def state(self) -> dict[str, Any]:
        """Returns all that was learnt, as arrays and numbers."""
        return {"mean": self._mean, "covariance": self._covariance, "updates": self.updates}

    @classmethod
    def restore(cls, features: int, settings: ChoiceSettings, state: Mapping[str, Any]) -> Self:
        """Returns the model that `state` was taken of.

        Raises:
            ValueError: It is of another number of features, or holds what is no number.
            KeyError: Something is missing.
        """
        model = cls(features, settings)
        for name in ("mean", "covariance"):
            value = np.asarray(state[name], dtype=np.float64)
            own: Floats = getattr(model, f"_{name}")
            if value.shape != own.shape or not np.isfinite(value).all():
                raise ValueError(f"{name}: not {own.shape} numbers")
            setattr(model, f"_{name}", value)
        model.updates = int(state["updates"])
        return model

    def _design(self, choice: Choice) -> Floats:
        places = np.minimum(choice.places, PLACES) - 1
        biases = np.eye(PLACES)[places]
        columns = [choice.scores[:, np.newaxis]]
        if self._features:
            columns.append(choice.features)
        return np.hstack([*columns, biases])
