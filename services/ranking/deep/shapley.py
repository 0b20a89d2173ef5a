"""What each feature added to a score that only the model's answers are known of.

Shapley values by drawn orders of the features (Castro, Gomez and Tejada, "Polynomial calculation of
the Shapley value based on sampling", Computers and Operations Research 2009), each order together
with its reverse (Mitchell et al., "Sampling permutations for Shapley value estimation", JMLR 2022).
Along each order the steps lead from the mean candidate to the candidate itself, so the values sum
to the score exactly, however few orders are drawn; only how it is shared out is an estimate.
"""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

PAIRS: Final = 2
"""Orders with their reverses."""


@dataclass(frozen=True, slots=True)
class Walks:
    """The questions to ask the model.

    Attributes:
        rows: (candidates, orders, steps + 1, features) from the mean candidate to each candidate.
        orders: (orders, steps) column that changes at each step.
        columns: How many features there are.
    """

    rows: NDArray[np.float32]
    orders: NDArray[np.int64]
    columns: int

    @classmethod
    def over(cls, values: NDArray[np.float32], *, pairs: int = PAIRS, seed: int = 0) -> Self:
        """Draws orders of the features that differ between candidates.

        Args:
            values: (candidates, features) as the model reads them.
            pairs: Orders with their reverses.
            seed: The same seed draws the same orders.
        """
        random = np.random.default_rng(seed)
        mean = values.mean(axis=0)
        varied = np.flatnonzero((values != mean).any(axis=0))
        drawn = [random.permutation(varied) for _ in range(pairs)]
        orders = np.array([each for order in drawn for each in (order, order[::-1])])
        orders = orders.reshape(2 * pairs, len(varied))
        rows = np.empty((len(values), 2 * pairs, len(varied) + 1, len(mean)), dtype=np.float32)
        rows[:] = mean
        for number, order in enumerate(orders):
            for step, column in enumerate(order):
                rows[:, number, step + 1 :, column] = values[:, column, None]
        return cls(rows, orders.astype(np.int64), len(mean))

    def flat(self) -> NDArray[np.float32]:
        """Returns the questions one below the other, (rows, features)."""
        return self.rows.reshape(-1, self.columns)

    def share_out(self, answers: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        """Returns the score of the mean candidate, and (candidates, features).

        Args:
            answers: (rows,) scores of `flat`.
        """
        scores = answers.reshape(self.rows.shape[:3])
        steps = np.diff(scores, axis=2)
        shares = np.zeros((len(scores), self.columns))
        for number, order in enumerate(self.orders):
            shares[:, order] += steps[:, number] / len(self.orders)
        return float(scores[0, 0, 0]), shares
