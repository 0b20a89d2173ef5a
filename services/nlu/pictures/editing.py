"""A picture and a text as one query: their sum, or the picture with what the text changes.

"Like this but red" keeps all of the picture but its colour. Words of one family, such as colours,
differ by few directions: the span of their vectors about their mean. What the picture says along
these directions is taken out, and what the word says is put in its place. This asks nothing of the
model but that both sides share one space.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.nlu.pictures.port import DualEncoder

Vector = NDArray[np.float32]

FAMILIES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "colour": (
            "black", "blue", "brown", "gray", "green", "orange", "pink", "purple", "red", "white",
            "yellow", "beige",
        ),
        "pattern": ("plain", "striped", "checked", "color-blocked", "printed", "dotted"),
    }
)  # fmt: skip
"""Words that exclude one another."""
_SAME: Final = MappingProxyType(
    {
        "grey": "gray", "violet": "purple", "lavender": "purple", "navy": "blue", "solid": "plain",
        "stripes": "striped", "plaid": "checked", "polka": "dotted", "patterned": "printed",
    }
)  # fmt: skip
_WORD = re.compile(r"[a-z]+(?:-[a-z]+)?")
_NOTHING: Final = 1e-9
_SHARE: Final = 0.9
"""Of the variance of a family's vectors that its directions hold."""


@dataclass(frozen=True, slots=True)
class _Family:
    """The directions in which words of a family differ."""

    mean: Vector
    directions: NDArray[np.float32]
    """(directions, dimension), orthonormal."""
    words: Mapping[str, Vector]

    def along(self, vector: Vector) -> Vector:
        inside = (vector - self.mean) @ self.directions.T @ self.directions
        return inside.astype(np.float32)


class PictureEditor:
    """Composes pictures and texts in the space of one encoder."""

    def __init__(self, encoder: DualEncoder) -> None:
        self._encoder = encoder
        self._families: Mapping[str, _Family] | None = None

    async def edit(self, picture: Vector, text: str, strength: float) -> Vector:
        """Returns the picture as the text changes it; its sum with the text where none applies.

        Args:
            picture: Unit vector.
            text: English, such as "red" or "the same with stripes".
            strength: Of what is put in its place; 1 keeps its measure.

        Raises:
            UnavailableError: The encoder does not answer.
        """
        families = await self._known()
        named = [_SAME.get(word, word) for word in _WORD.findall(text.lower())]
        made, changed = picture, False
        for family in families.values():
            word = next((each for each in named if each in family.words), "")
            if word:
                wanted = family.along(family.words[word])
                made = (made - family.along(made) + strength * wanted).astype(np.float32)
                changed = True
        if changed:
            return _unit(made)
        encoded = await self._encoder.encode_texts([text])
        return weighted([(picture, 1.0), (encoded.vectors[0], strength)])

    async def _known(self) -> Mapping[str, _Family]:
        if self._families is None:
            self._families = {name: await self._family(words) for name, words in FAMILIES.items()}
        return self._families

    async def _family(self, words: Sequence[str]) -> _Family:
        encoded = await self._encoder.encode_texts(list(words))
        mean = encoded.vectors.mean(axis=0)
        parts = np.linalg.svd(encoded.vectors - mean, full_matrices=False)
        sizes: Vector = parts.S
        directions: Vector = parts.Vh
        held: Vector = np.cumsum(np.square(sizes), dtype=np.float32)
        # An encoder to which all words of a family are one has no directions for it.
        whole = float(np.square(sizes).sum())
        count = int(np.count_nonzero(held < _SHARE * whole)) + 1 if whole > _NOTHING else 0
        vectors = dict(zip(words, encoded.vectors, strict=True))
        return _Family(mean, directions[:count].astype(np.float32), vectors)


def weighted(parts: Sequence[tuple[Vector, float]]) -> Vector:
    """Returns the unit vector of a weighted sum; the first part's where the sum is nothing."""
    total = np.zeros_like(parts[0][0])
    for vector, weight in parts:
        total += np.float32(weight) * vector
    return _unit(total) if np.linalg.norm(total) > _NOTHING else parts[0][0]


def pooled(vectors: NDArray[np.float32]) -> Vector:
    """Returns the unit vector of the mean of frames, (frames, dimension)."""
    return weighted([(each, 1.0) for each in vectors])


def _unit(vector: Vector) -> Vector:
    return (vector / np.linalg.norm(vector)).astype(np.float32)
