"""What a shop does in a round: steps of gradient descent on its own rows, and a bounded answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.federated.models import Model, Weights
from shared.federated.rows import Rows


def train(
    model: Model,
    weights: Weights,
    rows: Rows,
    *,
    epochs: int,
    batch: int,
    learning_rate: float,
    random: np.random.Generator,
) -> Weights:
    """Returns new weights after some epochs of stochastic gradient descent.

    Args:
        model: What to train.
        weights: To begin with; they stay as they are.
        rows: All that is learnt from.
        epochs: Passes over the rows.
        batch: Examples of a step.
        learning_rate: Of a step.
        random: For the order of the examples.
    """
    trained = [array.astype(np.float64) for array in weights]
    for _ in range(epochs):
        order = random.permutation(len(rows))
        for begin in range(0, len(order), batch):
            some = rows.of_examples(order[begin : begin + batch])
            slopes = model.gradient(trained, some)
            trained = [
                array - learning_rate * slope for array, slope in zip(trained, slopes, strict=True)
            ]
    return trained


def difference(after: Weights, before: Weights) -> Weights:
    """Returns what was learnt: after less before."""
    return [new - old for new, old in zip(after, before, strict=True)]


def norm(update: Sequence[NDArray[Any]]) -> float:
    """Returns the L2 norm over all arrays together."""
    return float(np.sqrt(sum(float((array.astype(np.float64) ** 2).sum()) for array in update)))


def clipped(update: Weights, most: float) -> Weights:
    """Returns the update, made shorter where its norm is above `most`.

    McMahan et al., "Learning differentially private recurrent language models", ICLR 2018.
    """
    length = norm(update)
    return [array * min(1.0, most / length) for array in update] if length else update


def weighted_mean(updates: Sequence[tuple[Weights, float]]) -> Weights:
    """Returns the mean of updates, each counted by its weight (FedAvg).

    McMahan et al., "Communication-efficient learning of deep networks from decentralized data",
    AISTATS 2017.
    """
    whole = sum(weight for _, weight in updates)
    arrays = zip(*(update for update, _ in updates), strict=True)
    return [
        np.asarray(
            sum(array * (weight / whole) for array, (_, weight) in zip(each, updates, strict=True))
        )
        for each in arrays
    ]
