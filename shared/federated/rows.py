"""What one shop learns from: rows of numbers, in a file that stays with the shop.

An example is one utterance, or one page of results; the rows of a page stand together.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from shared.federated.errors import FederatedError
from shared.numpy_file import UNREADABLE, open_arrays


@dataclass(frozen=True, slots=True)
class Rows:
    """Examples of one shop, or of several."""

    features: NDArray[np.float32]
    """(rows, width)."""
    targets: NDArray[np.float32]
    """(rows,) the number of the label, or the gain of the product."""
    example: NDArray[np.int64]
    """(rows,) number of the example, from 0, ascending without gaps."""

    def __len__(self) -> int:
        """Examples, not rows."""
        return int(self.example[-1]) + 1 if len(self.example) else 0

    @property
    def starts(self) -> NDArray[np.int64]:
        """(examples,) first row of each example."""
        return np.searchsorted(self.example, np.arange(len(self))).astype(np.int64)

    def of_examples(self, chosen: NDArray[np.int64]) -> Self:
        """Returns some examples in the order named, numbered anew."""
        begins = np.searchsorted(self.example, chosen)
        lengths = np.searchsorted(self.example, chosen, side="right") - begins
        ends = np.cumsum(lengths)
        at = np.arange(ends[-1] if len(ends) else 0) + np.repeat(begins - (ends - lengths), lengths)
        numbers = np.repeat(np.arange(len(chosen), dtype=np.int64), lengths)
        return type(self)(self.features[at], self.targets[at], numbers)

    def save(self, path: Path) -> None:
        """Writes a compressed NumPy file, without pickles."""
        with path.open("wb") as file:
            np.savez_compressed(
                file, features=self.features, targets=self.targets, example=self.example
            )

    @classmethod
    def load(cls, path: Path) -> Self:
        """Reads what `save` wrote.

        Raises:
            FederatedError: It is no such file, or holds no example.
        """
        try:
            with open_arrays(path) as file:
                rows = cls(
                    file["features"].astype(np.float32),
                    file["targets"].astype(np.float32),
                    file["example"].astype(np.int64),
                )
        except UNREADABLE as error:
            raise FederatedError(
                f"{path} is no file of `wherefore train federated prepare`: {error}"
            ) from error
        steps = np.diff(rows.example, prepend=0)
        whole = rows.features.ndim == 2 and len(rows.features) == len(rows.targets)  # noqa: PLR2004
        if not whole or len(rows.example) != len(rows.targets) or not set(steps.tolist()) <= {0, 1}:
            raise FederatedError(f"{path}: its rows do not belong together; prepare it again")
        if not len(rows):
            raise FederatedError(f"{path} holds no example")
        return rows
