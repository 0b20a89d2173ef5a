"""The one shape of every model: fitted on sequences, it scores all items after a history."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from services.recommend.sequences import Items, Sequences

Scores = NDArray[np.float32]
"""[histories, items], higher is better; only the order within a row means something."""

Advance = Callable[[int, int], None]
"""Told how many steps of how many are done."""


class Recommender(Protocol):
    """Ranks all items for users by what they had before."""

    def fit(self, sequences: Sequences) -> None:
        """Learn from sequences, the oldest item first; forgets what was learnt before."""
        ...

    def scores(self, histories: Sequences) -> Scores:
        """Score every item after each history.

        Args:
            histories: Each with one item at least, the oldest first.

        Returns:
            [histories, items]. Items of the history have scores too; who ranks leaves them out.
        """
        ...


def batches(total: int, size: int) -> Iterator[slice]:
    """Slices that cover `total` rows: a matrix of all users and all items would not fit."""
    for begin in range(0, total, size):
        yield slice(begin, min(begin + size, total))


def recency_matrix(histories: Sequences, items: int, recency: float) -> Any:
    """Histories as a sparse matrix [histories, items] whose older items weigh less.

    Args:
        histories: The oldest item first.
        items: How many there are.
        recency: Weight of an item against the one after it, above 0, at most 1.
    """
    import scipy.sparse

    sparse: Any = scipy.sparse
    lengths = np.array([len(history) for history in histories])
    ages: Items = np.concatenate(
        [np.arange(len(history) - 1, -1, -1, dtype=np.int32) for history in histories]
    )
    values = np.power(np.float32(recency), ages.astype(np.float32))
    starts = np.concatenate([[0], np.cumsum(lengths)])
    columns: Items = np.concatenate(list(histories))
    matrix = sparse.csr_matrix((values, columns, starts), shape=(len(lengths), items))
    matrix.sum_duplicates()
    return matrix
