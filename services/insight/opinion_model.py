"""How likely a text is to praise, by linear models that read thousands of texts a second.

One .npz that numpy alone reads: 8-bit weights with a scale for Han (characters) and for other
scripts (words, and the shop's lexicon of polarity). `python -m services.insight.train` makes it.
"""

import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

import numpy as np
from numpy.typing import NDArray

from services.insight.features import Features, character_features, word_features
from shared.text.polarity import Polarity, shop_weights

CHARACTER_BITS: Final = 16
WORD_BITS: Final = 14
STEPS: Final = 127


class OpinionModelError(ValueError):
    """A file is no model of opinions."""


@dataclass(frozen=True, slots=True)
class LinearPart:
    """Weights over hashed features.

    Attributes:
        steps: (columns,), int8.
        scale: What a step is worth.
        bias: What a text has before it is read.
        polarity: What a unit of the lexicon's polarity is worth.
    """

    steps: NDArray[np.int8]
    scale: float
    bias: float
    polarity: float = 0.0

    def logits(self, features: Features, polarities: NDArray[np.float64]) -> NDArray[np.float64]:
        """Returns the log-odds of praise, (texts,)."""
        weights = self.steps[features.columns].astype(np.float64)
        sums = np.bincount(features.rows, weights, minlength=len(features.lengths)) * self.scale
        scaled = sums / np.sqrt(np.maximum(features.lengths, 1))
        return scaled + self.bias + self.polarity * polarities


class OpinionModel:
    """Reads whether texts praise or blame."""

    def __init__(self, han: LinearPart, words: LinearPart) -> None:
        self._han = han
        self._words = words
        self._lexicon = Polarity(shop_weights())

    @classmethod
    def load(cls, path: Path) -> "OpinionModel":
        """Reads a file.

        Raises:
            OpinionModelError: It is none, or of another form.
        """
        try:
            with np.load(path, allow_pickle=False) as held:
                arrays = cast("Mapping[str, NDArray[np.generic]]", held)
                parts = [_part(arrays, name, bits) for name, bits in PARTS]
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise OpinionModelError(f"{path} is no model of opinions: {error}") from error
        return cls(*parts)

    def logits(self, texts: Sequence[str], han: Sequence[bool]) -> NDArray[np.float64]:
        """Returns the log-odds that texts praise, (texts,).

        Args:
            texts: Folded.
            han: Whether each is written in Han.
        """
        found = np.zeros(len(texts))
        chosen = np.array(han, dtype=bool)
        for part, mask, read, bits in (
            (self._han, chosen, character_features, CHARACTER_BITS),
            (self._words, ~chosen, word_features, WORD_BITS),
        ):
            places = [int(at) for at in np.flatnonzero(mask)]
            if places:
                found[places] = self._read(part, [texts[at] for at in places], read, bits)
        return found

    def _read(
        self,
        part: LinearPart,
        texts: Sequence[str],
        read: Callable[[Sequence[str], int], Features],
        bits: int,
    ) -> NDArray[np.float64]:
        polarities = np.zeros(len(texts))
        if part.polarity:
            polarities = np.array([self._lexicon.total(text) for text in texts])
        return part.logits(read(texts, bits), polarities)


PARTS: Final = (("han", CHARACTER_BITS), ("words", WORD_BITS))


def _part(arrays: Mapping[str, NDArray[np.generic]], name: str, bits: int) -> LinearPart:
    steps = arrays[f"{name}_steps"]
    if steps.dtype != np.int8 or steps.shape != (2**bits,):
        raise ValueError(f"{name} has weights of another form")
    scale, bias, polarity = (float(v) for v in np.asarray(arrays[f"{name}_numbers"], dtype=float))
    return LinearPart(np.asarray(steps, dtype=np.int8), scale, bias, polarity)
