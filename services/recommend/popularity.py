"""Popularity: every user gets what most users had. The floor that any model must beat."""

from __future__ import annotations

import numpy as np

from services.recommend.recommender import Scores
from services.recommend.sequences import Sequences


class Popularity:
    """Scores an item by how often it was had.

    Args:
        items: How many there are.
    """

    def __init__(self, items: int) -> None:
        self._counts = np.zeros(items, dtype=np.float32)

    def fit(self, sequences: Sequences) -> None:
        """Count the items."""
        counts = np.bincount(np.concatenate(list(sequences)), minlength=len(self._counts))
        self._counts = counts.astype(np.float32)

    def scores(self, histories: Sequences) -> Scores:
        """The counts, the same in every row, [histories, items]."""
        return np.tile(self._counts, (len(histories), 1))
