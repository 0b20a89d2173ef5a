"""Batches of like lengths under a budget of tokens: on a CPU padding is paid for like text."""

from collections.abc import Sequence
from random import Random

POOL_BATCHES = 64
"""Batches that are cut from one shuffled pool; within it texts are sorted by length."""


def token_batches(
    lengths: Sequence[int], budget: int, *, seed: int, epoch: int, shuffle: bool = True
) -> list[list[int]]:
    """Returns batches of positions, each of at most `budget` tokens with its padding.

    The same seed and epoch give the same batches, so that a run taken up again goes on where it
    stopped.

    Args:
        lengths: Tokens of each text.
        budget: Rows times longest row of a batch, at most; a longer single text is a batch.
        seed: Of the run.
        epoch: From 0.
        shuffle: False keeps neighbours by length, for evaluation.
    """
    # Only an order that can be repeated is wanted of this generator.
    random = Random(f"{seed}/{epoch}")  # noqa: S311
    order = list(range(len(lengths)))
    if shuffle:
        random.shuffle(order)
    mean = max(1.0, sum(lengths) / max(1, len(lengths)))
    pool = max(1, round(POOL_BATCHES * budget / mean)) if shuffle else max(1, len(order))
    batches: list[list[int]] = []
    for start in range(0, len(order), pool):
        batch: list[int] = []
        longest = 0
        for at in sorted(order[start : start + pool], key=lambda i: lengths[i]):
            longest = max(longest, lengths[at])
            if batch and longest * (len(batch) + 1) > budget:
                batches.append(batch)
                batch, longest = [], lengths[at]
            batch.append(at)
        batches.append(batch)
    if shuffle:
        random.shuffle(batches)
    return batches
