"""Calibration of the tasks: whether what is called 30 % likely happens three times in ten.

Platt scaling (Platt, "Probabilistic outputs for support vector machines", 1999) of each step's
logit on held-out queries, under the same loss as in training; it moves no order within a step. The
expected calibration error is that of Naeini, Cooper and Hauskrecht, "Obtaining well calibrated
probabilities using Bayesian binning", AAAI 2015, with bins of as many rows each.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from services.ranking.deep.impressions import Impressions
from services.ranking.deep.network import TASKS, DeepNetwork, log_chances, unbiased_loss

BINS: Final = 10
_STEPS: Final = 100
_BATCH: Final = 65_536
_PULL: Final = 1e-3
"""Of the curve towards leaving logits as they are, in nats a row: few rows move it little."""


@dataclass(frozen=True, slots=True)
class Curves:
    """One a step of the chain: logit -> scale * logit + shift."""

    scale: tuple[float, ...]
    shift: tuple[float, ...]


NONE: Final = Curves((1.0,) * len(TASKS), (0.0,) * len(TASKS))


class Calibrated(torch.nn.Module):
    """The network with its curves: features to the chance of each task for what is looked at."""

    scale: torch.Tensor
    shift: torch.Tensor

    def __init__(self, network: DeepNetwork, curves: Curves = NONE) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("scale", torch.tensor(curves.scale))
        self.register_buffer("shift", torch.tensor(curves.shift))

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Probabilities, (rows, features) to (rows, tasks), each at most the one before."""
        return torch.exp(log_chances(self.network(values) * self.scale + self.shift))


def fit_curves(network: DeepNetwork, held: Impressions, looked: NDArray[np.float64]) -> Curves:
    """Fits the curves on rows that were not learnt from; as they are where there are none."""
    if not len(held):
        return NONE
    logits = _logits(network, held.features)
    outcomes = torch.as_tensor(held.outcomes)
    seen = torch.as_tensor(looked[np.minimum(held.places, len(looked) - 1)].astype(np.float32))
    log_scale = torch.zeros(len(TASKS), requires_grad=True)
    shift = torch.zeros(len(TASKS), requires_grad=True)
    optimiser: Any = torch.optim.LBFGS(
        [log_scale, shift], max_iter=_STEPS, line_search_fn="strong_wolfe"
    )

    def closure() -> torch.Tensor:
        optimiser.zero_grad()
        curved = logits * log_scale.exp() + shift
        loss = unbiased_loss(curved, outcomes, seen) / len(logits)
        loss = loss + _PULL * (log_scale.square() + shift.square()).sum()
        loss.backward()  # pyright: ignore[reportUnknownMemberType]
        return loss

    optimiser.step(closure)
    with torch.no_grad():
        scales, shifts = log_scale.exp(), shift
        return Curves(tuple(map(float, scales)), tuple(map(float, shifts)))


def chances(model: Calibrated, features: NDArray[np.float32]) -> NDArray[np.float64]:
    """Returns (rows, tasks) probabilities for what is looked at."""
    found: list[NDArray[np.float64]] = [np.zeros((0, len(TASKS)))]
    with torch.inference_mode():
        for begin in range(0, len(features), _BATCH):
            some = torch.as_tensor(features[begin : begin + _BATCH])
            found.append(model(some).numpy().astype(np.float64))
    return np.concatenate(found)


def calibration_error(
    expected: NDArray[np.float64], happened: NDArray[np.float64], bins: int = BINS
) -> float:
    """Expected calibration error.

    Args:
        expected: (rows,) probabilities of what was shown: of the task times that of the look.
        happened: (rows,) 0 or 1.
        bins: Of as many rows each, by what was expected.

    Returns:
        Mean distance between what was expected and what happened, 0 to 1; NaN without rows.
    """
    if not len(expected):
        return float("nan")
    order = np.argsort(expected, kind="stable")
    parts = np.array_split(order, min(bins, len(order)))
    gaps = [abs(float(expected[part].mean() - happened[part].mean())) for part in parts]
    return float(np.average(gaps, weights=[len(part) for part in parts]))


def measure_calibration(
    model: Calibrated, held: Impressions, looked: NDArray[np.float64]
) -> list[float]:
    """Returns the expected calibration error of each task over rows that were not learnt from.

    Args:
        model: With curves or without.
        held: The rows.
        looked: (places,) propensity of each place.
    """
    seen = looked[np.minimum(held.places, len(looked) - 1)]
    expected = chances(model, held.features) * seen[:, None]
    happened = held.outcomes.astype(np.float64)
    return [calibration_error(expected[:, task], happened[:, task]) for task in range(len(TASKS))]


def _logits(network: DeepNetwork, features: NDArray[np.float32]) -> torch.Tensor:
    with torch.no_grad():
        parts = torch.split(torch.as_tensor(features), _BATCH)
        return torch.cat([network(part) for part in parts])
