"""The port that everything which compares pictures with texts is written against."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from shared.inference import Encoded
from shared.inference.port import ServedModel
from shared.pictures.decoding import Pixels


class DualEncoder(ServedModel, Protocol):
    """Turns pictures and texts into unit vectors whose dot product says how well they fit.

    Vectors of different models, or of versions of one, do not compare.
    """

    @property
    def dimension(self) -> int:
        """Components of a vector."""
        ...

    async def encode_pictures(self, pictures: Sequence[Pixels]) -> Encoded:
        """Returns one vector a picture. The caller's deadline bounds the call.

        Args:
            pictures: Each (height, width, 3), of any size.

        Raises:
            UnavailableError: The model cannot be reached, or has too long a queue.
            DeadlineExceededError: It did not answer in time.
        """
        ...

    async def encode_texts(self, texts: Sequence[str]) -> Encoded:
        """Returns one vector a text, to compare with those of pictures.

        Raises:
            UnavailableError: As of `encode_pictures`.
            DeadlineExceededError: Likewise.
        """
        ...
