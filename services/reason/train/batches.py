"""Batches of examples of much the same length."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.reason.train.vocabulary import Encoded


@dataclass(frozen=True, slots=True)
class Batch:
    """One batch.

    Attributes:
        ids: (batch, tokens) int64, 0 as padding at the end.
        targets: (batch, tokens) bool, true for the tokens of the reason.
    """

    ids: NDArray[np.int64]
    targets: NDArray[np.bool_]


def batches(examples: Sequence[Encoded], tokens: int, rng: random.Random | None) -> Iterator[Batch]:
    """Yields batches of about `tokens` tokens, padding included.

    Args:
        examples: Any; those of a batch have much the same length.
        tokens: Of a batch at most; a longer example stands alone.
        rng: Shuffles examples and batches; None keeps them by length.
    """
    order = list(range(len(examples)))
    if rng is not None:
        rng.shuffle(order)
    order.sort(key=lambda index: len(examples[index].ids))
    groups: list[list[int]] = []
    for index in order:
        length = len(examples[index].ids)
        if not groups or (len(groups[-1]) + 1) * length > tokens:
            groups.append([])
        groups[-1].append(index)
    if rng is not None:
        rng.shuffle(groups)
    for group in groups:
        yield pad([examples[index] for index in group])


def pad(examples: Sequence[Encoded]) -> Batch:
    """Returns examples as one batch."""
    longest = max(len(example.ids) for example in examples)
    ids = np.zeros((len(examples), longest), dtype=np.int64)
    targets = np.zeros((len(examples), longest), dtype=np.bool_)
    for row, example in enumerate(examples):
        ids[row, : len(example.ids)] = example.ids
        targets[row, example.prefix : len(example.ids)] = True
    return Batch(ids, targets)
