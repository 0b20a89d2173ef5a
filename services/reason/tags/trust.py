"""How often a mention of a term is right: a shop writes "warm" of more than the climate."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.reason.tags.vocabulary import TermId

Matrix = NDArray[np.float64]
_OF_KEY: Final = 4.0
"""Mentions that the other values of the key count as."""


@dataclass(frozen=True, slots=True)
class MentionTrust:
    """Products whose title or description mention a term, and those of them that state it.

    Attributes:
        keys: Number of the key of each term, (terms,).
        mentioning: Products that mention it, (terms,).
        right: Those of them that state it, (terms,).
    """

    keys: NDArray[np.int64]
    mentioning: Matrix
    right: Matrix

    @classmethod
    def count(cls, terms: Sequence[TermId], mentioned: Matrix, stated: Matrix) -> "MentionTrust":
        """Counts products; both (products, terms), of 0 and 1."""
        return cls(key_numbers(terms), mentioned.sum(axis=0), (mentioned * stated).sum(axis=0))

    def rates(self) -> Matrix:
        """Returns the share of mentions that are right, (terms,); each leans on all of its key."""
        many, right = self.mentioning, self.right
        of_key = np.bincount(self.keys, right)[self.keys] + 1
        of_key /= np.bincount(self.keys, many)[self.keys] + 2
        return (right + _OF_KEY * of_key) / (many + _OF_KEY)


def key_numbers(terms: Sequence[TermId]) -> NDArray[np.int64]:
    """Returns the number of the key of each term, (terms,)."""
    numbers = {key: at for at, key in enumerate(dict.fromkeys(key for key, _ in terms))}
    return np.array([numbers[key] for key, _ in terms], dtype=np.int64)
